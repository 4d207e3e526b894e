// SPDX-License-Identifier: MIT
#include "window.h"

#include "space.h"
#include "table.h"

// The window is one table at level 2, each entry of which is a table of 512 indices.
#define KERNEL_ENTRY (PTE_P | PTE_W | PTE_A)

static void count_entries(struct vmm *vm, pfn_t table)
{
    struct frame *f = frame_of(vm, table);
    f->used = 0;
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pte_t e = table_load(vm, table, i);
        table_entries(vm, table)[i] = PTE_NONE;
        table_store(vm, table, i, e);
    }
}

status_t window_start(struct vmm *vm)
{
    pfn_t table = vm->state->boot_root;
    for (unsigned level = vm->state->levels; level > 2; level--) {
        pte_t e = table_load(vm, table, table_index(OBJECT_WINDOW >> PAGE_SHIFT, level));
        if (!pte_is_table(e, level) || pte_address(e) >> PAGE_SHIFT >= vm->state->n_frames)
            return E_FORMAT;
        table = frame_number(pte_address(e));
    }
    vm->state->window = table;
    count_entries(vm, table);
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pte_t e = table_load(vm, table, i);
        if (!pte_is_present(e))
            continue;
        if (!pte_is_table(e, 2) || pte_address(e) >> PAGE_SHIFT >= vm->state->n_frames)
            return E_FORMAT;
        count_entries(vm, frame_number(pte_address(e)));
    }
    return OK;
}

static pfn_t window_table(const struct vmm *vm, uint32_t index)
{
    return frame_number(pte_address(table_load(vm, vm->state->window, index / PTE_ENTRIES)));
}

static status_t window_grow(struct vmm *vm, unsigned i)
{
    pfn_t table;
    status_t status = frame_alloc(vm, vm->state->root_account, FRAME_TABLE, &table);
    if (status != OK)
        return status;
    frame_zero(vm, table);
    frame_of(vm, table)->level = 1;
    table_store(vm, vm->state->window, i, (pte_t){frame_address(table) | KERNEL_ENTRY});
    return OK;
}

// Finds the lowest free index, and sees to it that its table is there. All below `next_object` are in
// use.
static status_t window_find(struct vmm *vm, uint32_t *index)
{
    unsigned place = vm->state->next_object % PTE_ENTRIES;
    for (unsigned i = vm->state->next_object / PTE_ENTRIES; i < PTE_ENTRIES; i++, place = 0) {
        if (pte_is_empty(table_load(vm, vm->state->window, i))) {
            status_t status = window_grow(vm, i);
            if (status != OK)
                return status;
        }
        pfn_t table = window_table(vm, i * PTE_ENTRIES);
        if (frame_of(vm, table)->used == PTE_ENTRIES)
            continue;
        while (!pte_is_empty(table_load(vm, table, place)))
            place++;
        *index = i * PTE_ENTRIES + place;
        return OK;
    }
    return E_LIMIT;
}

pfn_t object_pfn(const struct vmm *vm, uint32_t index)
{
    if (index >= OBJECT_WINDOW_INDICES ||
        pte_is_empty(table_load(vm, vm->state->window, index / PTE_ENTRIES)))
        return PFN_NONE;
    pte_t e = table_load(vm, window_table(vm, index), index % PTE_ENTRIES);
    return frame_number(pte_address(e));
}

status_t object_map(struct vmm *vm, record_t account, enum kernel_object kind, record_t record,
                    uint32_t *index)
{
    pfn_t pfn;
    status_t status = frame_alloc(vm, account, FRAME_OBJECT, &pfn);
    if (status != OK)
        return status;
    status = window_find(vm, index);
    if (status != OK) {
        frame_free(vm, pfn);
        return status;
    }
    vm->state->next_object = *index + 1;
    *(uint64_t *)frame_at(vm, pfn) = 0;
    struct frame *f = frame_of(vm, pfn);
    f->flags = 0; // it will not be zero any more
    f->link = record;
    f->level = (uint8_t)kind;
    uint64_t bits = frame_address(pfn) | KERNEL_ENTRY | PTE_D | PTE_G | PTE_NX;
    table_store(vm, window_table(vm, *index), *index % PTE_ENTRIES, (pte_t){bits});
    return OK;
}

void object_unmap(struct vmm *vm, uint32_t index)
{
    pfn_t pfn = object_pfn(vm, index), table = window_table(vm, index);
    table_store(vm, table, index % PTE_ENTRIES, PTE_NONE);
    if (vm->state->next_object > index)
        vm->state->next_object = index;
    flush_pages(vm, 0, OBJECT_WINDOW + ((uint64_t)index << PAGE_SHIFT), 1);
    frame_free(vm, pfn);
    // Boot's own table is RESERVED and stays.
    if (!frame_of(vm, table)->used && frame_of(vm, table)->kind == FRAME_TABLE) {
        table_store(vm, vm->state->window, index / PTE_ENTRIES, PTE_NONE);
        frame_free_zero(vm, table);
    }
}

status_t object_create(struct vmm *vm, record_t account, enum kernel_object kind, record_t record,
                       uint32_t slot, uint32_t *index)
{
    uint32_t new;
    status_t status = object_map(vm, account, kind, record, &new);
    if (status != OK)
        return status;
    status = vm->ports->object_create(vm->context, new, kind, slot);
    if (status != OK) {
        object_unmap(vm, new);
        return status;
    }
    *index = new;
    return OK;
}

void object_destroy(struct vmm *vm, uint32_t index)
{
    status_t status;
    do {
        status = vm->ports->object_destroy(vm->context, index);
    } while (status == E_MORE);
    invariant(status == OK);
    object_unmap(vm, index);
}
