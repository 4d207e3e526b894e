// SPDX-License-Identifier: MIT
#include "compare.h"

#include "page.h"
#include "table.h"

#define STEPS_MAX 4096u // of one request

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

// The entry for `page` in the table that `e` points to at `level`, or in the one that it would be
// split into.
static pte_t entry_below(const struct vmm *vm, pte_t e, unsigned level, uint64_t page)
{
    unsigned i = table_index(page, level - 1);
    if (!pte_is_table(e, level))
        return pte_part(e, level, i);
    pte_t below = table_load(vm, frame_number(pte_address(e)), i);
    bool is_bare = pte_is_table(below, level - 1) &&
                   frame_of(vm, frame_number(pte_address(below)))->flags & FRAME_BARE;
    return is_bare ? PTE_NONE : below;
}

// Walks down both trees until it is clear whether they agree on a page. Answers where the stretch
// ends for which that holds.
static uint64_t compare_at(const struct vmm *vm, pfn_t a, pfn_t b, uint64_t page, bool *differs)
{
    pte_t ea = pte_table(frame_address(a), false), eb = pte_table(frame_address(b), false);
    for (unsigned level = vm->state->levels + 1;; level--) {
        uint64_t end = (page | (pt_span(level) - 1)) + 1;
        bool is_table_a = pte_is_table(ea, level), is_table_b = pte_is_table(eb, level);
        *differs = true;
        if (!is_table_a && !is_table_b)
            *differs = !is_alike(ea, eb);
        else if (is_table_a && is_table_b && pte_address(ea) == pte_address(eb))
            *differs = false;
        if (!*differs || (!is_table_a && !is_table_b))
            return end;
        ea = entry_below(vm, ea, level, page);
        eb = entry_below(vm, eb, level, page);
    }
}

status_t compare_trees(const struct vmm *vm, pfn_t a, pfn_t b, uint64_t from, uint64_t last,
                       struct stretch *found)
{
    struct stretch s = {.next = from};
    bool differs = false;
    unsigned steps = 0;
    while (s.next <= last && steps++ < STEPS_MAX) {
        uint64_t end = compare_at(vm, a, b, s.next, &differs);
        if (end > last)
            end = last + 1;
        if (!differs && s.n_pages)
            break;
        if (differs && !s.n_pages)
            s.start = s.next;
        s.n_pages += differs ? end - s.next : 0;
        s.next = end;
    }
    *found = s;
    return s.n_pages || s.next > last ? OK : E_MORE;
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
    while (s.next <= last && steps < STEPS_MAX) {
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
