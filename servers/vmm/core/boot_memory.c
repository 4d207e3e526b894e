// SPDX-License-Identifier: MIT
#include "boot_memory.h"

status_t boot_range_pages(const struct boot_range *range, uint64_t *first, uint64_t *n)
{
    uint64_t end;
    if (__builtin_add_overflow(range->start, (uint64_t)range->frames << PAGE_SHIFT, &end) ||
        range->start > UINT64_MAX - PAGE_MASK)
        return E_OVERFLOW;
    uint64_t from = (range->start + PAGE_MASK) >> PAGE_SHIFT;
    uint64_t to = end >> PAGE_SHIFT;
    *first = from;
    *n = to > from ? to - from : 0;
    return OK;
}

status_t locate_heap(const struct boot_range *ranges, uint32_t n_ranges,
                     vaddr_t physical_memory_offset, struct heap *heap)
{
    uint64_t best_first = 0, best_n = 0;
    if (!physical_memory_offset)
        return E_NOPHYSMAP;
    for (uint32_t i = 0; i < n_ranges; i++) {
        uint64_t first, n;
        if (ranges[i].kind != MEMORY_USABLE)
            continue;
        status_t status = boot_range_pages(&ranges[i], &first, &n);
        if (status != OK)
            return status;
        if (n > best_n) {
            best_first = first;
            best_n = n;
        }
    }
    if (!best_n)
        return E_NOREGION;
    vaddr_t start, last;
    uint64_t len_bytes = best_n << PAGE_SHIFT;
    if (__builtin_add_overflow(physical_memory_offset, best_first << PAGE_SHIFT, &start) ||
        __builtin_add_overflow(start, len_bytes - 1, &last))
        return E_OVERFLOW;
    *heap = (struct heap){.start = start, .len_bytes = len_bytes};
    return OK;
}
