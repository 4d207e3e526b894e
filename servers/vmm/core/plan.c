// SPDX-License-Identifier: MIT
#include "plan.h"

#include "account.h"
#include "link.h"
#include "page.h"
#include "run.h"
#include "table.h"

uint64_t edit_place_from(const struct edit *e, uint64_t page)
{
    return e->source + (page - e->first);
}

// Whether PLACE's source has, or will have when its lazy pages are made real, all that an entry of
// `level` needs in one piece.
static bool place_is_large(const struct vmm *vm, const struct edit *e, uint64_t page,
                           unsigned level)
{
    uint64_t from = edit_place_from(e, page);
    if (level > e->page_level || from & (pt_span(level) - 1))
        return false;
    if (!e->source_root.n)
        return true;
    struct spot spot = pt_find(vm, e->source_root, from);
    return level <= (pte_is_lazy(spot.pte) ? pte_lazy_level(spot.pte) : spot.level);
}

bool edit_keeps(const struct vmm *vm, const struct edit *e, pte_t pte, unsigned level,
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
    return lacks_block(e, level) && (is_lazy || !edit_keeps(vm, e, pte, level, false)) ? DESCEND
                                                                                       : HERE;
}

enum verdict edit_judge(const struct vmm *vm, const struct edit *e, pte_t pte, unsigned level,
                        const struct step *s)
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

bool edit_is_idle(const struct vmm *vm, const struct edit *e, pfn_t table, unsigned level,
                  const struct step *s)
{
    return passes_holes(e) && table_is_free(vm, table, level, s->from, s->to);
}

struct step edit_seek(struct vmm *vm, const struct edit *e, pfn_t table, unsigned level,
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
        else if (pte_is_lazy(pte) || !edit_keeps(vm, e, pte, level, is_joint))
            plan_page(e, level);
        if (level > 1 && pte_is_linked(pte) && e->takes) // it may be split for want of a block
            e->need_links += PTE_ENTRIES / LINK_ENTRIES * (level == 2 ? 1 : 1 + PTE_ENTRIES);
        break;
    default:
        break;
    }
}

const struct lineage *edit_lineage(struct vmm *vm, struct edit *e, uint64_t page)
{
    struct lineage *l = &e->lineage;
    uint64_t from = edit_place_from(e, page);
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
    int64_t left = vm->left;
    const struct lineage was = e->lineage, *l = edit_lineage(vm, e, s->from);
    uint64_t half = s->from / (pt_span(level) * LINK_ENTRIES) << 2 | level;
    bool is_other = was.parent != l->parent || !e->linked;
    if (!is_other && half == e->linked)
        return;
    record_t via = via_find(vm, e->grant, l->parent);
    bool has_link = via && table.n && link_is_there(vm, table, s->i, via);
    if (!via && via_is_deepest(vm, l->parent))
        e->status = E_LIMIT;
    *(via ? &e->spared_vias : &e->need_vias) += is_other;
    *(has_link ? &e->spared_links : &e->need_links) += 1;
    e->linked = half;
    e->work += left - vm->left; // the commit looks for them too
}

static void plan_table(struct vmm *vm, struct edit *e, pfn_t table, pte_t fill, unsigned level,
                       uint64_t first, uint64_t last, bool is_joint);

static void plan_new_table(struct edit *e, unsigned n_links)
{
    e->need[0]++;
    e->need_links += n_links;
    e->work += WORK_MANY + (int64_t)n_links * WORK_LINK;
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
        if (is_joint && edit_is_idle(vm, e, child, level - 1, s))
            return;
        n_links = is_joint ? link_count(vm, child) : 0;
        vmm_spend(vm, n_links / 2);
        pte = PTE_NONE;
    }
    if ((is_new || is_joint) && !is_counted)
        plan_new_table(e, n_links);
    plan_table(vm, e, child, pte, level - 1, s->from, s->to, is_joint);
}

void edit_pause(const struct vmm *vm, struct edit *e, uint64_t page)
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
        vmm_spend(vm, WORK_LOOK);
        e->work += WORK_LOOK;
        if (verdict == HERE)
            plan_here(vm, e, pte, level, is_joint);
        if (verdict == HERE && e->grant)
            plan_link(vm, e, table, level, &s);
        if (verdict == DESCEND)
            plan_child(vm, e, pte, level, &s, is_joint);
        edit_pause(vm, e, s.to + 1);
    }
}

void edit_path(const struct vmm *vm, const struct edit *e, uint64_t first, struct path *path)
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

uint64_t edit_start(const struct edit *e)
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
    edit_path(vm, e, first, &path);
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
