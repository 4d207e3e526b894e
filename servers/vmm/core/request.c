// SPDX-License-Identifier: MIT
#include "request.h"

#include "call.h"
#include "destroy.h"
#include "endpoint.h"
#include "fault.h"
#include "grant.h"
#include "job.h"
#include "pool.h"
#include "revoke.h"
#include "space.h"
#include "task.h"

enum handler_flags {
    ON_WHOLE = 1, // it reaches beyond any window: the grant must be on all of the space
    GIVES_CAP = 2,
    ON_PAGES = 4,  // it has to wait while a job is at the space
    IN_STEPS = 12, // and may become one: ON_PAGES too
    READS = 20,    // it only looks: ON_PAGES too
};

// Through what it is called, with which rights: a grant, or the capability to a task.
#define GRANT(rights) portal_need(PORTAL_GRANT, rights)
#define TASK          portal_need(PORTAL_TASK, 0)

// clang-format off
static const struct handler {
    status_t (*serve)(struct vmm *vm, struct request *c);
    uint32_t needs; // see portal_has()
    uint32_t flags;
} handlers[VMM_REQUESTS + 1] = {
    [VMM_SPACE_CREATE]  = {serve_space_create, GRANT(RIGHT_CREATE), GIVES_CAP},
    [VMM_SPACE_CLONE]   = {serve_space_clone, GRANT(RIGHT_CLONE | RIGHT_READ), ON_WHOLE | GIVES_CAP | ON_PAGES},
    [VMM_SPACE_DESTROY] = {serve_space_destroy, GRANT(RIGHT_DESTROY), ON_WHOLE},
    [VMM_MAP]           = {serve_map, GRANT(RIGHT_MAP), IN_STEPS},
    [VMM_UNMAP]         = {serve_unmap, GRANT(RIGHT_MAP), IN_STEPS},
    [VMM_PROTECT]       = {serve_protect, GRANT(RIGHT_MAP), IN_STEPS},
    [VMM_SHARE]         = {serve_share, GRANT(RIGHT_SHARE), IN_STEPS},
    [VMM_MOVE]          = {serve_move, GRANT(RIGHT_SHARE | RIGHT_MAP), IN_STEPS},
    [VMM_DERIVE]        = {serve_derive, GRANT(RIGHT_DERIVE), GIVES_CAP},
    [VMM_REVOKE]        = {serve_revoke, GRANT(RIGHT_DERIVE), 0},
    [VMM_QUERY]         = {serve_query, GRANT(RIGHT_QUERY), READS},
    [VMM_STATS]         = {serve_stats, GRANT(RIGHT_QUERY), READS},
    [VMM_AUDIT]         = {serve_audit, GRANT(RIGHT_AUDIT), 0},
    [VMM_SPAWN]         = {serve_spawn, GRANT(RIGHT_SPAWN), ON_WHOLE | GIVES_CAP},
    [VMM_TASK_KILL]     = {serve_task_kill, TASK, 0},
    [VMM_TASK_WAIT]     = {serve_task_wait, TASK, 0},
    [VMM_ENDPOINT]      = {serve_endpoint, GRANT(RIGHT_CREATE), GIVES_CAP},
    [VMM_PORTAL]        = {serve_portal, GRANT(RIGHT_CREATE), GIVES_CAP},
    [VMM_SNAPSHOT]      = {serve_snapshot, GRANT(RIGHT_CLONE | RIGHT_READ), ON_WHOLE | GIVES_CAP | ON_PAGES},
    [VMM_DIFF]          = {serve_diff, GRANT(RIGHT_QUERY), READS},
    [VMM_ROLLBACK]      = {serve_rollback, GRANT(RIGHT_MAP | RIGHT_READ), ON_WHOLE | ON_PAGES},
    [VMM_MAPS]          = {serve_maps, GRANT(RIGHT_QUERY), READS},
    [VMM_TASK_SLOTS]    = {serve_task_slots, TASK, 0},
    [VMM_TASK_PAGER]    = {serve_task_pager, TASK, 0},
    [VMM_SET_PAGER]     = {serve_set_pager, GRANT(RIGHT_MAP), IN_STEPS},
    [VMM_SUPPLY]        = {serve_supply, GRANT(RIGHT_SHARE), IN_STEPS},
    [VMM_SETTLE]        = {serve_settle, GRANT(0), 0},
    [VMM_EXPLAIN]       = {serve_explain, GRANT(RIGHT_QUERY), READS},
    [VMM_REQUESTS]      = {NULL, portal_need(PORTAL_DEAD, 0), 0}, // all others
    [VMM_POWER_OFF]     = {serve_power_off, GRANT(RIGHT_POWER), 0},
};
// clang-format on

// A call through what is dead. Whose own capability is being revoked may still ask whether that is
// done.
static status_t serve_dead(struct vmm *vm, struct request *c, uint32_t opcode)
{
    bool asks = opcode == VMM_REVOKE && revoke_is_pending(vm) &&
                badge_portal(c->badge) == vm->state->revoke.top;
    status_t status = asks ? revoke_step(vm) : E_REVOKED;
    c->answer[1] = status == E_MORE;
    return status;
}

status_t call_again(struct request *c, uint64_t token)
{
    for (unsigned i = 1; i < MESSAGE_WORDS - 1; i++)
        c->answer[i] = c->words[i];
    c->answer[MESSAGE_WORDS - 1] = token;
    return E_MORE;
}

// A call on pages meets the jobs on its spaces: its own, which it goes on with, or others, which have to
// be out of the way. True if it is answered by that.
static bool meets_job(struct vmm *vm, const struct handler *h, struct request *c, status_t *status)
{
    bool reads = (h->flags & READS) == READS;
    uint64_t token = (h->flags & IN_STEPS) == IN_STEPS ? c->words[MESSAGE_WORDS - 1] : 0;
    const struct portal *other =
        c->carried == CARRIED_BADGE ? badge_find(vm, c->carried_value) : NULL;
    *status = token ? job_resume(vm, badge_portal(c->badge), token) : job_help(vm, c->space, reads);
    if (!token && *status == OK && other && other->kind == PORTAL_GRANT)
        *status = job_help(vm, other->owner, reads);
    if (!token && *status == OK)
        return false;
    if (*status == E_MORE)
        *status = call_again(c, token);
    return true;
}

// What lacks memory waits for that which was given up before, but was not free yet. A capability that
// came with the call may be gone by now.
static status_t wait_for_memory(struct vmm *vm, struct request *c, status_t status)
{
    if ((status != E_NOMEM && status != E_QUOTA) || c->carried == CARRIED_SLOT)
        return status;
    vmm_begin(vm);
    (void)pt_bury(vm);
    return call_again(c, 0);
}

// Why a call is not served through that portal.
rare static status_t refuse(struct vmm *vm, struct request *c, const struct handler *h)
{
    uint32_t request = (uint32_t)c->words[0];
    if (!c->portal || (c->portal->kind != PORTAL_GRANT && c->portal->kind != PORTAL_TASK))
        return serve_dead(vm, c, request & 0xffff);
    if (request >> 16 != VMM_VERSION)
        return E_VERSION;
    return h->serve ? E_RIGHT : E_NOSYS;
}

static status_t check_special(const struct vmm *vm, const struct request *c, unsigned flags)
{
    if (flags & ON_WHOLE && c->portal->n_pages != vm->state->user_pages)
        return E_RIGHT;
    return flags & GIVES_CAP && !c->wants_cap ? E_NOSLOT : OK;
}

// Serves it beside other things that are under way, or goes on with what it is for.
static status_t serve_beside(struct vmm *vm, struct request *c, const struct handler *h)
{
    status_t status;
    bool has_dead = vm->state->dead_tables.n;
    if (!(h->flags & ON_PAGES) || !meets_job(vm, h, c, &status))
        status = h->serve(vm, c);
    return has_dead ? wait_for_memory(vm, c, status) : status;
}

static status_t serve_call(struct vmm *vm, struct request *c)
{
    uint32_t opcode = (uint32_t)c->words[0] - (VMM_VERSION << 16);
    const struct handler *h = &handlers[opcode < VMM_REQUESTS ? opcode : VMM_REQUESTS];
    c->portal = badge_find(vm, c->badge);
    if (!c->portal || !portal_has(c->portal, h->needs))
        return refuse(vm, c, h);
    status_t status = h->flags & (ON_WHOLE | GIVES_CAP) ? check_special(vm, c, h->flags) : OK;
    if (status != OK)
        return status;
    c->flags = (uint32_t)(c->words[0] >> 32);
    c->space = c->portal->owner;
    c->home = record_place(vm, c->space);
    if (vm->state->is_busy || c->words[MESSAGE_WORDS - 1])
        status = serve_beside(vm, c, h);
    else
        status = h->serve(vm, c);
    if (h->flags & GIVES_CAP)
        c->gives_cap |= status == OK;
    return status;
}

rare static void answer_failure(struct request *r, status_t status)
{
    if (status != E_MORE)
        __builtin_memset(r->answer, 0, sizeof r->answer);
    r->answer[0] = (uint64_t)(int64_t)status;
}

static void request_call(struct vmm *vm, struct request *r)
{
    r->is_answered = true;
    status_t status = serve_call(vm, r);
    if (r->carried == CARRIED_SLOT)
        vm->ports->drop(vm->context, vm->state->receive_slot);
    if (status != OK)
        answer_failure(r, status);
}

// The portal of a message that the kernel made: it is there, by our own bookkeeping.
static struct portal *event_portal(struct vmm *vm, const struct request *r)
{
    struct portal *p = badge_find(vm, r->badge);
    invariant(p);
    return p;
}

static void request_last_reference(struct vmm *vm, const struct request *r)
{
    const struct portal *p = badge_find(vm, r->badge);
    if (!p) // it is being revoked
        portal_unused(vm, badge_portal(r->badge));
    else if (p->kind == PORTAL_GRANT)
        grant_drop(vm, badge_portal(r->badge));
    else
        task_drop(vm, p->owner);
}

// A message of the kernel's.
static void request_event(struct vmm *vm, struct request *r)
{
    switch (r->event) {
    case EVENT_EXCEPTION:
        r->is_answered = fault_serve(vm, event_portal(vm, r)->owner, r->words);
        break;
    case EVENT_EXIT:
        task_end(vm, event_portal(vm, r)->owner,
                 &(struct task_end){.exit_kind = EXIT_NORMAL, .code = r->words[0]});
        break;
    case EVENT_LAST_REFERENCE:
        request_last_reference(vm, r);
        break;
    case EVENT_PORTAL_UNUSED:
        endpoint_portal_unused(vm, r->words[0]);
        break;
    case EVENT_ENDPOINT_UNUSED:
        endpoint_drop(vm, r->words[0]);
        break;
    case EVENT_CALL:
    case EVENT_NOTIFICATION:
        break; // nobody may notify the VMM with a meaning
    }
}

// What is under way goes a step further with each message.
static void request_settle(struct vmm *vm, const struct request *r)
{
    uint64_t opcode = r->event == EVENT_CALL ? r->words[0] & 0xffff : VMM_REQUESTS;
    if (revoke_is_pending(vm) && opcode != VMM_REVOKE)
        (void)revoke_step(vm); // whoever waits for it will hear
    if (destroy_is_pending(vm) && opcode != VMM_SPACE_DESTROY)
        (void)destroy_step(vm, DESTROY_WORK);
    vmm_settle(vm);
}

void request_serve(struct vmm *vm, struct request *r)
{
    vmm_begin(vm);
    r->is_answered = r->gives_cap = false;
    __builtin_memset(r->answer, 0, sizeof r->answer);
    if (r->event == EVENT_CALL)
        request_call(vm, r);
    else
        request_event(vm, r);
    if (vm->state->is_busy)
        request_settle(vm, r);
}
