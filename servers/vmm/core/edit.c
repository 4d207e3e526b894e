// SPDX-License-Identifier: MIT
#include "edit.h"

#include "account.h"
#include "table.h"

enum verdict { SKIP, HERE, DESCEND };

// What to do with an entry: the plan and the commit ask the same. Tables are descended into, other
// entries that the range covers in part are split.
static enum verdict edit_judge(const struct edit *e, pte_t pte, unsigned level, bool is_whole)
{
    bool is_table = pte_is_table(pte, level);
    switch (e->kind) {
    case EDIT_MAP:
        return is_whole && (e->is_lazy || level == e->page_level) ? HERE : DESCEND;
    case EDIT_PLACE:
        return level == 1 ? HERE : DESCEND;
    case EDIT_UNMAP:
        return pte_is_empty(pte) ? SKIP : is_whole ? HERE : DESCEND;
    case EDIT_PROTECT:
        return pte_is_empty(pte) ? SKIP : is_whole && !is_table ? HERE : DESCEND;
    default: // EDIT_OWN
        if (pte_is_empty(pte))
            return e->fills ? HERE : SKIP;
        if (is_table || !pte_is_lazy(pte))
            return is_whole && !is_table ? HERE : DESCEND;
        if (!e->fills)
            return SKIP;
        return is_whole && level == pte_lazy_level(pte) ? HERE : DESCEND;
    }
}

// Whether OWN leaves the page as it is, but for its rights. `is_joint`: the table has other
// parents, so after the path is copied the page is in two tables.
static bool own_keeps(const struct vmm *vm, const struct edit *e, pte_t pte, unsigned level,
                      bool is_joint)
{
    if (pte.bits & PTE_DEVICE || (pte.bits & PTE_SHARED && !e->takes))
        return true;
    return !is_joint && page_is_sole(vm, frame_number(pte_address(pte)), level);
}

static void plan_here(struct vmm *vm, struct edit *e, pte_t pte, unsigned level, bool is_joint)
{
    switch (e->kind) {
    case EDIT_MAP:
        if (!e->is_lazy)
            e->need[level - 1]++;
        break;
    case EDIT_PROTECT:
        if (e->prot & ~pte_max(pte))
            e->status = E_RIGHT;
        break;
    case EDIT_OWN:
        if (pte_is_empty(pte))
            e->status = E_FAULT;
        else if (e->prot & ~pte_max(pte))
            e->status = E_RIGHT;
        else if (pte_is_lazy(pte) || !own_keeps(vm, e, pte, level, is_joint))
            e->need[level - 1]++;
        break;
    default:
        break;
    }
}

// Counts the frames that the commit will take below a table: the table itself, or the one that will
// be filled with the parts of `fill`.
static void plan_table(struct vmm *vm, struct edit *e, const pte_t *entries, pte_t fill,
                       unsigned level, uint64_t first, uint64_t last, bool is_joint)
{
    struct step s = step_first(first, last, level);
    for (; s.is_valid && e->status == OK; s = step_next(s, level)) {
        pte_t pte = entries ? entries[s.i] : pte_part(fill, level + 1, s.i);
        switch (edit_judge(e, pte, level, s.is_whole)) {
        case SKIP:
            break;
        case HERE:
            plan_here(vm, e, pte, level, is_joint);
            break;
        case DESCEND:
            if (pte_is_table(pte, level)) {
                pfn_t child = frame_number(pte_address(pte));
                bool joint = is_joint || frame_of(vm, child)->refs > 1;
                e->need[0] += joint;
                plan_table(vm, e, table_entries(vm, child), PTE_NONE, level - 1, s.from, s.to,
                           joint);
            } else {
                e->need[0]++;
                plan_table(vm, e, NULL, pte, level - 1, s.from, s.to, is_joint);
            }
        }
    }
}

status_t edit_prepare(struct vmm *vm, struct edit *e)
{
    // What cannot be is refused before any walk, however long the range.
    uint64_t pages = e->kind == EDIT_MAP && !e->is_lazy ? e->last - e->first + 1 : 0;
    e->status = account_check(vm, e->account, pages);
    if (e->status == OK && pages > vm->state->n_free)
        e->status = E_NOMEM;
    plan_table(vm, e, table_entries(vm, e->root), PTE_NONE, vm->state->levels, e->first, e->last,
               e->is_joint);
    if (e->status != OK)
        return e->status;
    return reserve_fill(vm, &e->reserve, e->account, e->need);
}

static void edit_flush(struct vmm *vm, const struct edit *e, uint64_t page)
{
    flush_page(vm, frame_address(e->root), page << PAGE_SHIFT);
}

// Writes a new entry over a page or nothing. A translation that may be cached and is no longer
// right in every respect is flushed; one that only gains rights is not.
static void edit_store(struct vmm *vm, const struct edit *e, pfn_t table, unsigned i, uint64_t page,
                       pte_t new)
{
    pte_t old = table_load(vm, table, i);
    bool lost_w = old.bits & PTE_W && !(new.bits &PTE_W);
    bool lost_x = !(old.bits & PTE_NX) && new.bits &PTE_NX;
    table_store(vm, table, i, new);
    if (pte_is_present(old) &&
        (!pte_is_present(new) || lost_w || lost_x || pte_address(old) != pte_address(new)))
        edit_flush(vm, e, page);
}

// Gives up what an entry that was overwritten or will be refers to.
static void release_entry(struct vmm *vm, const struct edit *e, pte_t old, unsigned level)
{
    pfn_t pfn = frame_number(pte_address(old));
    if (pte_is_table(old, level)) {
        flush_space(vm, frame_address(e->root));
        pt_drop(vm, pfn, level - 1);
    } else if (pte_has_page(old)) {
        page_drop(vm, pfn, level);
    }
}

static pfn_t take_page(struct vmm *vm, struct edit *e, unsigned level)
{
    pfn_t pfn = reserve_take(vm, &e->reserve, level, FRAME_PAGE);
    page_hold(vm, pfn, level);
    return pfn;
}

static pte_t new_page(struct vmm *vm, struct edit *e, unsigned level, unsigned prot, unsigned max,
                      uint64_t flags)
{
    pfn_t pfn = take_page(vm, e, level);
    frame_zero(vm, pfn, 9 * (level - 1));
    return pte_page(frame_address(pfn), level, prot, max, flags, true);
}

// What a page becomes that OWN makes this space's own.
static pte_t own_page(struct vmm *vm, struct edit *e, pte_t pte, unsigned level)
{
    uint64_t flags = e->shares ? PTE_SHARED : 0;
    unsigned prot = pte_prot(pte), max = pte_max(pte);
    if (pte_is_lazy(pte))
        return new_page(vm, e, level, prot, max, flags);
    pfn_t pfn = frame_number(pte_address(pte));
    bool is_sole = page_is_sole(vm, pfn, level);
    flags |= pte.bits & (e->takes ? PTE_DEVICE : PTE_DEVICE | PTE_SHARED);
    if (!own_keeps(vm, e, pte, level, false)) {
        pfn_t old = pfn;
        pfn = take_page(vm, e, level);
        frame_copy(vm, pfn, old, 9 * (level - 1));
        page_drop(vm, old, level);
        is_sole = true;
    }
    return pte_page(frame_address(pfn), level, prot, max, flags, is_sole);
}

static pte_t placed_page(struct vmm *vm, const struct edit *e, uint64_t page)
{
    pfn_t pfn = {(uint32_t)(e->source + (page - e->first))};
    unsigned max = e->max;
    uint64_t flags = e->shares ? PTE_SHARED : 0;
    if (e->source_root.n) {
        uint64_t from = e->source + (page - e->first);
        struct spot spot = pt_find(vm, e->source_root, from);
        pfn = (pfn_t){frame_number(pte_address(spot.pte)).n + (uint32_t)(from - spot.start)};
        max &= pte_max(spot.pte);
        flags |= spot.pte.bits & PTE_DEVICE;
    }
    page_hold(vm, pfn, 1);
    return pte_page(frame_address(pfn), 1, e->prot, max, flags, e->is_sole);
}

static void commit_here(struct vmm *vm, struct edit *e, pfn_t table, unsigned level,
                        const struct step *s)
{
    pte_t old = table_load(vm, table, s->i), new = PTE_NONE;
    switch (e->kind) {
    case EDIT_MAP:
        new = e->is_lazy ? pte_lazy(e->page_level, e->prot, e->max)
                         : new_page(vm, e, level, e->prot, e->max, 0);
        break;
    case EDIT_PLACE:
        new = placed_page(vm, e, s->from);
        break;
    case EDIT_UNMAP:
        break;
    case EDIT_PROTECT:
        new = pte_rights(old, e->prot, pte_max(old));
        if (pte_has_page(old))
            new = pte_arm(new, level, page_is_sole(vm, frame_number(pte_address(old)), level));
        break;
    case EDIT_OWN:
        new = own_page(vm, e, old, level);
        break;
    }
    edit_store(vm, e, table, s->i, s->from, new);
    if (e->kind == EDIT_MAP || e->kind == EDIT_UNMAP || e->kind == EDIT_PLACE)
        release_entry(vm, e, old, level);
}

// The table below entry `i`, which is no table or one that has other parents: makes it one of our
// own.
static pfn_t new_child(struct vmm *vm, struct edit *e, pte_t old, unsigned level, uint64_t page)
{
    pfn_t child = reserve_take(vm, &e->reserve, 1, FRAME_TABLE);
    frame_of(vm, child)->refs = 1;
    if (pte_is_table(old, level)) {
        pfn_t joint = frame_number(pte_address(old));
        frame_zero(vm, child, 0);
        table_copy(vm, joint, child);
        frame_of(vm, joint)->refs--;
    } else {
        table_fill(vm, child, level, old);
    }
    if (pte_is_present(old))
        edit_flush(vm, e, page); // the old path, or large page, may be cached
    return child;
}

static pfn_t own_child(struct vmm *vm, struct edit *e, pfn_t table, unsigned level,
                       const struct step *s)
{
    pte_t old = table_load(vm, table, s->i);
    pfn_t child = frame_number(pte_address(old));
    if (!pte_is_table(old, level) || frame_of(vm, child)->refs > 1)
        child = new_child(vm, e, old, level, s->from);
    else if (old.bits & PTE_W)
        return child;
    table_store(vm, table, s->i, pte_table(frame_address(child), true));
    return child;
}

static void commit_table(struct vmm *vm, struct edit *e, pfn_t table, unsigned level,
                         uint64_t first, uint64_t last)
{
    for (struct step s = step_first(first, last, level); s.is_valid; s = step_next(s, level)) {
        pte_t pte = table_load(vm, table, s.i);
        enum verdict verdict = edit_judge(e, pte, level, s.is_whole);
        if (verdict == HERE)
            commit_here(vm, e, table, level, &s);
        if (verdict != DESCEND)
            continue;
        pfn_t child = own_child(vm, e, table, level, &s);
        commit_table(vm, e, child, level - 1, s.from, s.to);
        if (!frame_of(vm, child)->used) {
            table_store(vm, table, s.i, PTE_NONE);
            edit_flush(vm, e, s.from); // the path to it may be cached
            frame_free(vm, child, 0);
        }
    }
}

void edit_commit(struct vmm *vm, struct edit *e)
{
    commit_table(vm, e, e->root, vm->state->levels, e->first, e->last);
    reserve_drop(vm, &e->reserve);
}

void edit_cancel(struct vmm *vm, struct edit *e)
{
    reserve_drop(vm, &e->reserve);
}
