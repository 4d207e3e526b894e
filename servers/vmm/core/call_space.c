// SPDX-License-Identifier: MIT
#include "account.h"
#include "audit.h"
#include "call.h"
#include "grant.h"
#include "page_table.h"
#include "space.h"
#include "task.h"

// Mints the grant that the call is answered with. A grant that cannot be goes.
static status_t answer_grant(struct vmm *vm, portal_t number)
{
    status_t status = portal_mint(vm, number, VMM_SLOT_ANSWER);
    if (status != OK)
        grant_drop(vm, number);
    return status;
}

// A new space's first grant.
static status_t answer_space(struct vmm *vm, record_t space, unsigned rights)
{
    portal_t number;
    status_t status = grant_create_whole(vm, space_of(vm, space)->account, space, rights, &number);
    if (status != OK) {
        space_discard(vm, space);
        return status;
    }
    return answer_grant(vm, number);
}

status_t serve_space_create(struct vmm *vm, struct call *c)
{
    record_t space;
    status_t status = space_create(vm, c->account, c->words[1], &space);
    return status == OK ? answer_space(vm, space, RIGHTS_SPACE) : status;
}

// The clone's capability has no more rights than the one used: shared pages stay shared.
status_t serve_space_clone(struct vmm *vm, struct call *c)
{
    record_t space;
    unsigned rights = c->portal->rights & RIGHTS_SPACE;
    if (c->words[1] != CLONE_COPY && c->words[1] != CLONE_COW)
        return E_INVAL;
    status_t status = space_clone(vm, c->space, (enum clone_mode)c->words[1], c->words[2], &space);
    return status == OK ? answer_space(vm, space, rights) : status;
}

status_t serve_space_destroy(struct vmm *vm, struct call *c)
{
    space_hold(vm, c->space);
    task_kill_all(vm, c->space);
    grant_kill_all(vm, c->space);
    space_release(vm, c->space);
    return OK;
}

status_t serve_derive(struct vmm *vm, struct call *c)
{
    portal_t number;
    uint64_t first;
    status_t status = decode_range(vm, c->portal, c->words[1], c->words[2], &first);
    if (status == OK)
        status = grant_derive(vm, c->number, first, c->words[2], c->words[3], &number);
    return status == OK ? answer_grant(vm, number) : status;
}

static uint64_t page_flags(const struct vmm *vm, const struct spot *spot)
{
    pte_t e = spot->pte;
    if (pte_is_empty(e))
        return 0;
    if (pte_is_lazy(e))
        return PAGE_LAZY;
    uint64_t flags = PAGE_MAPPED;
    if (e.bits & PTE_SHARED)
        flags |= PAGE_SHARED;
    else if (spot->is_joint || !page_is_sole(vm, frame_number(pte_address(e)), spot->level))
        flags |= PAGE_COW;
    if (spot->level > 1)
        flags |= spot->level == 2 ? PAGE_2M : PAGE_1G;
    return flags;
}

// What one entry says of the address, cut to the window.
status_t serve_query(struct vmm *vm, struct call *c)
{
    uint64_t page;
    status_t status = decode_range(vm, c->portal, c->words[1] & ~PAGE_MASK, 1, &page);
    if (status != OK)
        return status;
    struct spot spot = pt_find(vm, space_of(vm, c->space)->root, page);
    uint64_t start = spot.start, end = start + pt_span(spot.level);
    uint64_t window_end = c->portal->first + c->portal->n_pages;
    if (start < c->portal->first)
        start = c->portal->first;
    if (end > window_end)
        end = window_end;
    bool has_page = pte_has_page(spot.pte);
    c->answer[1] = start << PAGE_SHIFT;
    c->answer[2] = end - start;
    c->answer[3] = pte_prot(spot.pte) | page_flags(vm, &spot);
    c->answer[4] = has_page ? pte_address(spot.pte) + ((start - spot.start) << PAGE_SHIFT) : 0;
    return OK;
}

status_t serve_stats(struct vmm *vm, struct call *c)
{
    const struct account *a = account_of(vm, c->account);
    pt_count(vm, space_of(vm, c->space)->root, vm->state->levels, &c->answer[1], &c->answer[2]);
    c->answer[3] = a->charged;
    c->answer[4] = a->quota;
    c->answer[5] = vm->state->n_free;
    return OK;
}

// What earlier requests freed is settled already, this one has changed nothing.
status_t serve_audit(struct vmm *vm, struct call *c)
{
    c->answer[1] = vm->state->n_boot;
    c->answer[2] = audit(vm);
    return OK;
}
