// SPDX-License-Identifier: MIT
#include "edit.h"

#include "link.h"
#include "page.h"
#include "plan.h"
#include "run.h"

static void edit_flush(struct vmm *vm, const struct edit *e, uint64_t page)
{
    if (!e->is_unseen)
        flush_pages(vm, frame_address(e->root), page << PAGE_SHIFT, 1);
}

static void edit_flush_tables(struct vmm *vm, const struct edit *e, uint64_t page)
{
    if (!e->is_unseen)
        flush_tables(vm, frame_address(e->root), page << PAGE_SHIFT);
}

// Writes a new entry over a page or nothing.
static void edit_store(struct vmm *vm, const struct edit *e, pfn_t table, unsigned i, uint64_t page,
                       pte_t new)
{
    pte_t old = table_load(vm, table, i);
    table_store(vm, table, i, new);
    if (pte_is_linked(old) && !pte_is_linked(new))
        link_clear(vm, table, i, 1);
    if (pte_loses(old, new))
        edit_flush(vm, e, page);
}

// Gives up what an entry that was overwritten or will be refers to.
static void release_entry(struct vmm *vm, const struct edit *e, pte_t old, unsigned level)
{
    pfn_t pfn = frame_number(pte_address(old));
    if (pte_is_table(old, level)) {
        flush_space(vm, frame_address(e->root));
        pt_drop(vm, pfn);
    } else if (pte_has_page(old)) {
        page_drop(vm, pfn, level);
    }
}

static void fill_frame(struct vmm *vm, pfn_t to, pfn_t from)
{
    vmm_spend(vm, WORK_PAGE);
    if (from.n)
        frame_copy(vm, to, from);
    else
        frame_zero(vm, to);
}

// Whether the commit makes a page in the place of `pte`, and of which frames, if not of zeros.
static bool edit_makes_page(const struct vmm *vm, const struct edit *e, pte_t pte, unsigned level,
                            pfn_t *from)
{
    *from = PFN_NONE;
    if (e->kind != EDIT_OWN)
        return e->kind == EDIT_MAP && !e->is_lazy;
    if (pte_is_lazy(pte))
        return true;
    *from = frame_number(pte_address(pte));
    return !edit_keeps(vm, e, pte, level, false);
}

// How many of `n` things of so many units each there is work left for: one at least.
static uint64_t work_share(const struct vmm *vm, uint64_t n, int64_t units)
{
    uint64_t most = vm->left > 0 ? (uint64_t)(vm->left / units) + 1 : 1;
    return most < n ? most : n;
}

// Zeroes or copies the block for a large page, which is the next in the reserve, in steps: nobody
// sees it before. True if it is ready.
static bool fill_block(struct vmm *vm, struct edit *e, uint64_t page, unsigned level, pfn_t from)
{
    pfn_t to = e->reserve.large[level - 2];
    if (e->filling != page)
        e->filled = 0;
    uint64_t n = work_share(vm, pt_span(level) - e->filled, WORK_PAGE);
    uint32_t at = (uint32_t)e->filled;
    if (from.n)
        frames_copy(vm, (pfn_t){to.n + at}, (pfn_t){from.n + at}, n);
    else
        frames_zero(vm, (pfn_t){to.n + at}, n);
    vmm_spend(vm, (int64_t)n * WORK_PAGE);
    e->filling = page;
    e->filled += n;
    bool is_ready = e->filled == pt_span(level);
    if (is_ready)
        e->filled = 0;
    return is_ready;
}

static pfn_t take_page(struct vmm *vm, struct edit *e, unsigned level)
{
    pfn_t pfn = reserve_take(vm, &e->reserve, level, FRAME_PAGE);
    page_hold(vm, pfn, level);
    return pfn;
}

// A large page has been filled already.
static pte_t new_page(struct vmm *vm, struct edit *e, unsigned level, unsigned prot, unsigned max,
                      uint64_t flags)
{
    pfn_t pfn = take_page(vm, e, level);
    if (level == 1)
        fill_frame(vm, pfn, PFN_NONE);
    return pte_page(frame_address(pfn), level, prot, max, flags, !(e->in_steps && e->takes));
}

// What a page becomes that OWN makes this space's own.
static pte_t own_page(struct vmm *vm, struct edit *e, pte_t pte, unsigned level)
{
    uint64_t flags = e->shares ? PTE_SHARED : 0;
    unsigned prot = pte_prot(pte), max = pte_max(pte);
    if (pte_is_device(pte))
        return pte;
    if (pte_is_lazy(pte))
        return new_page(vm, e, level, prot, max, flags);
    pfn_t pfn = frame_number(pte_address(pte));
    bool is_sole = page_is_sole(vm, pfn, level);
    if (!e->takes)
        flags |= pte.bits & (PTE_SHARED | PTE_LINKED);
    if (!edit_keeps(vm, e, pte, level, false)) {
        pfn_t old = pfn;
        pfn = take_page(vm, e, level);
        if (level == 1)
            fill_frame(vm, pfn, old);
        is_sole = true;
    }
    return pte_page(frame_address(pfn), level, prot, max, flags,
                    is_sole && !(e->in_steps && e->takes));
}

static pte_t placed_page(struct vmm *vm, const struct edit *e, uint64_t page, unsigned level)
{
    uint64_t from = edit_place_from(e, page);
    pfn_t pfn = {(uint32_t)from};
    unsigned max = e->max;
    uint64_t flags = (e->shares ? PTE_SHARED : 0) | (e->is_device ? PTE_DEVICE : 0) |
                     (e->grant ? PTE_LINKED : 0);
    if (e->source_root.n) {
        struct spot spot = pt_find(vm, e->source_root, from);
        if (!pte_is_leaf(spot.pte))
            return PTE_NONE; // it was revoked meanwhile
        pfn = (pfn_t){frame_number(pte_address(spot.pte)).n + (uint32_t)(from - spot.start)};
        max &= pte_max(spot.pte);
        flags |= spot.pte.bits & PTE_DEVICE;
    }
    if (!(flags & PTE_DEVICE))
        page_hold(vm, pfn, level);
    return pte_page(frame_address(pfn), level, e->prot, max, flags, e->is_sole && !e->in_steps);
}

// The via of what is placed at `page`.
static record_t place_via(struct vmm *vm, struct edit *e, uint64_t page)
{
    record_t parent = edit_lineage(vm, e, page)->parent;
    if (!e->lineage.via)
        e->lineage.via = via_find(vm, e->grant, parent);
    if (!e->lineage.via)
        e->lineage.via = via_add(vm, e->grant, parent, &e->vias);
    return e->lineage.via;
}

static void commit_here(struct vmm *vm, struct edit *e, pfn_t table, unsigned level,
                        const struct step *s)
{
    pte_t old = table_load(vm, table, s->i), new = PTE_NONE;
    pfn_t from;
    if (level > 1 && edit_makes_page(vm, e, old, level, &from) &&
        !fill_block(vm, e, s->from, level, from)) {
        edit_pause(vm, e, s->from);
        return;
    }
    switch (e->kind) {
    case EDIT_MAP:
        new = e->is_lazy ? edit_lazy_entry(e) : new_page(vm, e, level, e->prot, e->max, 0);
        break;
    case EDIT_PLACE:
        new = placed_page(vm, e, s->from, level);
        vmm_spend(vm, WORK_FIND);
        break;
    case EDIT_UNMAP:
        break;
    case EDIT_PROTECT:
        new = pte_rights(old, e->prot, pte_max(old));
        if (pte_is_leaf(old))
            new = pte_arm(new, level,
                          pte_has_page(old) &&
                              page_is_sole(vm, frame_number(pte_address(old)), level));
        break;
    case EDIT_OWN:
        new = own_page(vm, e, old, level);
        break;
    }
    edit_store(vm, e, table, s->i, s->from, new);
    if (pte_is_device(new))
        frame_of(vm, table)->flags |= FRAME_DEVICE;
    if (e->kind == EDIT_PLACE && e->grant)
        link_set(vm, table, s->i, place_via(vm, e, s->from), &e->reserve.links);
    // Behind edit_store(): what is given up while no flush is pending is free at once.
    bool is_copied =
        e->kind == EDIT_OWN && pte_has_page(old) && pte_address(old) != pte_address(new);
    if (e->kind == EDIT_MAP || e->kind == EDIT_UNMAP || e->kind == EDIT_PLACE || is_copied)
        release_entry(vm, e, old, level);
}

// For want of a block smaller pages come here: what is there goes first, so it is neither split nor
// copied.
static void make_room(struct vmm *vm, struct edit *e, pfn_t table, unsigned level,
                      const struct step *s)
{
    pte_t old = table_load(vm, table, s->i);
    edit_store(vm, e, table, s->i, s->from, PTE_NONE);
    release_entry(vm, e, old, level);
}

// A table of our own in place of one that has other parents, or of no table.
static pfn_t new_child(struct vmm *vm, struct edit *e, pfn_t table, unsigned level,
                       const struct step *s)
{
    pte_t old = table_load(vm, table, s->i);
    pfn_t child = reserve_take(vm, &e->reserve, 1, FRAME_TABLE);
    frame_of(vm, child)->refs = 1;
    vmm_spend(vm, WORK_MANY);
    if (pte_is_table(old, level)) {
        pfn_t joint = frame_number(pte_address(old));
        table_copy(vm, joint, child);
        link_copy(vm, joint, child, &e->reserve.links);
        frame_of(vm, joint)->refs--;
        edit_flush_tables(vm, e, s->from);
    } else {
        table_fill(vm, child, level, old);
        if (pte_is_linked(old))
            link_split(vm, table, s->i, child, &e->reserve.links);
        if (pte_is_present(old))
            edit_flush(vm, e, s->from);
    }
    return child;
}

// The table to descend into below entry `i`, made our own; or PFN_NONE if there is nothing to do.
static pfn_t own_child(struct vmm *vm, struct edit *e, pfn_t table, unsigned level,
                       const struct step *s)
{
    pte_t old = table_load(vm, table, s->i);
    pfn_t child = frame_number(pte_address(old));
    bool is_table = pte_is_table(old, level);
    if (is_table && old.bits & PTE_W)
        return child;
    bool is_joint = is_table && frame_of(vm, child)->refs > 1;
    if (is_joint && edit_is_idle(vm, e, child, level - 1, s))
        return PFN_NONE;
    if (is_joint || !is_table)
        child = new_child(vm, e, table, level, s);
    table_store(vm, table, s->i, pte_table(frame_address(child), true));
    return child;
}

// Takes out the table below entry `i` if it is empty, or puts one entry in its place if that says
// the same and the edit will not come back for more of it. True if so.
static bool close_child(struct vmm *vm, struct edit *e, pfn_t table, unsigned level, uint64_t page,
                        pfn_t child)
{
    bool is_wanted = e->takes; // as it is, for its entries are about to go
    bool comes_back = e->status == E_MORE && !((e->cursor ^ page) >> 9 * (level - 1));
    bool is_empty = !frame_of(vm, child)->used;
    bool keeps_size = e->kind == EDIT_MAP && !e->is_lazy && !e->falls_back;
    pte_t whole = PTE_NONE;
    if (is_empty && comes_back && e->kind != EDIT_UNMAP) {
        frame_of(vm, child)->flags |= FRAME_BARE; // its first page is not ready
        return false;
    }
    if (!is_empty &&
        (keeps_size || is_wanted || comes_back || !table_join(vm, child, level, &whole)))
        return false;
    table_store(vm, table, table_index(page, level), whole);
    if (pte_is_present(whole))
        flush_space(vm, frame_address(e->root));
    else
        edit_flush_tables(vm, e, page);
    if (is_empty)
        frame_free_zero(vm, child);
    else
        frame_free(vm, child);
    return true;
}

// What lies below a table, lies below its parent.
static void table_mark(struct vmm *vm, pfn_t table, pfn_t child)
{
    frame_of(vm, table)->flags |= frame_of(vm, child)->flags & FRAME_DEVICE;
}

static void commit_run(struct vmm *vm, struct edit *e, pfn_t table, uint64_t first, uint64_t last)
{
    unsigned n = (unsigned)work_share(vm, last - first + 1, run_work(e));
    struct run run = {table, table_index(first, 1), n, first};
    run_commit(vm, e, &run);
    vmm_spend(vm, run.n * run_work(e));
    edit_pause(vm, e, first + run.n);
}

static void commit_table(struct vmm *vm, struct edit *e, pfn_t table, unsigned level,
                         uint64_t first, uint64_t last)
{
    if (level == 1 && run_can(e)) {
        commit_run(vm, e, table, first, last);
        return;
    }
    struct step s = edit_seek(vm, e, table, level, step_first(first, last, level));
    for (; s.is_valid && e->status == OK; s = edit_seek(vm, e, table, level, step_next(s, level))) {
        pte_t pte = table_load(vm, table, s.i);
        enum verdict verdict = edit_judge(vm, e, pte, level, &s);
        pfn_t child = PFN_NONE;
        vmm_spend(vm, WORK_LOOK);
        if (verdict == DESCEND && e->kind == EDIT_MAP && s.is_whole && level <= e->page_level &&
            !pte_is_own_table(pte))
            make_room(vm, e, table, level, &s);
        if (verdict == HERE)
            commit_here(vm, e, table, level, &s);
        else if (verdict == DESCEND)
            child = own_child(vm, e, table, level, &s);
        if (child.n) {
            commit_table(vm, e, child, level - 1, s.from, s.to);
            if (e->kind == EDIT_PLACE)
                table_mark(vm, table, child);
            close_child(vm, e, table, level, s.from, child);
        }
        edit_pause(vm, e, s.to + 1);
    }
}

status_t edit_commit(struct vmm *vm, struct edit *e)
{
    struct path path;
    uint64_t first = edit_start(e);
    e->status = OK;
    e->lineage = (struct lineage){.first = 1}; // what was known may have been revoked
    edit_path(vm, e, first, &path);
    commit_table(vm, e, path.table[path.level], path.level, first, e->last);
    for (unsigned level = path.level + 1; level <= vm->state->levels && e->kind == EDIT_PLACE;
         level++)
        table_mark(vm, path.table[level], path.table[level - 1]);
    for (unsigned level = path.level + 1; level <= vm->state->levels; level++)
        if (!close_child(vm, e, path.table[level], level, first, path.table[level - 1]))
            break;
    if (e->status == OK)
        edit_cancel(vm, e);
    return e->status;
}

void edit_commit_all(struct vmm *vm, struct edit *e)
{
    int64_t left = vm->left;
    vm->left = INT64_MAX;
    status_t status = edit_commit(vm, e);
    invariant(status == OK);
    vm->left = left - e->work;
}

void edit_cancel(struct vmm *vm, struct edit *e)
{
    reserve_drop(vm, &e->reserve);
    if (e->vias)
        link_unreserve(vm, &e->vias);
}
