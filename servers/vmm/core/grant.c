// SPDX-License-Identifier: MIT
#include "grant.h"

#include "destroy.h"
#include "job.h"
#include "link.h"
#include "space.h"

#define PASS_WORK 30 // units

// The head of the list that the grant is in.
static portal_t *grant_list(struct vmm *vm, const struct portal *grant)
{
    return grant->parent ? &portal_of(vm, grant->parent)->child
                         : &space_of(vm, grant->owner)->grants;
}

static void grant_link(struct vmm *vm, portal_t number)
{
    struct portal *grant = portal_of(vm, number);
    portal_t *head = grant_list(vm, grant);
    grant->prev = 0;
    grant->next = *head;
    if (*head)
        portal_of(vm, *head)->prev = number;
    *head = number;
}

static void grant_unlink(struct vmm *vm, portal_t number)
{
    const struct portal *grant = portal_of(vm, number);
    if (grant->prev)
        portal_of(vm, grant->prev)->next = grant->next;
    else
        *grant_list(vm, grant) = grant->next;
    if (grant->next)
        portal_of(vm, grant->next)->prev = grant->prev;
}

static void grant_move(struct vmm *vm, portal_t number, portal_t parent)
{
    grant_unlink(vm, number);
    portal_of(vm, number)->parent = parent;
    grant_link(vm, number);
}

void grant_uproot(struct vmm *vm, portal_t number)
{
    grant_move(vm, number, 0);
}

status_t grant_create(struct vmm *vm, record_t account, record_t space, portal_t parent,
                      uint64_t first, uint64_t n_pages, unsigned rights, portal_t *number)
{
    status_t status = portal_alloc(vm, account, PORTAL_GRANT, space, number);
    if (status != OK)
        return status;
    struct portal *grant = portal_of(vm, *number);
    grant->rights = rights & RIGHTS_ALL;
    grant->first = first & ((1ull << 45) - 1);
    grant->n_pages = n_pages;
    grant->parent = parent;
    grant_link(vm, *number);
    space_hold(vm, space);
    return OK;
}

status_t grant_create_whole(struct vmm *vm, record_t account, record_t space, unsigned rights,
                            portal_t *number)
{
    return grant_create(vm, account, space, 0, 0, vm->state->user_pages, rights, number);
}

status_t range_check(const struct vmm *vm, uint64_t first, uint64_t n_pages)
{
    uint64_t end = vm->state->user_pages;
    return n_pages && n_pages <= end && first <= end - n_pages ? OK : E_INVAL;
}

at_once status_t grant_check(const struct vmm *vm, const struct portal *grant, uint64_t first,
                             uint64_t n_pages)
{
    // Below the window the offset wraps and is too large. A window lies in the user half.
    uint64_t offset = first - grant->first;
    if (n_pages && n_pages <= grant->n_pages && offset <= grant->n_pages - n_pages)
        return OK;
    status_t status = range_check(vm, first, n_pages);
    return status != OK ? status : E_RIGHT;
}

status_t grant_derive(struct vmm *vm, portal_t parent, uint64_t first, uint64_t n_pages,
                      uint64_t rights, portal_t *number)
{
    const struct portal *from = portal_of(vm, parent);
    unsigned depth = 1;
    if (rights & ~(uint64_t)from->rights)
        return E_RIGHT;
    for (portal_t at = from->parent; at; at = portal_of(vm, at)->parent)
        if (++depth == GRANTS_DEEP)
            return E_LIMIT;
    return grant_create(vm, space_of(vm, from->owner)->account, from->owner, parent, first, n_pages,
                        (unsigned)rights, number);
}

static void gone_list(struct vmm *vm, portal_t number)
{
    struct portal *grant = portal_of(vm, number);
    grant->kind = PORTAL_GONE;
    grant->next_gone = vm->state->gone;
    grant->prev_gone = 0;
    if (grant->next_gone)
        portal_of(vm, grant->next_gone)->prev_gone = number;
    vm->state->gone = number;
}

// If it is in the list.
static void gone_unlist(struct vmm *vm, portal_t number)
{
    struct portal *grant = portal_of(vm, number);
    if (grant->prev_gone)
        portal_of(vm, grant->prev_gone)->next_gone = grant->next_gone;
    else if (vm->state->gone == number)
        vm->state->gone = grant->next_gone;
    if (grant->next_gone)
        portal_of(vm, grant->next_gone)->prev_gone = grant->prev_gone;
    grant->n_pages = 0;
}

// Hands what was derived from a grant, or shared through it, on to its parent. False: there is more.
static bool grant_pass_on(struct vmm *vm, portal_t number)
{
    const struct portal *grant = portal_of(vm, number);
    while (grant->child || grant->link) {
        if (vmm_is_spent(vm))
            return false;
        vmm_spend(vm, PASS_WORK);
        if (grant->child)
            grant_move(vm, grant->child, grant->parent);
        else
            via_pass(vm, number, grant->parent);
    }
    return true;
}

void grant_settle(struct vmm *vm)
{
    while (vm->state->gone && grant_pass_on(vm, vm->state->gone))
        grant_bury(vm, vm->state->gone);
    vm->state->is_busy |= vm->state->gone != 0;
}

void grant_drop(struct vmm *vm, portal_t number)
{
    const struct portal *grant = portal_of(vm, number);
    job_leave(vm, grant->owner, number, grant->parent);
    destroy_pass_grant(vm, number);
    gone_list(vm, number);
    grant_settle(vm);
}

bool grant_comes_from(const struct vmm *vm, portal_t number, portal_t from)
{
    while (number && number != from)
        number = portal_of(vm, number)->parent;
    return number;
}

bool grant_doom(struct vmm *vm, portal_t number)
{
    struct portal *grant = portal_of(vm, number);
    bool is_gone = grant->kind == PORTAL_GONE;
    if (is_gone)
        gone_unlist(vm, number);
    else
        grant->kind = PORTAL_DOOMED;
    return !is_gone;
}

void grant_bury(struct vmm *vm, portal_t number)
{
    struct portal *grant = portal_of(vm, number);
    record_t space = grant->owner;
    grant_unlink(vm, number);
    if (grant->kind == PORTAL_GONE) {
        gone_unlist(vm, number);
        portal_free(vm, number);
    } else {
        *grant = (struct portal){.kind = PORTAL_DEAD};
    }
    space_release(vm, space);
}
