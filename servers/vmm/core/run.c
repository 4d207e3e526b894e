// SPDX-License-Identifier: MIT
#include "run.h"

#include "link.h"
#include "page.h"
#include "table.h"

static pte_t *run_entries(const struct vmm *vm, const struct run *r)
{
    return table_entries(vm, r->table) + r->from;
}

static bool run_is_empty(const pte_t *entries, unsigned n)
{
    while (n && pte_is_empty(entries[n - 1]))
        n--;
    return !n;
}

status_t run_plan(struct vmm *vm, struct edit *e, const struct run *r, pte_t fill)
{
    const pte_t *entries = r->table.n ? run_entries(vm, r) : &fill;
    unsigned n = !r->table.n ? 1 : frame_of(vm, r->table)->used ? r->n : 0;
    const uint64_t wanted = (uint64_t)e->prot << PTE_MAX_SHIFT;
    e->work += r->n * run_work(e);
    vmm_spend(vm, e->kind == EDIT_PROTECT ? n : 1);
    if (e->kind == EDIT_PROTECT)
        for (unsigned i = 0; i < n; i++)
            if ((entries[i].bits & wanted) != wanted && !pte_is_empty(entries[i]))
                return E_RIGHT;
    if (e->kind != EDIT_MAP)
        return OK;
    if (e->refuses && !run_is_empty(entries, n))
        return E_EXISTS;
    e->need[0] += e->is_lazy ? 0 : r->n;
    return OK;
}

// How many entries are not empty. Often they are all that the table has.
static unsigned run_used(const struct vmm *vm, const struct run *r)
{
    const struct frame *f = frame_of(vm, r->table);
    const pte_t *entries = run_entries(vm, r);
    unsigned used = 0;
    if (!f->used || (r->from <= f->first && f->last < r->from + r->n))
        return f->used;
    for (unsigned i = 0; i < r->n; i++)
        used += !pte_is_empty(entries[i]);
    return used;
}

static void run_unmap(struct vmm *vm, const struct edit *e, const struct run *r)
{
    pte_t *entries = run_entries(vm, r);
    unsigned used = run_used(vm, r), first = 0, end = r->n;
    if (!used)
        return;
    while (end && !pte_is_present(entries[end - 1]))
        end--;
    while (first < end && !pte_is_present(entries[first]))
        first++;
    if (end)
        flush_pages(vm, frame_address(e->root), (r->page + first) << PAGE_SHIFT, end - first);
    link_clear(vm, r->table, r->from, r->n);
    page_drop_all(vm, entries, r->n);
    __builtin_memset(entries, 0, r->n * sizeof *entries);
    table_recount(vm, r->table, r->from, r->n, used, 0);
}

static void run_map(struct vmm *vm, struct edit *e, const struct run *r)
{
    pte_t *entries = run_entries(vm, r), lazy = edit_lazy_entry(e);
    if (frame_of(vm, r->table)->used)
        run_unmap(vm, e, r);
    table_recount(vm, r->table, r->from, r->n, 0, r->n);
    for (unsigned i = 0; e->is_lazy && i < r->n; i++)
        entries[i] = lazy;
    pte_t page = pte_page(0, 1, e->prot, e->max, 0, true);
    for (unsigned i = 0, n; !e->is_lazy && i < r->n; i += n) {
        pfn_t pfn = reserve_take_pages(vm, &e->reserve, r->n - i, &n);
        __builtin_memset(frame_at(vm, pfn), 0, (size_t)n << PAGE_SHIFT);
        for (unsigned k = 0; k < n; k++)
            entries[i + k].bits = page.bits + frame_address(pfn) + k * PAGE_SIZE;
    }
}

// What all entries that look like `old` but for their frames become. W stays where it was: nobody
// else has come to hold those frames.
static pte_t protected_entry(const struct edit *e, pte_t old)
{
    if (pte_is_empty(old))
        return old;
    pte_t new = pte_rights(old, e->prot, pte_max(old));
    return pte_is_leaf(old) ? pte_arm(new, 1, pte_is_present(old) && old.bits & PTE_W) : new;
}

// Changes entries in a row that look like `from` but for their frames. Answers how many there are.
static unsigned recolour(pte_t *entries, unsigned n, uint64_t from, uint64_t to)
{
    unsigned i = 0;
    for (; i < n && (entries[i].bits & ~PTE_ADDR) == from; i++)
        entries[i].bits ^= from ^ to;
    return i;
}

// Sets W in pages that nobody else has.
static void run_arm(struct vmm *vm, pte_t *entries, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (page_is_sole(vm, frame_number(pte_address(entries[i])), 1))
            entries[i].bits |= PTE_W;
}

static void run_protect(struct vmm *vm, const struct edit *e, const struct run *r)
{
    pte_t *entries = run_entries(vm, r);
    for (unsigned i = 0, n; i < r->n; i += n) {
        pte_t old = {entries[i].bits & ~PTE_ADDR};
        pte_t new = protected_entry(e, old);
        n = recolour(entries + i, r->n - i, old.bits, new.bits);
        if (pte_is_present(new) && e->prot & PROT_W && !(new.bits &PTE_W))
            run_arm(vm, entries + i, n);
        if (pte_loses(old, new))
            flush_pages(vm, frame_address(e->root), (r->page + i) << PAGE_SHIFT, n);
    }
}

void run_commit(struct vmm *vm, struct edit *e, const struct run *r)
{
    if (e->kind == EDIT_MAP)
        run_map(vm, e, r);
    else if (e->kind == EDIT_UNMAP)
        run_unmap(vm, e, r);
    else
        run_protect(vm, e, r);
}
