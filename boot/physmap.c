// SPDX-License-Identifier: MIT
#include "boot/physmap.h"

#include "arch/layout.h"

vaddr_t physmap_offset(uint32_t levels)
{
    return levels == 5 ? PHYSMAP_5LEVEL : PHYSMAP_4LEVEL;
}

uint64_t physmap_room(uint32_t levels)
{
    return (ROOT_ENTRY_PROBE - ROOT_ENTRY_PHYSMAP) * tables_entry_bytes(levels);
}

static uint32_t leaf_level(paddr_t at, paddr_t end, uint32_t max_level)
{
    uint32_t level = max_level;
    while (level > 1 && (at % tables_entry_bytes(level) || end - at < tables_entry_bytes(level)))
        level--;
    return level;
}

static status_t map_run(const struct tables *t, paddr_t start, paddr_t end, uint32_t max_level)
{
    struct mapping m = {.flags = PTE_U | PTE_W | PTE_NX, .table_kind = MEMORY_PHYSMAP_TABLE};
    for (paddr_t at = start; at < end; at += tables_entry_bytes(m.level)) {
        m.va = physmap_offset(t->levels) + at;
        m.pa = at;
        m.level = leaf_level(at, end, max_level);
        status_t status = tables_map(t, &m);
        if (status != OK)
            return status;
    }
    return OK;
}

static paddr_t range_end(const struct boot_range *range)
{
    return range->start + ((uint64_t)range->frames << PAGE_SHIFT);
}

status_t physmap_build(const struct tables *t, const struct boot_range *ranges, uint32_t n_ranges,
                       uint32_t max_level)
{
    status_t status = OK;
    for (uint32_t i = 0; i < n_ranges && status == OK; i++) {
        if (ranges[i].kind == MEMORY_RESERVED)
            continue;
        // Whatever the kinds, RAM that adjoins is mapped as one run, so that leaves can be large.
        paddr_t start = ranges[i].start;
        while (i + 1 < n_ranges && ranges[i + 1].kind != MEMORY_RESERVED &&
               ranges[i + 1].start == range_end(&ranges[i]))
            i++;
        status = map_run(t, start, range_end(&ranges[i]), max_level);
    }
    return status;
}
