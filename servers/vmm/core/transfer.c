// SPDX-License-Identifier: MIT
#include "transfer.h"

#include "edit.h"
#include "space.h"

// The path is the space's own by now, so nothing is needed.
static void unmap_source(struct vmm *vm, const struct edit *own)
{
    struct edit unmap = {.kind = EDIT_UNMAP,
                         .account = own->account,
                         .root = own->root,
                         .first = own->first,
                         .last = own->last};
    status_t status = edit_prepare(vm, &unmap);
    invariant(status == OK);
    edit_commit(vm, &unmap);
}

status_t transfer_pages(struct vmm *vm, const struct transfer *t)
{
    const struct space *from = space_of(vm, t->from), *to = space_of(vm, t->to);
    struct edit own = {
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
    struct edit place = {
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
    if (!t->pager && !pt_is_free(vm, place.root, place.first, place.last))
        return E_EXISTS;
    status_t status = edit_prepare(vm, &own);
    if (status != OK)
        return status;
    // A large page that is copied in small ones cannot be placed as a large one.
    if (own.reserve.fell_back)
        place.page_level = 1;
    status = edit_prepare(vm, &place);
    if (status != OK) {
        edit_cancel(vm, &own);
        return status;
    }
    edit_commit(vm, &own);
    edit_commit(vm, &place);
    if (t->moves)
        unmap_source(vm, &own);
    return OK;
}
