// SPDX-License-Identifier: MIT
#include "account.h"
#include "audit.h"
#include "call.h"
#include "compare.h"
#include "destroy.h"
#include "grant.h"
#include "job.h"
#include "revoke.h"
#include "space.h"
#include "task.h"

// Nobody runs in a snapshot or writes to it.
#define RIGHTS_SNAPSHOT (RIGHT_QUERY | RIGHT_CLONE | RIGHT_READ | RIGHT_DESTROY)

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

// The highest priority on a new account: 0 asks for that of its payer. Without an account of its own
// there is nothing to limit.
static status_t decode_priority(struct vmm *vm, const struct request *c, uint8_t *priority)
{
    uint64_t most = account_of(vm, c->home->account)->priority;
    if (c->words[2] && !c->words[1])
        return E_INVAL;
    if (c->words[2] > most)
        return E_RIGHT;
    *priority = (uint8_t)(c->words[2] ? c->words[2] : most);
    return OK;
}

status_t serve_space_create(struct vmm *vm, struct request *c)
{
    record_t space;
    uint8_t priority;
    status_t status = decode_priority(vm, c, &priority);
    if (status == OK)
        status = space_create(vm, c->home->account, c->words[1], &space);
    if (status != OK)
        return status;
    account_of(vm, space_of(vm, space)->account)->priority = priority;
    return answer_space(vm, space, RIGHTS_SPACE);
}

// The rights of a clone: those of the capability used, since shared pages stay shared. Whoever took a
// snapshot had more rights than it shows, and what is made of it gets them back.
static unsigned clone_rights(const struct vmm *vm, const struct portal *grant)
{
    return (grant->rights | space_of(vm, grant->owner)->snapshot_rights) & RIGHTS_SPACE;
}

static status_t answer_clone(struct vmm *vm, struct request *c, enum clone_mode mode,
                             uint64_t quota, unsigned rights, struct clone *clone)
{
    status_t status = clone_prepare(vm, c->space, mode, quota, clone);
    if (status != OK)
        return status;
    status = answer_space(vm, clone->space, rights);
    if (status == OK)
        clone_commit(vm, clone);
    else
        clone_cancel(vm, clone);
    if (status != OK || !clone->is_long)
        return status;
    c->gives_cap = true;
    return E_MORE;
}

status_t serve_space_clone(struct vmm *vm, struct request *c)
{
    struct clone clone;
    if (c->words[1] != CLONE_COPY && c->words[1] != CLONE_COW)
        return E_INVAL;
    return answer_clone(vm, c, (enum clone_mode)c->words[1], c->words[2],
                        clone_rights(vm, c->portal), &clone);
}

status_t serve_snapshot(struct vmm *vm, struct request *c)
{
    struct clone clone;
    unsigned rights = clone_rights(vm, c->portal);
    status_t status = answer_clone(vm, c, CLONE_COW, c->words[1], rights & RIGHTS_SNAPSHOT, &clone);
    if (status == OK)
        space_of(vm, clone.space)->snapshot_rights = (uint16_t)rights;
    return status;
}

// What the snapshot has may be used here as far as the capability to this space goes, which must not
// be further than that of whoever took it.
status_t serve_rollback(struct vmm *vm, struct request *c)
{
    const struct portal *snapshot;
    status_t status = decode_carried(vm, c, RIGHT_CLONE | RIGHT_READ, &snapshot);
    if (status != OK)
        return status;
    bool is_whole = snapshot->n_pages == vm->state->user_pages;
    if (!is_whole ||
        c->portal->rights & (RIGHT_WRITE | RIGHT_EXECUTE) & ~clone_rights(vm, snapshot))
        return E_RIGHT;
    space_rollback(vm, c->space, snapshot->owner);
    return OK;
}

// Whoever asks for it while one is pending does a step of that, and hears of his own.
status_t serve_space_destroy(struct vmm *vm, struct request *c)
{
    if (revoke_is_pending(vm))
        return E_MORE; // it is among the grants, perhaps of this space
    if (!destroy_is_pending(vm))
        destroy_start(vm, c->space, badge_portal(c->badge));
    bool is_same = vm->state->destroy.by == badge_portal(c->badge);
    status_t status = destroy_step(vm, vm->left);
    c->answer[1] = is_same && status == E_MORE;
    return is_same ? status : E_MORE;
}

status_t serve_derive(struct vmm *vm, struct request *c)
{
    portal_t number;
    uint64_t first;
    status_t status = decode_range(vm, c->portal, c->words[1], c->words[2], &first);
    if (status == OK)
        status = grant_derive(vm, badge_portal(c->badge), first, c->words[2], c->words[3], &number);
    return status == OK ? answer_grant(vm, number) : status;
}

// The grant to revoke: the one called if none is carried. E_SLOT, E_REVOKED: what is carried is no
// grant, or dead. E_RIGHT: it does not come from the one called.
static status_t decode_victim(const struct vmm *vm, const struct request *c, portal_t *victim)
{
    const struct portal *carried;
    *victim = badge_portal(c->badge);
    if (c->carried == CARRIED_NONE)
        return OK;
    status_t status = decode_carried(vm, c, 0, &carried);
    if (status != OK)
        return status;
    *victim = badge_portal(c->carried_value);
    return grant_comes_from(vm, *victim, badge_portal(c->badge)) ? OK : E_RIGHT;
}

// Whoever names the grant that is being revoked does a step, and hears whether it was the last one.
status_t serve_revoke(struct vmm *vm, struct request *c)
{
    portal_t victim;
    if (revoke_is_pending(vm)) {
        bool is_same =
            c->carried == CARRIED_BADGE && badge_portal(c->carried_value) == vm->state->revoke.top;
        status_t status = revoke_step(vm);
        c->answer[1] = is_same && status == E_MORE;
        return is_same ? status : E_MORE;
    }
    status_t status = destroy_is_pending(vm) ? E_MORE : decode_victim(vm, c, &victim);
    if (status != OK)
        return status;
    revoke_start(vm, victim);
    status = revoke_step(vm);
    c->answer[1] = status == E_MORE;
    return status;
}

// The words of a stretch of pages for which a spot speaks.
static void answer_pages(const struct vmm *vm, struct request *c, uint64_t start, uint64_t n_pages,
                         const struct spot *spot)
{
    bool has_page = pte_is_leaf(spot->pte);
    c->answer[1] = start << PAGE_SHIFT;
    c->answer[2] = n_pages;
    c->answer[3] = spot_attributes(vm, spot);
    c->answer[4] = has_page ? pte_address(spot->pte) + ((start - spot->start) << PAGE_SHIFT) : 0;
}

static uint64_t window_end(const struct portal *grant)
{
    return grant->first + grant->n_pages;
}

// What one entry says of the address, cut to the window.
status_t serve_query(struct vmm *vm, struct request *c)
{
    uint64_t page;
    status_t status = decode_range(vm, c->portal, c->words[1] & ~PAGE_MASK, 1, &page);
    if (status != OK)
        return status;
    struct spot spot = pt_find(vm, c->home->root, page);
    uint64_t start = spot.start, end = start + pt_span(spot.level);
    if (start < c->portal->first)
        start = c->portal->first;
    if (end > window_end(c->portal))
        end = window_end(c->portal);
    answer_pages(vm, c, start, end - start, &spot);
    return OK;
}

// Where a walk that goes on at an address begins: in the window, or behind it.
static status_t decode_start(const struct request *c, uint64_t *page)
{
    if (c->words[1] & PAGE_MASK)
        return E_INVAL;
    *page = c->words[1] >> PAGE_SHIFT;
    if (*page < c->portal->first)
        *page = c->portal->first;
    return OK;
}

status_t serve_maps(struct vmm *vm, struct request *c)
{
    uint64_t from;
    struct stretch run;
    struct spot spot;
    status_t status = decode_start(c, &from);
    if (status != OK)
        return status;
    find_run(vm, c->home->root, from, window_end(c->portal) - 1, &run, &spot);
    if (run.n_pages)
        answer_pages(vm, c, run.start, run.n_pages, &spot);
    return OK;
}

// What both windows show.
status_t serve_diff(struct vmm *vm, struct request *c)
{
    uint64_t from;
    struct stretch found;
    const struct portal *other;
    status_t status = decode_start(c, &from);
    if (status == OK)
        status = decode_carried(vm, c, RIGHT_QUERY, &other);
    if (status != OK)
        return status;
    uint64_t end = window_end(c->portal);
    if (end > window_end(other))
        end = window_end(other);
    if (from < other->first)
        from = other->first;
    status =
        compare_trees(vm, c->home->root, space_of(vm, other->owner)->root, from, end - 1, &found);
    c->answer[1] = (status == OK ? found.start : found.next) << PAGE_SHIFT;
    c->answer[2] = found.n_pages;
    return status;
}

// Counts in steps, of which the caller keeps the sums; when nothing waits to be freed.
status_t serve_stats(struct vmm *vm, struct request *c)
{
    struct pt_count count = {c->words[1], c->words[2], c->words[3]};
    const struct account *a = account_of(vm, c->home->account);
    bool is_done = pt_bury(vm) && pt_count(vm, c->home->root, &count);
    c->answer[1] = is_done ? count.pages : count.next;
    c->answer[2] = is_done ? count.tables : count.pages;
    c->answer[3] = is_done ? a->charged : count.tables;
    if (!is_done)
        return E_MORE;
    c->answer[4] = a->quota;
    c->answer[5] = vm->state->n_free;
    return OK;
}

status_t serve_settle(struct vmm *vm, struct request *c)
{
    status_t status = job_help(vm, c->space, false);
    return status == E_MORE ? call_again(c, 0) : c->home->failure;
}

// Alone: all that waits to be freed is freed first, however much it is.
status_t serve_audit(struct vmm *vm, struct request *c)
{
    vm->left = INT64_MAX;
    vmm_settle(vm);
    c->answer[1] = vm->state->n_boot;
    c->answer[2] = audit(vm);
    return OK;
}
