// SPDX-License-Identifier: MIT
#include "compare.h"

#include "page.h"
#include "table.h"

#define STEPS_MAX 1024u // of one DIFF: an entry, or four that are equal to the bit
#define SPOTS_MAX 4096u // of one MAPS

// Whether two entries that are no tables allow the same with the same frames. Device memory is no
// contents: as good as nothing.
static bool is_alike(pte_t a, pte_t b)
{
    if (pte_is_device(a) || pte_is_device(b))
        return (pte_is_device(a) || pte_is_empty(a)) && (pte_is_device(b) || pte_is_empty(b));
    if (pte_is_empty(a) || pte_is_empty(b))
        return pte_is_empty(a) && pte_is_empty(b);
    if (pte_prot(a) != pte_prot(b) || pte_is_lazy(a) != pte_is_lazy(b) ||
        pte_is_paged(a) != pte_is_paged(b))
        return false;
    return pte_is_lazy(a) || pte_address(a) == pte_address(b);
}

// One tree's part of what is compared: a table, or what its entries would be parts of.
struct side {
    pfn_t table; // PFN_NONE: there is none
    pte_t whole;
};

// What lies below an entry at `level`.
static struct side side_below(const struct vmm *vm, pte_t e, unsigned level)
{
    pfn_t table = frame_number(pte_address(e));
    if (!pte_is_table(e, level))
        return (struct side){PFN_NONE, e};
    return (struct side){frame_of(vm, table)->flags & FRAME_BARE ? PFN_NONE : table, PTE_NONE};
}

static pte_t side_entry(const struct vmm *vm, const struct side *s, unsigned level, unsigned i)
{
    return s->table.n ? table_load(vm, s->table, i) : pte_part(s->whole, level + 1, i);
}

// A walk through two trees at once, which stands at page `found.next`.
struct walk {
    const struct vmm *vm;
    struct stretch found;
    uint64_t last;
    unsigned steps;
    bool ends;
};

// From the cursor to `end` the trees differ, or agree.
static void walk_on(struct walk *w, uint64_t end, bool differs)
{
    struct stretch *f = &w->found;
    w->ends = (!differs && f->n_pages) || ++w->steps >= STEPS_MAX;
    if (!differs && f->n_pages)
        return;
    if (end > w->last)
        end = w->last + 1;
    if (differs && !f->n_pages)
        f->start = f->next;
    f->n_pages += differs ? end - f->next : 0;
    f->next = end;
}

// How many entries from `i` on are the same to the bit, as most are. At least one side is a table.
static unsigned count_equal(const struct vmm *vm, const struct side *a, const struct side *b,
                            unsigned i)
{
    const struct side *other = a->table.n ? b : a;
    const pte_t *entries = table_entries(vm, a->table.n ? a->table : b->table);
    const pte_t *others = table_entries(vm, other->table);
    unsigned first = i;
    if (!other->table.n)
        return pte_is_empty(other->whole) ? table_next(entries, i, PTE_ENTRIES) - i : 0;
    while (i < PTE_ENTRIES && entries[i].bits == others[i].bits)
        i++;
    return i - first;
}

// Compares two tables at `level` from the cursor on.
static void walk_tables(struct walk *w, const struct side *a, const struct side *b, unsigned level)
{
    uint64_t span = pt_span(level), end = (w->found.next | (pt_span(level + 1) - 1)) + 1;
    while (w->found.next < end && w->found.next <= w->last && !w->ends) {
        uint64_t start = w->found.next & ~(span - 1);
        unsigned i = table_index(start, level), n = count_equal(w->vm, a, b, i);
        struct side below_a = side_below(w->vm, side_entry(w->vm, a, level, i), level);
        struct side below_b = side_below(w->vm, side_entry(w->vm, b, level, i), level);
        w->steps += n / 4;
        if (n)
            walk_on(w, start + n * span, false);
        else if (below_a.table.n != below_b.table.n)
            walk_tables(w, &below_a, &below_b, level - 1);
        else
            walk_on(w, start + span, !is_alike(below_a.whole, below_b.whole));
    }
}

status_t compare_trees(const struct vmm *vm, pfn_t a, pfn_t b, uint64_t from, uint64_t last,
                       struct stretch *found)
{
    struct walk w = {.vm = vm, .found = {.next = from}, .last = last};
    struct side side_a = {a, PTE_NONE}, side_b = {b, PTE_NONE};
    if (a.n != b.n && from <= last)
        walk_tables(&w, &side_a, &side_b, vm->state->levels);
    *found = w.found;
    return w.found.n_pages || w.found.next > last || a.n == b.n ? OK : E_MORE;
}

unsigned spot_attributes(const struct vmm *vm, const struct spot *spot)
{
    pte_t e = spot->pte;
    if (pte_is_empty(e))
        return 0;
    if (pte_is_lazy(e))
        return pte_prot(e) | PAGE_LAZY;
    if (pte_is_paged(e))
        return pte_prot(e) | PAGE_PAGED;
    unsigned attributes = pte_prot(e) | PAGE_MAPPED;
    if (e.bits & PTE_SHARED)
        attributes |= PAGE_SHARED;
    else if (spot->is_joint || !page_is_sole(vm, frame_number(pte_address(e)), spot->level))
        attributes |= PAGE_COW;
    if (spot->level > 1)
        attributes |= spot->level == 2 ? PAGE_2M : PAGE_1G;
    if (pte_is_device(e))
        attributes |= PAGE_DEVICE;
    return attributes;
}

// No table is empty but what revokes left, so that the first entry that is not empty is some tables
// away at most.
void find_run(const struct vmm *vm, pfn_t root, uint64_t from, uint64_t last, struct stretch *found,
              struct spot *spot)
{
    struct stretch s = {.next = from};
    unsigned wanted = 0, steps = 0;
    while (s.next <= last && steps < SPOTS_MAX) {
        struct spot here = pt_find(vm, root, s.next);
        uint64_t end = here.start + pt_span(here.level);
        unsigned attributes = spot_attributes(vm, &here);
        if (s.n_pages && attributes != wanted)
            break;
        if (attributes && !s.n_pages) {
            wanted = attributes;
            s.start = s.next;
            *spot = here;
        }
        steps += attributes != 0;
        s.n_pages += attributes ? (end <= last ? end : last + 1) - s.next : 0;
        s.next = end;
    }
    *found = s;
}
