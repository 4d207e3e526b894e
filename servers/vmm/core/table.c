// SPDX-License-Identifier: MIT
#include "table.h"

void table_store(struct vmm *vm, pfn_t table, unsigned i, pte_t new)
{
    struct frame *f = frame_of(vm, table);
    pte_t *e = &table_entries(vm, table)[i];
    bool was_empty = pte_is_empty(*e), is_empty = pte_is_empty(new);
    *e = new;
    if (was_empty == is_empty)
        return;
    if (is_empty) {
        f->used--;
        if (i == f->first)
            f->first++;
        else if (i == f->last)
            f->last--;
    } else {
        if (!f->used++)
            f->first = f->last = (uint16_t)i;
        if (i < f->first)
            f->first = (uint16_t)i;
        if (i > f->last)
            f->last = (uint16_t)i;
    }
}

static void hold_entry(struct vmm *vm, pte_t e, unsigned level)
{
    pfn_t pfn = frame_number(pte_address(e));
    if (pte_is_table(e, level))
        frame_of(vm, pfn)->refs++;
    else if (pte_has_page(e))
        page_hold(vm, pfn, level);
}

void table_copy(struct vmm *vm, pfn_t from, pfn_t to)
{
    const struct frame *source = frame_of(vm, from);
    for (unsigned i = source->first; source->used && i <= source->last; i++) {
        pte_t e = table_load(vm, from, i);
        hold_entry(vm, e, source->level);
        if (pte_is_present(e) && !(e.bits & PTE_SHARED && !pte_is_table(e, source->level))) {
            e.bits &= ~PTE_W;
            table_entries(vm, from)[i] = e;
        }
        table_entries(vm, to)[i] = e;
    }
    struct frame *copy = frame_of(vm, to);
    copy->level = source->level;
    copy->used = source->used;
    copy->first = source->first;
    copy->last = source->last;
}

void table_fill(struct vmm *vm, pfn_t table, unsigned level, pte_t e)
{
    struct frame *f = frame_of(vm, table);
    f->level = (uint8_t)(level - 1);
    bool has_page = pte_has_page(e);
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pte_t part = pte_part(e, level, i);
        if (has_page)
            page_hold(vm, frame_number(pte_address(part)), level - 1);
        table_entries(vm, table)[i] = part;
    }
    if (!pte_is_empty(e)) {
        f->used = PTE_ENTRIES;
        f->first = 0;
        f->last = PTE_ENTRIES - 1;
    }
    if (has_page)
        page_drop(vm, frame_number(pte_address(e)), level);
}
