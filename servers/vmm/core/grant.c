// SPDX-License-Identifier: MIT
#include "grant.h"

#include "job.h"
#include "link.h"
#include "space.h"

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

// Hands what was derived from a grant on to its parent.
static void grant_pass_children(struct vmm *vm, portal_t number)
{
    struct portal *grant = portal_of(vm, number);
    while (grant->child) {
        portal_t child = grant->child;
        grant_unlink(vm, child);
        portal_of(vm, child)->parent = grant->parent;
        grant_link(vm, child);
    }
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

status_t grant_check(const struct vmm *vm, const struct portal *grant, uint64_t first,
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
    if (rights & ~(uint64_t)from->rights)
        return E_RIGHT;
    return grant_create(vm, space_of(vm, from->owner)->account, from->owner, parent, first, n_pages,
                        (unsigned)rights, number);
}

void grant_drop(struct vmm *vm, portal_t number)
{
    record_t space = portal_of(vm, number)->owner;
    job_leave(vm, space, number, portal_of(vm, number)->parent);
    grant_pass_children(vm, number);
    via_pass(vm, number, portal_of(vm, number)->parent);
    grant_unlink(vm, number);
    portal_free(vm, number);
    space_release(vm, space);
}

void grant_kill_all(struct vmm *vm, record_t space)
{
    space_hold(vm, space);
    while (space_of(vm, space)->grants) {
        portal_t number = space_of(vm, space)->grants;
        job_leave(vm, space, number, 0);
        grant_pass_children(vm, number);
        via_pass(vm, number, 0);
        grant_unlink(vm, number);
        portal_kill(vm, number);
        space_release(vm, space);
    }
    space_release(vm, space);
}

bool grant_comes_from(const struct vmm *vm, portal_t number, portal_t from)
{
    while (number && number != from)
        number = portal_of(vm, number)->parent;
    return number;
}

void grant_doom(struct vmm *vm, portal_t number)
{
    portal_of(vm, number)->kind = PORTAL_DOOMED;
}

void grant_bury(struct vmm *vm, portal_t number)
{
    struct portal *grant = portal_of(vm, number);
    record_t space = grant->owner;
    grant_unlink(vm, number);
    if (grant->kind == PORTAL_GONE)
        portal_free(vm, number);
    else
        *grant = (struct portal){.kind = PORTAL_DEAD};
    space_release(vm, space);
}
