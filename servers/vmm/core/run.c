// SPDX-License-Identifier: MIT
#include "run.h"

#include "link.h"
#include "page.h"
#include "table.h"

#define PAGES_AT_ONCE 64u

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

// Whether MAX of all entries that are not empty has the `wanted` bits: first all of them at once, for
// that is how it mostly is.
static bool run_allows(const pte_t *entries, unsigned n, uint64_t wanted)
{
    uint64_t all = wanted;
#pragma clang loop unroll_count(8)
    for (unsigned i = 0; i < n; i++)
        all &= entries[i].bits;
    if (all == wanted)
        return true;
    for (unsigned i = 0; i < n; i++)
        if ((entries[i].bits & wanted) != wanted && !pte_is_empty(entries[i]))
            return false;
    return true;
}

status_t run_plan(struct vmm *vm, struct edit *e, const struct run *r, pte_t fill)
{
    const pte_t *entries = r->table.n ? run_entries(vm, r) : &fill;
    unsigned n = !r->table.n ? 1 : frame_of(vm, r->table)->used ? r->n : 0;
    e->work += r->n * run_work(e);
    vmm_spend(vm, e->kind == EDIT_PROTECT ? n : 1);
    if (e->kind == EDIT_PROTECT && !run_allows(entries, n, (uint64_t)e->prot << PTE_MAX_SHIFT))
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

// New pages in some of `n` empty entries, from the first one on. Answers in how many.
static unsigned run_new_pages(struct vmm *vm, struct edit *e, pte_t *entries, unsigned n)
{
    pfn_t pages[PAGES_AT_ONCE];
    const uint64_t bits = pte_page(0, 1, e->prot, e->max, 0, true).bits;
    n = reserve_take_pages(vm, &e->reserve, pages, n < PAGES_AT_ONCE ? n : PAGES_AT_ONCE);
    for (unsigned i = 0; i < n; i++) {
        frame_zero(vm, pages[i]);
        entries[i].bits = bits | frame_address(pages[i]);
    }
    return n;
}

static void run_map(struct vmm *vm, struct edit *e, const struct run *r)
{
    pte_t *entries = run_entries(vm, r), lazy = edit_lazy_entry(e);
    if (frame_of(vm, r->table)->used)
        run_unmap(vm, e, r);
    table_recount(vm, r->table, r->from, r->n, 0, r->n);
    for (unsigned i = 0; e->is_lazy && i < r->n; i++)
        entries[i] = lazy;
    for (unsigned i = 0; !e->is_lazy && i < r->n;)
        i += run_new_pages(vm, e, entries + i, r->n - i);
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
    unsigned n_alike = 0;
#pragma clang loop unroll_count(4)
    while (n_alike < n && (entries[n_alike].bits & ~PTE_ADDR) == from)
        n_alike++;
#pragma clang loop unroll_count(8)
    for (unsigned i = 0; i < n_alike; i++)
        entries[i].bits ^= from ^ to;
    return n_alike;
}

// Sets W in pages that nobody else has.
static void run_arm(struct vmm *vm, pte_t *entries, unsigned n)
{
    for (pte_t *e = entries, *end = entries + n; e < end; e++) {
        const struct frame *f = frame_of_page(vm, *e);
        bool is_sole =
            frame_is_plain(f) ? f->refs == 1 : page_is_sole(vm, frame_number(pte_address(*e)), 1);
        e->bits |= is_sole ? PTE_W : 0;
    }
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
