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

// Bits that all entries have, and those that any has: two loops of an instruction an entry.
static uint64_t bits_of_all(const pte_t *entries, unsigned n)
{
    uint64_t all = ~0ull;
#pragma clang loop unroll_count(16)
    for (const pte_t *e = entries, *end = entries + n; e < end; e++)
        all &= e->bits;
    return all;
}

static uint64_t bits_of_any(const pte_t *entries, unsigned n)
{
    uint64_t any = 0;
#pragma clang loop unroll_count(16)
    for (const pte_t *e = entries, *end = entries + n; e < end; e++)
        any |= e->bits;
    return any;
}

// Whether MAX of all entries that are not empty has the `wanted` bits: first all of them at once, for
// that is how it mostly is.
static bool run_allows(const pte_t *entries, unsigned n, uint64_t wanted)
{
    if ((bits_of_all(entries, n) & wanted) == wanted)
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

static void run_map(struct vmm *vm, struct edit *e, const struct run *r)
{
    pte_t *entries = run_entries(vm, r), lazy = edit_lazy_entry(e);
    const uint64_t page = pte_page(0, 1, e->prot, e->max, 0, true).bits;
    if (!e->refuses && frame_of(vm, r->table)->used)
        run_unmap(vm, e, r);
    table_recount(vm, r->table, r->from, r->n, 0, r->n);
    for (unsigned i = 0; e->is_lazy && i < r->n; i++)
        entries[i] = lazy;
    for (unsigned i = 0; !e->is_lazy && i < r->n;)
        i += reserve_take_pages(vm, &e->reserve, entries + i, page, r->n - i);
}

// What all entries that look like `old` but for their frames become.
static pte_t protected_entry(const struct edit *e, pte_t old)
{
    if (pte_is_empty(old))
        return old;
    pte_t new = pte_rights(old, e->prot, pte_max(old));
    return pte_is_leaf(old) ? pte_arm(new, 1, old.bits & PTE_SOLE) : new;
}

// How many entries in a row look like `from` but for their frames: mostly all do.
static unsigned run_alike(const pte_t *entries, unsigned n, uint64_t from)
{
    uint64_t all = bits_of_all(entries, n), any = bits_of_any(entries, n);
    unsigned n_alike = 0;
    if (!(((all ^ from) | (any ^ from)) & ~PTE_ADDR))
        return n;
    while (n_alike < n && (entries[n_alike].bits & ~PTE_ADDR) == from)
        n_alike++;
    return n_alike;
}

static void recolour(pte_t *entries, unsigned n, uint64_t change)
{
#pragma clang loop unroll_count(16)
    for (pte_t *e = entries, *end = entries + n; e < end; e++)
        e->bits ^= change;
}

// Arms pages of which it was not known that nobody else has them: other holders may be gone.
static void run_arm(struct vmm *vm, pte_t *entries, unsigned n)
{
    for (pte_t *e = entries, *end = entries + n; e < end; e++)
        if (page_is_sole(vm, frame_number(pte_address(*e)), 1))
            e->bits |= PTE_SOLE | PTE_W;
}

static void run_protect(struct vmm *vm, const struct edit *e, const struct run *r)
{
    pte_t *entries = run_entries(vm, r);
    for (unsigned i = 0, n; i < r->n; i += n) {
        pte_t old = {entries[i].bits & ~PTE_ADDR};
        pte_t new = protected_entry(e, old);
        n = run_alike(entries + i, r->n - i, old.bits);
        recolour(entries + i, n, old.bits ^ new.bits);
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

// How many of the entries are not empty; or -1 if some have any of the bits.
static int run_used_without(const pte_t *entries, unsigned n, uint64_t bits)
{
    int used = 0;
    for (unsigned i = 0; i < n; i++) {
        if (entries[i].bits & bits)
            return -1;
        used += !pte_is_empty(entries[i]);
    }
    return used;
}

bool run_at_once(struct vmm *vm, pfn_t root, uint64_t first, uint64_t last, pte_t new)
{
    const bool clears = pte_is_empty(new);
    unsigned level = vm->state->levels;
    pfn_t table = root;
    for (; (first | (last + 1)) & (pt_span(level) - 1); level--) {
        pte_t e = table_load(vm, table, table_index(first, level));
        if ((first ^ last) >> 9 * (level - 1) || !pte_is_own_table(e))
            return false;
        table = frame_number(pte_address(e));
    }
    const unsigned n = (unsigned)((last - first + 1) >> 9 * (level - 1));
    const unsigned from = table_index(first, level);
    pte_t *entries = table_entry(vm, table, from);
    int used = run_used_without(entries, n, clears ? PTE_P | PTE_U : ~0ull);
    // A table that gets full may have to be joined, one that gets empty has to go; a root stays.
    unsigned end = clears ? (unsigned)used : PTE_ENTRIES - n;
    if (used < 0 || (frame_of(vm, table)->used == end && table.n != root.n))
        return false;
    for (unsigned i = 0; i < n; i++)
        entries[i] = new;
    table_recount(vm, table, from, n, (unsigned)used, clears ? 0 : n);
    vmm_spend(vm, n);
    return true;
}
