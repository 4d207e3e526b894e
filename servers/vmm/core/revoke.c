// SPDX-License-Identifier: MIT
#include "revoke.h"

#include "grant.h"
#include "job.h"
#include "link.h"
#include "page.h"
#include "pager.h"
#include "space.h"
#include "table.h"

// What one thing costs in units of REVOKE_WORK.
#define GRANT_WORK 4u
#define LEAF_WORK  2u
#define VIA_WORK   4u
#define PAGER_WORK 32u
#define LARGE_WORK 64u // a large page may have 512 parts to look at

// Takes one entry out of a table, whoever its parents are.
static unsigned clear_entry(struct vmm *vm, pfn_t table, unsigned i)
{
    struct frame *f = frame_of(vm, table);
    pte_t old = table_load(vm, table, i);
    table_store(vm, table, i, PTE_NONE);
    if (!f->used)
        f->flags |= FRAME_BARE;
    if (pte_is_present(old))
        flush_all_spaces(vm);
    if (pte_has_page(old))
        page_drop(vm, frame_number(pte_address(old)), f->level);
    return f->level > 1 ? LARGE_WORK : 1;
}

// Clears entries of a link until it has none and goes, or enough was done. Answers what it cost.
static unsigned clear_link(struct vmm *vm, record_t id, unsigned budget)
{
    struct link *l = link_of(vm, id);
    unsigned cost = VIA_WORK;
    for (unsigned w = 0; w < LINK_WORDS; w++)
        while (l->entries[w]) {
            if (cost >= budget)
                return cost;
            unsigned bit = (unsigned)__builtin_ctzll(l->entries[w]);
            l->entries[w] &= l->entries[w] - 1;
            cost += clear_entry(vm, l->table, l->half * LINK_ENTRIES + w * 64 + bit);
        }
    link_free(vm, id);
    return cost;
}

// Goes on at another via, which stays until then.
static void move_via(struct vmm *vm, struct revoke *r, record_t to)
{
    record_t from = r->via;
    if (to)
        via_of(vm, to)->is_held = true;
    r->via = to;
    if (!from)
        return;
    via_of(vm, from)->is_held = false;
    via_release(vm, from);
}

// The links of a via go first: then nothing can be shared on from it, and its children come next.
static unsigned step_via(struct vmm *vm, struct revoke *r, unsigned budget)
{
    const struct via *v = via_of(vm, r->via);
    if (v->links)
        return clear_link(vm, v->links, budget);
    if (v->pager) {
        pager_kill(vm, v->pager);
        return PAGER_WORK;
    }
    if (v->child)
        move_via(vm, r, v->child);
    else
        move_via(vm, r, r->via == r->via_top ? 0 : v->parent);
    return VIA_WORK;
}

// The grant has nothing below it any more. The first one was kept alive for the kernel, so that its
// holder could ask whether it is done.
static void finish_grant(struct vmm *vm, struct revoke *r, struct portal_set *dead)
{
    portal_t done = r->grant;
    const struct portal *grant = portal_of(vm, done);
    r->grant = done == r->top ? 0 : grant->parent;
    if (!r->grant && grant->kind == PORTAL_DOOMED)
        portal_set_add(vm, dead, done);
    grant_bury(vm, done);
}

// Buries the first of those derived from a grant as long as nothing hangs from them: thousands may, and
// have their places in few frames. Answers what it cost.
static unsigned bury_leaves(struct vmm *vm, struct portal *grant, unsigned budget,
                            struct portal_set *dead)
{
    portal_t number = grant->child;
    uint32_t index = number / PORTALS_IN_FRAME, n = 0;
    struct portal *places = portal_of(vm, index * PORTALS_IN_FRAME);
    for (; number && n * LEAF_WORK < budget; n++) {
        uint32_t place = number - index * PORTALS_IN_FRAME;
        if (place >= PORTALS_IN_FRAME) {
            index = number / PORTALS_IN_FRAME;
            place = number % PORTALS_IN_FRAME;
            places = portal_of(vm, number - place);
        }
        struct portal *leaf = &places[place];
        if (leaf->child | leaf->link || leaf->kind != PORTAL_GRANT)
            break;
        portal_set_put(vm, dead, index, place);
        number = leaf->next;
        *leaf = (struct portal){.kind = PORTAL_DEAD};
    }
    space_of(vm, grant->owner)->refs -= n; // the grant above them has it too
    grant->child = number;
    if (number)
        portal_of(vm, number)->prev = 0;
    return n * LEAF_WORK;
}

// What goes on through the grant is finished, or none would know through what the rest of it came. Then
// what came through it goes, then what was derived from it, then the grant.
static unsigned step_grant(struct vmm *vm, struct revoke *r, unsigned budget,
                           struct portal_set *dead)
{
    struct portal *grant = portal_of(vm, r->grant);
    if (job_revoke(vm, grant->owner, r->grant) == E_MORE)
        return budget;
    if (grant->link) {
        r->via_top = grant->link;
        move_via(vm, r, r->via_top);
    } else if (grant->child) {
        // A job of the space may be through one of them, and must end with it.
        bool has_job = space_of(vm, grant->owner)->job;
        unsigned cost = has_job ? 0 : bury_leaves(vm, grant, budget, dead);
        if (cost)
            return cost;
        r->grant = grant->child;
        if (grant_doom(vm, r->grant))
            portal_set_add(vm, dead, r->grant);
    } else {
        finish_grant(vm, r, dead);
    }
    return GRANT_WORK;
}

void revoke_start(struct vmm *vm, portal_t number)
{
    (void)grant_doom(vm, number);
    vm->state->revoke = (struct revoke){.top = number, .grant = number};
    vm->state->is_busy = true;
}

status_t revoke_step(struct vmm *vm)
{
    struct revoke *r = &vm->state->revoke;
    struct portal_set dead = {.index = 0};
    for (unsigned done = 0; r->grant && done < REVOKE_WORK;)
        done += r->via ? step_via(vm, r, REVOKE_WORK - done)
                       : step_grant(vm, r, REVOKE_WORK - done, &dead);
    portal_set_kill(vm, &dead);
    // A task whose fault waits for memory may have lost what it waits for.
    vm->state->is_relieved |= !r->grant;
    return r->grant ? E_MORE : OK;
}
