// SPDX-License-Identifier: MIT
// Entries in a row of one table at level 1: what an edit of thousands of small pages does with them,
// in few instructions a page. The table is the space's own.
#pragma once

#include "edit.h"

struct run {
    pfn_t table;
    unsigned from, n; // entries
    uint64_t page;    // that the first of them is for
};

// Whether runs do this kind of edit.
static inline bool run_can(const struct edit *e)
{
    return e->kind == EDIT_MAP || e->kind == EDIT_UNMAP || e->kind == EDIT_PROTECT;
}

// What a page of it costs, in units.
static inline int64_t run_work(const struct edit *e)
{
    return e->kind == EDIT_MAP && !e->is_lazy ? WORK_PAGE : e->kind == EDIT_PROTECT ? 1 : WORK_FREE;
}

// What may fail: E_EXISTS, E_RIGHT. Counts the frames that run_commit() takes. Without a table: in one
// that will be filled with parts of `fill`.
must_check status_t run_plan(struct vmm *vm, struct edit *e, const struct run *r, pte_t fill);

void run_commit(struct vmm *vm, struct edit *e, const struct run *r);

// Writes `new`, which is lazy, paged or empty, over the pages at once if they are a row of entries, at
// whatever level, of a table of the space's own, where nothing is yet, or, if `new` is empty, nothing
// with a frame. False: nothing was changed.
bool run_at_once(struct vmm *vm, pfn_t root, uint64_t first, uint64_t last, pte_t new);

// Whether a translation that may be cached of `old` is not right any more if `new` takes its place.
static inline bool pte_loses(pte_t old, pte_t new)
{
    bool lost_w = old.bits & PTE_W && !(new.bits &PTE_W);
    bool lost_x = !(old.bits & PTE_NX) && new.bits &PTE_NX;
    return pte_is_present(old) &&
           (!pte_is_present(new) || lost_w || lost_x || pte_address(old) != pte_address(new));
}
