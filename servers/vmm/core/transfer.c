// SPDX-License-Identifier: MIT
#include "transfer.h"

#include "job.h"
#include "leaf.h"
#include "link.h"
#include "page.h"
#include "space.h"

// Whether this may be the last page of a full table to be shared: then that may become one entry.
static bool share_may_join(const struct vmm *vm, const struct leaf *from)
{
    const unsigned end = PTE_ENTRIES - 1;
    if (from->record->used < PTE_ENTRIES)
        return false;
    pte_t first = table_load(vm, from->table, from->i ? 0 : end);
    pte_t last = table_load(vm, from->table, from->i < end ? end : 0);
    return first.bits & last.bits & PTE_SHARED;
}

// Whether the page at the source is its space's own and will be as it is, and its place is free.
static bool share_is_plain(const struct vmm *vm, const struct transfer *t, const struct leaf *from,
                           const struct leaf *to)
{
    pte_t old = *from->entry, place = *to->entry;
    bool is_free = t->pager ? pte_is_paged(place) && pte_pager(place) == t->pager &&
                                  !(t->prot & ~pte_prot(place))
                            : pte_is_empty(place);
    if (!is_free || !pte_has_page(old) || t->prot & ~pte_max(old))
        return false;
    if (old.bits & PTE_SHARED)
        return true;
    return !share_may_join(vm, from) && page_is_sole(vm, frame_number(pte_address(old)), 1);
}

// With records of its own: a link, and a via if there is none.
rare static bool share_note_anew(struct vmm *vm, const struct transfer *t, record_t parent,
                                 record_t via, const struct leaf *to)
{
    record_t new_via = 0, new_link = 0;
    if (!via && (via_is_deepest(vm, parent) ||
                 link_reserve(vm, space_of(vm, t->from)->account, 1, &new_via) != OK))
        return false;
    if (link_reserve(vm, space_of(vm, t->to)->account, 1, &new_link) != OK) {
        link_unreserve(vm, &new_via);
        return false;
    }
    if (!via)
        via = via_add(vm, t->grant, parent, &new_via);
    link_set(vm, to->table, to->i, via, &new_link);
    return true;
}

// Notes at the destination through which grant the page comes. False: a record could not be had.
static bool share_note(struct vmm *vm, const struct transfer *t, record_t parent,
                       const struct leaf *to)
{
    record_t via = via_find(vm, t->grant, parent);
    return (via && link_join(vm, to->table, to->i, via)) || share_note_anew(vm, t, parent, via, to);
}

// A share of one page does without a plan where both tables are their spaces' own. False: nothing
// was changed.
static bool share_leaf(struct vmm *vm, const struct transfer *t)
{
    struct leaf from, to;
    if (!leaf_find(vm, space_of(vm, t->from)->root, t->first, &from) ||
        !leaf_find(vm, space_of(vm, t->to)->root, t->first_to, &to) ||
        !share_is_plain(vm, t, &from, &to))
        return false;
    pte_t old = *from.entry;
    paddr_t frame = pte_address(old);
    record_t parent = pte_is_linked(old) ? link_via(vm, from.table, from.i) : 0;
    if (!share_note(vm, t, parent, &to))
        return false;
    if (!(old.bits & PTE_SHARED))
        *from.entry = pte_arm((pte_t){old.bits | PTE_SHARED}, 1, true);
    page_hold(vm, frame_number(frame), 1);
    table_store(vm, to.table, to.i,
                pte_page(frame, 1, t->prot, t->max & pte_max(old), PTE_SHARED | PTE_LINKED, false));
    return true;
}

// The source becomes the space's own.
static struct edit own_source(const struct transfer *t, const struct space *from)
{
    return (struct edit){
        .kind = EDIT_OWN,
        .account = from->account,
        .root = from->root,
        .first = t->first,
        .last = t->first + t->n_pages - 1,
        .prot = t->prot,
        .falls_back = true,
        .fills = true,
        .takes = t->moves,
        .shares = !t->moves,
    };
}

static struct edit place_there(const struct transfer *t, const struct space *from,
                               const struct space *to)
{
    return (struct edit){
        .kind = EDIT_PLACE,
        .account = to->account,
        .root = to->root,
        .first = t->first_to,
        .last = t->first_to + t->n_pages - 1,
        .prot = t->prot,
        .max = t->max,
        .page_level = 3,
        .shares = !t->moves,
        .is_sole = t->moves,
        .source_root = from->root,
        .source = t->first,
        .grant = t->moves ? 0 : t->grant,
        .payer = from->account,
        .refuses = t->pager,
        .pager = t->pager,
    };
}

// Of what is the space's own by then, so nothing is needed.
static struct edit unmap_source(const struct transfer *t, const struct space *from)
{
    return (struct edit){
        .kind = EDIT_UNMAP,
        .account = from->account,
        .root = from->root,
        .first = t->first,
        .last = t->first + t->n_pages - 1,
        .is_planned = true,
        .work = (int64_t)t->n_pages * WORK_FREE,
    };
}

// In steps, pages are placed while others still hold them: W comes at the end.
static struct edit arm_there(const struct transfer *t, const struct space *to)
{
    return (struct edit){
        .kind = EDIT_PROTECT,
        .account = to->account,
        .root = to->root,
        .first = t->first_to,
        .last = t->first_to + t->n_pages - 1,
        .prot = t->prot,
        .is_planned = true,
    };
}

rare static status_t transfer_range(struct vmm *vm, struct transfer *t)
{
    const struct space *from = space_of(vm, t->from), *to = space_of(vm, t->to);
    struct edit edits[] = {own_source(t, from), place_there(t, from, to), unmap_source(t, from),
                           arm_there(t, to)};
    struct work w = {
        .account = from->account,
        .by = t->grant,
        .to = t->to_grant,
        .spaces = {t->from, t->to},
        .n = t->moves ? 4 : 2,
        .n_alone = t->moves ? 3 : 2,
        .edits = edits,
    };
    if (!t->pager && !pt_is_free(vm, to->root, t->first_to, t->first_to + t->n_pages - 1))
        return E_EXISTS;
    status_t status = job_do(vm, &w);
    t->token = w.token;
    return status;
}

status_t transfer_pages(struct vmm *vm, struct transfer *t)
{
    bool is_done = t->n_pages == 1 && !t->moves && share_leaf(vm, t);
    return is_done ? OK : transfer_range(vm, t);
}
