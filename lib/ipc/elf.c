// SPDX-License-Identifier: MIT
#include "ipc/elf.h"

#include "ipc/rt.h"
#include "ipc/vmm_protocol.h"

#define IDENT_BYTES 16u

struct file_header {
    uint8_t ident[IDENT_BYTES];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t program_offset;
    uint64_t section_offset;
    uint32_t flags;
    uint16_t header_bytes;
    uint16_t program_entry_bytes;
    uint16_t program_entries;
    uint16_t section_entry_bytes;
    uint16_t section_entries;
    uint16_t section_names;
};

struct program_header {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t va;
    uint64_t pa;
    uint64_t file_bytes;
    uint64_t memory_bytes;
    uint64_t alignment;
};

_Static_assert(sizeof(struct file_header) == 64, "ELF64 file header");
_Static_assert(sizeof(struct program_header) == 56, "ELF64 program header");

#define TYPE_EXECUTABLE 2u
#define MACHINE_X86_64  62u
#define VERSION_CURRENT 1u

#define SEGMENT_LOAD        1u
#define SEGMENT_INTERPRETER 3u
#define SEGMENT_X           1u
#define SEGMENT_W           2u
#define SEGMENT_R           4u

#define LOWEST_VA 0x1000u // page 0 stays empty, so that NULL faults

struct image {
    const char *bytes;
    uint64_t len;
    vaddr_t user_end;
};

// Whether `len` bytes from `start` lie within `end` bytes, without wrapping.
static bool is_within(uint64_t start, uint64_t len, uint64_t end)
{
    return start <= end && len <= end - start;
}

static status_t read_header(const struct image *image, struct file_header *header)
{
    // Magic, 64-bit, little endian, version 1; the ABI bytes behind it do not matter to us.
    static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    if (image->len < sizeof(*header))
        return E_FORMAT;
    memcpy(header, image->bytes, sizeof(*header));
    if (memcmp(header->ident, ident, sizeof(ident)) != 0)
        return E_FORMAT;
    if (header->type != TYPE_EXECUTABLE || header->machine != MACHINE_X86_64 ||
        header->version != VERSION_CURRENT)
        return E_FORMAT;
    if (header->program_entry_bytes != sizeof(struct program_header))
        return E_FORMAT;
    uint64_t table_bytes = (uint64_t)header->program_entries * sizeof(struct program_header);
    return is_within(header->program_offset, table_bytes, image->len) ? OK : E_FORMAT;
}

static status_t read_prot(uint32_t flags, uint32_t *prot)
{
    if ((flags & SEGMENT_W) && (flags & SEGMENT_X))
        return E_WX;
    if (!(flags & SEGMENT_R)) // x86 has no page that can be written or executed but not read
        return E_FORMAT;
    *prot = PROT_R | (flags & SEGMENT_W ? PROT_W : 0) | (flags & SEGMENT_X ? PROT_X : 0);
    return OK;
}

static status_t check_segment(const struct image *image, const struct program_header *header)
{
    if (header->file_bytes > header->memory_bytes)
        return E_FORMAT; // so there is memory: an empty segment does not come here
    if (!is_within(header->offset, header->file_bytes, image->len))
        return E_FORMAT;
    if (header->va < LOWEST_VA || !is_within(header->va, header->memory_bytes, image->user_end))
        return E_FORMAT;
    return OK;
}

static vaddr_t last_page(const struct elf_segment *segment)
{
    return (segment->va + segment->memory_bytes - 1) & ~PAGE_MASK;
}

static status_t read_segment(const struct image *image, const struct program_header *header,
                             struct elf *elf)
{
    if (header->memory_bytes == 0 && header->file_bytes == 0)
        return OK; // linkers leave such a one for a part that is empty
    status_t status = check_segment(image, header);
    if (status != OK)
        return status;
    if (elf->n_segments == ELF_SEGMENTS_MAX)
        return E_LIMIT;
    struct elf_segment *segment = &elf->segments[elf->n_segments];
    status = read_prot(header->flags, &segment->prot);
    if (status != OK)
        return status;
    if (elf->n_segments > 0 && (header->va & ~PAGE_MASK) <= last_page(segment - 1))
        return E_FORMAT;
    segment->va = header->va;
    segment->file_offset = header->offset;
    segment->file_bytes = header->file_bytes;
    segment->memory_bytes = header->memory_bytes;
    elf->n_segments++;
    return OK;
}

static status_t read_segments(const struct image *image, const struct file_header *file,
                              struct elf *elf)
{
    for (uint32_t i = 0; i < file->program_entries; i++) {
        struct program_header header;
        memcpy(&header, image->bytes + file->program_offset + i * sizeof(header), sizeof(header));
        if (header.type == SEGMENT_INTERPRETER)
            return E_FORMAT; // a program that is not static
        if (header.type != SEGMENT_LOAD)
            continue;
        status_t status = read_segment(image, &header, elf);
        if (status != OK)
            return status;
    }
    return OK;
}

static bool is_executable(const struct elf *elf, vaddr_t va)
{
    for (uint32_t i = 0; i < elf->n_segments; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        if ((segment->prot & PROT_X) && va >= segment->va &&
            va - segment->va < segment->memory_bytes)
            return true;
    }
    return false;
}

status_t elf_open(const void *image, uint64_t len, vaddr_t user_end, struct elf *elf)
{
    const struct image file = {.bytes = image, .len = len, .user_end = user_end};
    struct file_header header;
    status_t status = read_header(&file, &header);
    if (status != OK)
        return status;
    struct elf found = {.entry = header.entry};
    status = read_segments(&file, &header, &found);
    if (status != OK)
        return status;
    if (!is_executable(&found, found.entry))
        return E_FORMAT; // as every entry is where there is no segment
    *elf = found;
    return OK;
}
