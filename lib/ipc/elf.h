// SPDX-License-Identifier: MIT
// Reads static ELF64 programs. The boot loader and init use the same code; it neither allocates nor
// writes, and every number in the file is an allegation until elf_open() has checked it.
#pragma once

#include "ipc/status.h"
#include "ipc/types.h"

#define ELF_SEGMENTS_MAX 8u

struct elf_segment {
    vaddr_t va;           // where the segment begins; not necessarily page-aligned
    uint64_t file_offset; // its bytes in the image: file_offset .. file_offset + file_bytes
    uint64_t file_bytes;
    uint64_t memory_bytes; // at least file_bytes and at least 1; the rest is zero
    uint32_t prot;         // PROT_*, never W with X
};

struct elf {
    vaddr_t entry;
    uint32_t n_segments;
    struct elf_segment segments[ELF_SEGMENTS_MAX];
};

// Checks a whole image of `len` bytes and fills *elf. Accepted: ELF64, little endian, x86-64,
// ET_EXEC; 1..ELF_SEGMENTS_MAX PT_LOAD segments in ascending order that share no page, lie within
// the file and within 0x1000..user_end, wrap nowhere; an entry inside an executable one. Errors:
// E_FORMAT (not such a file), E_WX (a segment both writable and executable), E_LIMIT (too many
// segments). *elf is untouched on failure.
must_check status_t elf_open(const void *image, uint64_t len, vaddr_t user_end, struct elf *elf);
