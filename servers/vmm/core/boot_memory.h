// SPDX-License-Identifier: MIT
// Heap discovery: where in the boot memory map the VMM finds room for its own records.
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"

struct heap {
    vaddr_t start;      // in the physical mapping; aligned to 4 KiB
    uint64_t len_bytes; // at least a page
};

// Answers the largest region of usable memory, each aligned inward to 4 KiB (the lowest of equals),
// as a virtual range at `physical_memory_offset`. Errors: E_NOPHYSMAP (the offset is 0), E_OVERFLOW
// (a usable region, or the answer, wraps), E_NOREGION (no usable region holds a whole page). *heap
// is untouched on failure.
must_check status_t locate_heap(const struct boot_range *ranges, uint32_t n_ranges,
                                vaddr_t physical_memory_offset, struct heap *heap);

// Aligns a range of memory inward to whole pages: *first and *n of them, perhaps none.
// Errors: E_OVERFLOW (the range wraps). Outputs untouched on failure.
must_check status_t boot_range_pages(const struct boot_range *range, uint64_t *first, uint64_t *n);
