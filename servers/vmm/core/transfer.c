// SPDX-License-Identifier: MIT
#include "transfer.h"

#include "job.h"
#include "space.h"

enum { OWN, PLACE, UNMAP, ARM };

status_t transfer_pages(struct vmm *vm, struct transfer *t)
{
    const struct space *from = space_of(vm, t->from), *to = space_of(vm, t->to);
    struct edit edits[] = {
        [OWN] =
            {
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
            },
        [PLACE] =
            {
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
            },
        // Of what is the space's own by now, so nothing is needed.
        [UNMAP] =
            {
                .kind = EDIT_UNMAP,
                .account = from->account,
                .root = from->root,
                .first = t->first,
                .last = t->first + t->n_pages - 1,
                .is_planned = true,
                .work = (int64_t)t->n_pages * WORK_FREE,
            },
        // In steps, pages are placed while others still hold them: W comes at the end.
        [ARM] =
            {
                .kind = EDIT_PROTECT,
                .account = to->account,
                .root = to->root,
                .first = t->first_to,
                .last = t->first_to + t->n_pages - 1,
                .prot = t->prot,
                .is_planned = true,
            },
    };
    struct work w = {
        .account = from->account,
        .by = t->grant,
        .spaces = {t->from, t->to},
        .n = t->moves ? 4 : 2,
        .n_alone = t->moves ? 3 : 2,
        .edits = edits,
    };
    const struct edit *place = &edits[PLACE];
    if (!t->pager && !pt_is_free(vm, place->root, place->first, place->last))
        return E_EXISTS;
    status_t status = job_do(vm, &w);
    t->token = w.token;
    return status;
}
