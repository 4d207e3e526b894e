// SPDX-License-Identifier: MIT
#include "edit.h"

#include "account.h"
#include "link.h"
#include "page.h"
#include "run.h"
#include "table.h"

enum verdict { SKIP, HERE, DESCEND };

// Where PLACE's page comes from: a page number in the source's space.
static uint64_t place_from(const struct edit *e, uint64_t page)
{
    return e->source + (page - e->first);
}

// Whether PLACE's source has, or will have when its lazy pages are made real, all that an entry of
// `level` needs in one piece.
static bool place_is_large(const struct vmm *vm, const struct edit *e, uint64_t page,
                           unsigned level)
{
    uint64_t from = place_from(e, page);
    if (level > e->page_level || from & (pt_span(level) - 1))
        return false;
    if (!e->source_root.n)
        return true;
    struct spot spot = pt_find(vm, e->source_root, from);
    return level <= (pte_is_lazy(spot.pte) ? pte_lazy_level(spot.pte) : spot.level);
}

// Whether OWN leaves the page as it is, but for its rights. `is_joint`: the table has other
// parents, so after the path is copied the page is in two tables.
static bool own_keeps(const struct vmm *vm, const struct edit *e, pte_t pte, unsigned level,
                      bool is_joint)
{
    if (pte.bits & PTE_SHARED && !e->takes)
        return true;
    return !is_joint && page_is_sole(vm, frame_number(pte_address(pte)), level);
}

// In the commit: whether a page of this size must be made of smaller ones, as no block was had.
static bool lacks_block(const struct edit *e, unsigned level)
{
    return e->is_planned && level > 1 && !reserve_has(&e->reserve, level);
}

static enum verdict judge_own(const struct vmm *vm, const struct edit *e, pte_t pte, unsigned level,
                              bool is_whole)
{
    bool is_lazy = pte_is_lazy(pte);
    // A hole in the commit is what was revoked meanwhile.
    if (pte_is_empty(pte) || pte_is_paged(pte) || pte_is_device(pte))
        return e->fills && !(e->is_planned && pte_is_empty(pte)) ? HERE : SKIP;
    if (is_lazy && !e->fills)
        return SKIP;
    if (!is_whole || pte_is_table(pte, level) || (is_lazy && level != pte_lazy_level(pte)))
        return DESCEND;
    return lacks_block(e, level) && (is_lazy || !own_keeps(vm, e, pte, level, false)) ? DESCEND
                                                                                      : HERE;
}

// What to do with an entry: the plan and the commit ask the same. Tables are descended into, other
// entries that the range covers in part are split.
static enum verdict edit_judge(const struct vmm *vm, const struct edit *e, pte_t pte,
                               unsigned level, const struct step *s)
{
    switch (e->kind) {
    case EDIT_MAP:
        if (e->is_lazy)
            return s->is_whole ? HERE : DESCEND;
        return s->is_whole && level <= e->page_level && !lacks_block(e, level) ? HERE : DESCEND;
    case EDIT_PLACE:
        return level == 1 || (s->is_whole && place_is_large(vm, e, s->from, level)) ? HERE
                                                                                    : DESCEND;
    case EDIT_UNMAP:
        return pte_is_empty(pte) ? SKIP : s->is_whole ? HERE : DESCEND;
    case EDIT_PROTECT:
        return pte_is_empty(pte) ? SKIP : s->is_whole && !pte_is_table(pte, level) ? HERE : DESCEND;
    default: // EDIT_OWN
        return judge_own(vm, e, pte, level, s->is_whole);
    }
}

static bool passes_holes(const struct edit *e)
{
    return e->kind == EDIT_UNMAP || e->kind == EDIT_PROTECT || (e->kind == EDIT_OWN && !e->fills);
}

// Whether a table that would have to be copied has nothing in it for the edit to change.
static bool is_idle(const struct vmm *vm, const struct edit *e, pfn_t table, unsigned level,
                    const struct step *s)
{
    return passes_holes(e) && table_is_free(vm, table, level, s->from, s->to);
}

// The step at the first entry of the table, from that of `s` on, of which there may be more to say
// than that it is empty.
static struct step edit_seek(struct vmm *vm, const struct edit *e, pfn_t table, unsigned level,
                             struct step s)
{
    if (!s.is_valid || !table.n || !passes_holes(e))
        return s;
    unsigned last = table_index(s.last, level);
    unsigned n = table_next(table_entries(vm, table), s.i, last + 1) - s.i;
    if (!n)
        return s;
    vmm_spend(vm, n / 8);
    s.is_valid = s.i + n <= last;
    return s.is_valid
               ? step_first((s.from & ~(pt_span(level) - 1)) + n * pt_span(level), s.last, level)
               : s;
}

static void plan_page(struct edit *e, unsigned level)
{
    e->need[level - 1]++;
    e->work += (int64_t)pt_span(level) * WORK_PAGE;
}

// What MAP and PLACE may stand on when they do not replace.
static status_t check_place(const struct vmm *vm, const struct edit *e, pte_t pte, unsigned level)
{
    if (e->kind == EDIT_MAP || !e->pager)
        return entry_is_bare(vm, pte, level) ? OK : E_EXISTS;
    if (!pte_is_paged(pte) || pte_pager(pte) != e->pager)
        return E_EXISTS;
    return e->prot & ~pte_prot(pte) ? E_RIGHT : OK;
}

static void plan_here(struct vmm *vm, struct edit *e, pte_t pte, unsigned level, bool is_joint)
{
    switch (e->kind) {
    case EDIT_MAP:
    case EDIT_PLACE:
        if (e->refuses)
            e->status = check_place(vm, e, pte, level);
        if (e->kind == EDIT_MAP && !e->is_lazy)
            plan_page(e, level);
        e->work += WORK_FIND;
        vmm_spend(vm, WORK_FIND);
        break;
    case EDIT_PROTECT:
        if (e->prot & ~pte_max(pte))
            e->status = E_RIGHT;
        break;
    case EDIT_OWN:
        if (pte_is_empty(pte) || pte_is_paged(pte))
            e->status = E_FAULT;
        else if (e->prot & ~pte_max(pte) || (pte_is_device(pte) && e->takes))
            e->status = E_RIGHT;
        else if (pte_is_lazy(pte) || !own_keeps(vm, e, pte, level, is_joint))
            plan_page(e, level);
        break;
    default:
        break;
    }
}

// By which via PLACE's source page came, and for which other pages of the source that is known now.
static const struct lineage *place_lineage(const struct vmm *vm, struct edit *e, uint64_t page)
{
    struct lineage *l = &e->lineage;
    uint64_t from = place_from(e, page);
    if (l->first <= from && from <= l->last)
        return l;
    struct spot spot = pt_find(vm, e->source_root, from);
    bool is_plain = spot.level == 1 && !frame_of(vm, spot.table)->link;
    uint64_t span = pt_span(is_plain ? 2 : spot.level);
    *l = (struct lineage){
        .first = from & ~(span - 1),
        .last = from | (span - 1),
        .parent =
            pte_is_linked(spot.pte) ? link_via(vm, spot.table, table_index(from, spot.level)) : 0,
    };
    return l;
}

// Counts the records that it takes to note where a page came from that will be placed in entry `i`
// of a table, or of one that is not there yet.
static void plan_link(struct vmm *vm, struct edit *e, pfn_t table, unsigned level,
                      const struct step *s)
{
    const struct lineage was = e->lineage, *l = place_lineage(vm, e, s->from);
    uint64_t half = s->from / (pt_span(level) * LINK_ENTRIES) << 2 | level;
    bool is_other = was.parent != l->parent || !e->linked;
    if (!is_other && half == e->linked)
        return;
    record_t via = via_find(vm, e->grant, l->parent);
    bool has_link = via && table.n && link_is_there(vm, table, s->i, via);
    *(via ? &e->spared_vias : &e->need_vias) += is_other;
    *(has_link ? &e->spared_links : &e->need_links) += 1;
    e->linked = half;
}

static void plan_table(struct vmm *vm, struct edit *e, pfn_t table, pte_t fill, unsigned level,
                       uint64_t first, uint64_t last, bool is_joint);

static void plan_new_table(struct edit *e, unsigned n_links)
{
    e->need[0]++;
    e->need_links += n_links;
    e->work += WORK_MANY;
}

// Counts the frames for the table below an entry that is descended into, and below that.
static void plan_child(struct vmm *vm, struct edit *e, pte_t pte, unsigned level,
                       const struct step *s, bool is_joint)
{
    pfn_t child = PFN_NONE;
    // An earlier step went into it, and has counted its table.
    bool is_counted = s->from != e->first && s->from & (pt_span(level) - 1);
    bool is_new = !pte_is_table(pte, level);
    unsigned n_links = is_new && pte_is_linked(pte) ? PTE_ENTRIES / LINK_ENTRIES : 0;
    if (!is_new) {
        child = frame_number(pte_address(pte));
        is_joint |= frame_of(vm, child)->refs > 1;
        if (is_joint && is_idle(vm, e, child, level - 1, s))
            return;
        n_links = is_joint ? link_count(vm, child) : 0;
        pte = PTE_NONE;
    }
    if ((is_new || is_joint) && !is_counted)
        plan_new_table(e, n_links);
    plan_table(vm, e, child, pte, level - 1, s->from, s->to, is_joint);
}

// What was done is done up to `page`. If that is the request's share of work, it goes on there.
static void edit_pause(const struct vmm *vm, struct edit *e, uint64_t page)
{
    if (e->status != OK || !vmm_is_spent(vm) || page > e->last)
        return;
    e->cursor = page;
    e->status = E_MORE;
}

// Counts the frames that the commit will take below a table, or one that will be filled with the
// parts of `fill`.
static void plan_table(struct vmm *vm, struct edit *e, pfn_t table, pte_t fill, unsigned level,
                       uint64_t first, uint64_t last, bool is_joint)
{
    struct step s = step_first(first, last, level);
    if (level == 1 && run_can(e)) {
        struct run run = {table, s.i, (unsigned)(last - first + 1), first};
        e->status = run_plan(vm, e, &run, fill);
        edit_pause(vm, e, last + 1);
        return;
    }
    for (s = edit_seek(vm, e, table, level, s); s.is_valid && e->status == OK;
         s = edit_seek(vm, e, table, level, step_next(s, level))) {
        pte_t pte = table.n ? table_load(vm, table, s.i) : pte_part(fill, level + 1, s.i);
        enum verdict verdict = edit_judge(vm, e, pte, level, &s);
        vmm_spend(vm, 1);
        e->work++;
        if (verdict == HERE)
            plan_here(vm, e, pte, level, is_joint);
        if (verdict == HERE && e->grant)
            plan_link(vm, e, table, level, &s);
        if (verdict == DESCEND)
            plan_child(vm, e, pte, level, &s, is_joint);
        edit_pause(vm, e, s.to + 1);
    }
}

// The tables from the root down to the last one that covers the whole range and, as W all the way
// tells, is the space's own.
struct path {
    unsigned level;
    pfn_t table[PT_LEVELS_MAX + 1];
};

static void path_find(const struct vmm *vm, const struct edit *e, uint64_t first, struct path *path)
{
    unsigned level = vm->state->levels;
    path->table[level] = e->root;
    while (level > 1 && !e->is_joint) {
        pte_t pte = table_load(vm, path->table[level], table_index(first, level));
        bool is_whole = e->last - first == pt_span(level) - 1; // then MAP may replace the table
        if (!pte_is_own_table(pte) || (is_whole && e->kind == EDIT_MAP) ||
            (first ^ e->last) >> 9 * (level - 1))
            break;
        path->table[--level] = frame_number(pte_address(pte));
    }
    path->level = level;
}

// What cannot be is refused before any walk, however long the range.
static status_t edit_check_size(struct vmm *vm, const struct edit *e)
{
    uint64_t pages = e->kind == EDIT_MAP && !e->is_lazy ? e->last - e->first + 1 : 0;
    status_t status = pages ? account_check(vm, e->account, pages) : OK;
    if (status == OK && pages > vm->state->n_free)
        status = E_NOMEM;
    return status != OK && e->refuses && !pt_is_free(vm, e->root, e->first, e->last) ? E_EXISTS
                                                                                     : status;
}

static status_t edit_reserve(struct vmm *vm, struct edit *e)
{
    status_t status = OK;
    // Vias and links that are there may go while the commit is at it, or not be found any more.
    e->need_links += e->spared_links;
    e->need_vias += e->spared_vias;
    if (e->need[0] | e->need[1] | e->need[2])
        status = reserve_fill(vm, &e->reserve, e->account, e->need, e->falls_back);
    if (status == OK && e->need_links)
        status = link_reserve(vm, e->account, e->need_links, &e->reserve.links);
    if (status == OK && e->need_vias)
        status = link_reserve(vm, e->payer, e->need_vias, &e->vias);
    if (status != OK)
        edit_cancel(vm, e);
    return status;
}

static uint64_t edit_start(const struct edit *e)
{
    return e->cursor > e->first ? e->cursor : e->first;
}

static status_t edit_plan(struct vmm *vm, struct edit *e)
{
    struct path path;
    uint64_t first = edit_start(e);
    e->status = first == e->first ? edit_check_size(vm, e) : OK;
    if (e->status != OK)
        return e->status;
    e->lineage.first = 1; // none is known yet
    path_find(vm, e, first, &path);
    plan_table(vm, e, path.table[path.level], PTE_NONE, path.level, first, e->last, e->is_joint);
    return e->status;
}

status_t edit_prepare(struct vmm *vm, struct edit *e)
{
    if (e->is_planned)
        return OK;
    status_t status = edit_plan(vm, e);
    if (status == OK)
        status = edit_reserve(vm, e);
    if (status != OK)
        return status;
    e->is_planned = true;
    e->cursor = 0;
    return OK;
}

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
        frame_copy(vm, to, from, 0);
    else
        frame_zero(vm, to, 0);
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
    return !own_keeps(vm, e, pte, level, false);
}

// Zeroes or copies the block for a large page, which is the next in the reserve, in steps: nobody
// sees it before. True if it is ready.
static bool fill_block(struct vmm *vm, struct edit *e, uint64_t page, unsigned level, pfn_t from)
{
    uint32_t to = e->reserve.large[level - 2].n;
    if (e->filling != page)
        e->filled = 0;
    e->filling = page;
    while (e->filled < pt_span(level)) {
        uint32_t i = (uint32_t)e->filled++;
        fill_frame(vm, (pfn_t){to + i}, from.n ? (pfn_t){from.n + i} : PFN_NONE);
        if (vmm_is_spent(vm))
            break;
    }
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
    if (!own_keeps(vm, e, pte, level, false)) {
        pfn_t old = pfn;
        pfn = take_page(vm, e, level);
        if (level == 1)
            fill_frame(vm, pfn, old);
        page_drop(vm, old, level);
        is_sole = true;
    }
    return pte_page(frame_address(pfn), level, prot, max, flags,
                    is_sole && !(e->in_steps && e->takes));
}

static pte_t placed_page(struct vmm *vm, const struct edit *e, uint64_t page, unsigned level)
{
    uint64_t from = place_from(e, page);
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
    record_t parent = place_lineage(vm, e, page)->parent;
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
    if (e->kind == EDIT_MAP || e->kind == EDIT_UNMAP || e->kind == EDIT_PLACE)
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
        frame_zero(vm, child, 0);
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
    if (is_joint && is_idle(vm, e, child, level - 1, s))
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
    frame_free(vm, child);
    return true;
}

// What lies below a table, lies below its parent.
static void table_mark(struct vmm *vm, pfn_t table, pfn_t child)
{
    frame_of(vm, table)->flags |= frame_of(vm, child)->flags & FRAME_DEVICE;
}

// How many of `n` pages of a run there is work left for: if not for all, then none is left behind.
static unsigned run_share(const struct vmm *vm, const struct edit *e, uint64_t n)
{
    uint64_t most = vm->left > 0 ? (uint64_t)vm->left / (uint64_t)run_work(e) + 1 : 1;
    return (unsigned)(most < n ? most : n);
}

static void commit_run(struct vmm *vm, struct edit *e, pfn_t table, uint64_t first, uint64_t last)
{
    struct run run = {table, table_index(first, 1), run_share(vm, e, last - first + 1), first};
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
        vmm_spend(vm, 1);
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
    path_find(vm, e, first, &path);
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
