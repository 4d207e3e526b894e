// SPDX-License-Identifier: MIT
#include "device.h"

#include "arch/layout.h"
#include "edit.h"
#include "link.h"
#include "space.h"
#include "table.h"

// What the marked tables below a table take, as far as that is no more than a step.
static void count_marked(struct vmm *vm, pfn_t table, unsigned level, uint64_t *n,
                         uint64_t *n_links)
{
    const struct frame *f = frame_of(vm, table);
    for (unsigned i = f->first; level > 1 && f->used && i <= f->last && !vmm_is_spent(vm); i++) {
        pte_t e = table_load(vm, table, i);
        pfn_t child = frame_number(pte_address(e));
        if (!pte_is_table(e, level) || !device_is_below(vm, child))
            continue;
        unsigned links = link_count(vm, child);
        vmm_spend(vm, 2 * frame_of(vm, child)->used + WORK_LINK * links + WORK_FIND);
        ++*n;
        *n_links += links;
        count_marked(vm, child, level - 1, n, n_links);
    }
}

status_t device_reserve(struct vmm *vm, pfn_t root, record_t account, struct reserve *r)
{
    uint64_t need[3] = {0}, n_links = 0;
    *r = (struct reserve){.account = account};
    int64_t left = vm->left;
    vm->left = STEP_WORK;
    count_marked(vm, root, vm->state->levels, &need[0], &n_links);
    if (vmm_is_spent(vm))
        return E_LIMIT;
    vm->left += left - STEP_WORK;
    status_t status = need[0] ? reserve_fill(vm, r, account, need, false) : OK;
    if (status == OK)
        status = link_reserve(vm, account, n_links, &r->links);
    if (status != OK)
        reserve_drop(vm, r);
    return status;
}

static void leave_out(struct vmm *vm, pfn_t from, pfn_t to, unsigned level, struct reserve *r);

// The marked table below entry `i` of both is the original's alone again; the clone gets what else
// is in it.
static void part_from(struct vmm *vm, pfn_t from, pfn_t to, unsigned i, unsigned level,
                      struct reserve *r)
{
    pte_t *entry = &table_entries(vm, from)[i];
    pfn_t marked = frame_number(pte_address(*entry)), copy = reserve_take(vm, r, 1, FRAME_TABLE);
    frame_of(vm, marked)->refs--;
    entry->bits |= PTE_W;
    frame_of(vm, copy)->refs = 1;
    table_copy(vm, marked, copy);
    link_copy(vm, marked, copy, &r->links);
    leave_out(vm, marked, copy, level - 1, r);
    bool is_empty = !frame_of(vm, copy)->used;
    table_store(vm, to, i, is_empty ? PTE_NONE : pte_table(frame_address(copy), true));
    if (is_empty)
        frame_free_zero(vm, copy);
}

static void leave_out(struct vmm *vm, pfn_t from, pfn_t to, unsigned level, struct reserve *r)
{
    const struct frame f = *frame_of(vm, to);
    for (unsigned i = f.first; f.used && i <= f.last; i++) {
        pte_t e = table_load(vm, to, i);
        if (pte_is_linked(e) && pte_is_device(e))
            link_clear(vm, to, i, 1);
        if (pte_is_device(e))
            table_store(vm, to, i, PTE_NONE);
        else if (pte_is_table(e, level) && device_is_below(vm, frame_number(pte_address(e))))
            part_from(vm, from, to, i, level, r);
    }
}

void device_leave_out(struct vmm *vm, pfn_t from, pfn_t to, struct reserve *r)
{
    leave_out(vm, from, to, vm->state->levels, r);
    reserve_drop(vm, r);
}

static unsigned largest_level(const struct vmm *vm)
{
    unsigned level = 3;
    while (!(vm->state->page_sizes & 1u << (level - 1)))
        level--;
    return level;
}

// Maps the frames in start..end - 1 at their own addresses; none if the range is empty.
static status_t map_devices(struct vmm *vm, const struct space *s, paddr_t start, paddr_t end)
{
    struct edit e = {
        .kind = EDIT_PLACE,
        .account = s->account,
        .root = s->root,
        .first = start >> PAGE_SHIFT,
        .last = (end >> PAGE_SHIFT) - 1,
        .prot = PROT_R | PROT_W,
        .max = PROT_R | PROT_W,
        .page_level = largest_level(vm),
        .shares = true,
        .source = start >> PAGE_SHIFT,
        .is_device = true,
    };
    if (start >= end)
        return OK;
    status_t status = edit_prepare(vm, &e);
    if (status == OK)
        edit_commit_all(vm, &e);
    return status;
}

// The CPU's own interrupt controller stays the kernel's: boot mapped it there.
static status_t map_around_lapic(struct vmm *vm, const struct space *s, paddr_t start, paddr_t end)
{
    struct spot spot = pt_find(vm, vm->state->boot_root, KERNEL_LAPIC >> PAGE_SHIFT);
    paddr_t lapic = pte_address(spot.pte);
    if (start > lapic || end <= lapic)
        return map_devices(vm, s, start, end);
    status_t status = map_devices(vm, s, start, lapic);
    return status == OK ? map_devices(vm, s, lapic + PAGE_SIZE, end) : status;
}

// Where no range is, no RAM is; nor is it where one is the firmware's, but for page 0. The ranges are
// sorted.
status_t device_space_create(struct vmm *vm, const struct boot_info *info, record_t *id)
{
    paddr_t start = PAGE_SIZE;
    status_t status = space_create(vm, vm->state->root_account, 0, id);
    for (uint32_t i = 0; i < info->n_ranges && status == OK; i++) {
        const struct boot_range *range = &info->ranges[i];
        paddr_t end = range->start < DEVICE_END ? range->start : DEVICE_END;
        paddr_t behind = range->start + ((paddr_t)range->frames << PAGE_SHIFT);
        if (range->kind == MEMORY_RESERVED)
            continue;
        status = map_around_lapic(vm, space_of(vm, *id), start, end);
        start = behind > start ? behind : start;
    }
    return status == OK ? map_around_lapic(vm, space_of(vm, *id), start, DEVICE_END) : status;
}
