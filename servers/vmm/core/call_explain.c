// SPDX-License-Identifier: MIT
#include "call.h"
#include "compare.h"
#include "explain.h"
#include "space.h"

static status_t answer_level(const struct explained *e, unsigned level, uint64_t *answer)
{
    unsigned top = e->at[0].level;
    if (level > top || top - level >= e->n)
        return E_NOENT;
    const struct explained_level *at = &e->at[top - level];
    answer[1] = at->pte.bits;
    answer[2] = at->prot;
    return OK;
}

static status_t answer_grant(struct vmm *vm, const struct explained *e, uint64_t n,
                             uint64_t *answer)
{
    const struct portal *grant;
    enum explain_kind kind;
    if (n >= EXPLAIN_GRANTS_MAX || !explain_grant(vm, e, (unsigned)n, &grant, &kind))
        return E_NOENT;
    answer[1] = grant->owner;
    answer[2] = (uint64_t)grant->first << PAGE_SHIFT;
    answer[3] = grant->n_pages;
    answer[4] = grant->rights;
    answer[5] = kind;
    return OK;
}

static void answer_outcome(struct vmm *vm, struct request *c, const struct explained *e,
                           unsigned access)
{
    c->answer[1] = (uint64_t)explain_outcome(e, access) | explain_denies(e, access) << 8;
    c->answer[2] = spot_attributes(vm, &e->spot);
    c->answer[3] = pte_max(e->spot.pte);
    c->answer[4] = explain_payer(vm, e);
    c->answer[5] = c->space | (uint64_t)c->home->account << 32;
}

status_t serve_explain(struct vmm *vm, struct request *c)
{
    uint64_t page, access = c->words[2], item = c->words[3];
    struct explained e;
    status_t status = decode_range(vm, c->portal, c->words[1] & ~PAGE_MASK, 1, &page);
    if (status == OK && access != PROT_R && access != PROT_W && access != PROT_X)
        status = E_INVAL;
    if (status != OK)
        return status;
    explain(vm, c->home->root, page, &e);
    if (item >= EXPLAIN_GRANTS)
        return answer_grant(vm, &e, item - EXPLAIN_GRANTS, c->answer);
    if (item)
        return answer_level(&e, (unsigned)item, c->answer);
    answer_outcome(vm, c, &e, (unsigned)access);
    return OK;
}
