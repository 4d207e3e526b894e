// SPDX-License-Identifier: MIT
#include "request.h"

#include "call.h"
#include "endpoint.h"
#include "fault.h"
#include "grant.h"
#include "job.h"
#include "revoke.h"
#include "space.h"
#include "task.h"

// A call needs all of `rights`.
enum handler_flags {
    ON_WHOLE = 1, // it reaches beyond any window: the grant must be on all of the space
    ON_TASK = 2,  // through a task capability, not a grant
    GIVES_CAP = 4,
    ON_PAGES = 8,  // it has to wait while a job is at the space
    IN_STEPS = 24, // and may become one: ON_PAGES too
};

// clang-format off
static const struct handler {
    status_t (*serve)(struct vmm *vm, struct call *c);
    uint16_t rights;
    uint16_t flags;
} handlers[VMM_REQUESTS] = {
    [VMM_SPACE_CREATE]  = {serve_space_create, RIGHT_CREATE, GIVES_CAP},
    [VMM_SPACE_CLONE]   = {serve_space_clone, RIGHT_CLONE | RIGHT_READ, ON_WHOLE | GIVES_CAP | ON_PAGES},
    [VMM_SPACE_DESTROY] = {serve_space_destroy, RIGHT_DESTROY, ON_WHOLE},
    [VMM_MAP]           = {serve_map, RIGHT_MAP, IN_STEPS},
    [VMM_UNMAP]         = {serve_unmap, RIGHT_MAP, IN_STEPS},
    [VMM_PROTECT]       = {serve_protect, RIGHT_MAP, IN_STEPS},
    [VMM_SHARE]         = {serve_share, RIGHT_SHARE, IN_STEPS},
    [VMM_MOVE]          = {serve_move, RIGHT_SHARE | RIGHT_MAP, IN_STEPS},
    [VMM_DERIVE]        = {serve_derive, RIGHT_DERIVE, GIVES_CAP},
    [VMM_REVOKE]        = {serve_revoke, RIGHT_DERIVE, 0},
    [VMM_QUERY]         = {serve_query, RIGHT_QUERY, ON_PAGES},
    [VMM_STATS]         = {serve_stats, RIGHT_QUERY, ON_PAGES},
    [VMM_AUDIT]         = {serve_audit, RIGHT_AUDIT, 0},
    [VMM_SPAWN]         = {serve_spawn, RIGHT_SPAWN, ON_WHOLE | GIVES_CAP},
    [VMM_TASK_KILL]     = {serve_task_kill, 0, ON_TASK},
    [VMM_TASK_WAIT]     = {serve_task_wait, 0, ON_TASK},
    [VMM_ENDPOINT]      = {serve_endpoint, RIGHT_CREATE, GIVES_CAP},
    [VMM_PORTAL]        = {serve_portal, RIGHT_CREATE, GIVES_CAP},
    [VMM_SNAPSHOT]      = {serve_snapshot, RIGHT_CLONE | RIGHT_READ, ON_WHOLE | GIVES_CAP | ON_PAGES},
    [VMM_DIFF]          = {serve_diff, RIGHT_QUERY, ON_PAGES},
    [VMM_ROLLBACK]      = {serve_rollback, RIGHT_MAP | RIGHT_READ, ON_WHOLE | ON_PAGES},
    [VMM_MAPS]          = {serve_maps, RIGHT_QUERY, ON_PAGES},
    [VMM_TASK_SLOTS]    = {serve_task_slots, 0, ON_TASK},
    [VMM_SET_PAGER]     = {serve_set_pager, RIGHT_MAP, IN_STEPS},
    [VMM_SUPPLY]        = {serve_supply, RIGHT_SHARE, IN_STEPS},
    [VMM_SETTLE]        = {serve_settle, 0, 0},
    [VMM_EXPLAIN]       = {serve_explain, RIGHT_QUERY, ON_PAGES},
    [VMM_POWER_OFF]     = {serve_power_off, RIGHT_POWER, 0},
};
// clang-format on

static status_t check_call(const struct vmm *vm, const struct handler *h, const struct call *c)
{
    enum portal_kind kind = h->flags & ON_TASK ? PORTAL_TASK : PORTAL_GRANT;
    if (c->portal->kind != kind || h->rights & ~(unsigned)c->portal->rights)
        return E_RIGHT;
    if (h->flags & ON_WHOLE && c->portal->n_pages != vm->state->user_pages)
        return E_RIGHT;
    return h->flags & GIVES_CAP && !c->request->wants_cap ? E_NOSLOT : OK;
}

// A call through what is dead. Whose own capability is being revoked may still ask whether that is
// done.
static status_t serve_dead(struct vmm *vm, struct call *c, uint32_t opcode)
{
    bool asks = opcode == VMM_REVOKE && revoke_is_pending(vm) &&
                badge_portal(c->request->badge) == vm->state->revoke.top;
    status_t status = asks ? revoke_step(vm) : E_REVOKED;
    c->answer[1] = status == E_MORE;
    return status;
}

status_t call_again(struct call *c, uint64_t token)
{
    for (unsigned i = 1; i < MESSAGE_WORDS - 1; i++)
        c->answer[i] = c->words[i];
    c->answer[MESSAGE_WORDS - 1] = token;
    return E_MORE;
}

// A call on pages meets the jobs on its spaces: its own, which it goes on with, or others, which have to
// be out of the way. True if it is answered by that.
static bool meets_job(struct vmm *vm, const struct handler *h, struct call *c, status_t *status)
{
    uint64_t token = (h->flags & IN_STEPS) == IN_STEPS ? c->words[MESSAGE_WORDS - 1] : 0;
    const struct portal *other =
        c->request->carried == CARRIED_BADGE ? badge_find(vm, c->request->carried_value) : NULL;
    *status = token ? job_resume(vm, c->space, c->number, &token) : E_STATE;
    if (*status == E_MORE)
        *status = call_again(c, token);
    if (*status != E_STATE)
        return true;
    if (job_help(vm, c->space) != E_MORE &&
        (!other || other->kind != PORTAL_GRANT || job_help(vm, other->owner) != E_MORE))
        return false;
    *status = call_again(c, 0);
    return true;
}

// What lacks memory waits for that which was given up before, but was not free yet. A capability that
// came with the call may be gone by now.
static status_t wait_for_memory(struct vmm *vm, struct call *c, status_t status)
{
    if ((status != E_NOMEM && status != E_QUOTA) || c->request->carried == CARRIED_SLOT)
        return status;
    vmm_begin(vm);
    (void)pt_bury(vm);
    return call_again(c, 0);
}

static status_t serve_call(struct vmm *vm, struct call *c, bool *gives_cap)
{
    uint64_t badge = c->request->badge;
    uint32_t request = (uint32_t)c->words[0], opcode = request & 0xffff;
    c->portal = badge_find(vm, badge);
    if (!c->portal || (c->portal->kind != PORTAL_GRANT && c->portal->kind != PORTAL_TASK))
        return serve_dead(vm, c, opcode);
    if (request >> 16 != VMM_VERSION)
        return E_VERSION;
    if (opcode >= VMM_REQUESTS || !handlers[opcode].serve)
        return E_NOSYS;
    const struct handler *h = &handlers[opcode];
    status_t status = check_call(vm, h, c);
    if (status != OK)
        return status;
    c->flags = (uint32_t)(c->words[0] >> 32);
    c->number = badge_portal(badge);
    if (c->portal->kind == PORTAL_GRANT) {
        c->space = c->portal->owner;
        c->account = space_of(vm, c->space)->account;
    }
    bool has_dead = vm->state->dead_tables.n;
    if (!(h->flags & ON_PAGES) || !meets_job(vm, h, c, &status))
        status = h->serve(vm, c);
    *gives_cap = h->flags & GIVES_CAP && (status == OK || c->gives_cap);
    return has_dead ? wait_for_memory(vm, c, status) : status;
}

static void request_call(struct vmm *vm, struct request *r)
{
    struct call c = {.request = r, .words = r->words, .answer = r->answer};
    status_t status = serve_call(vm, &c, &r->gives_cap);
    if (r->carried == CARRIED_SLOT)
        vm->ports->drop(vm->context, vm->state->receive_slot);
    if (status != OK && status != E_MORE)
        __builtin_memset(r->answer, 0, sizeof r->answer);
    r->answer[0] = (uint64_t)(int64_t)status;
    r->is_answered = !c.is_kept;
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
        task_drop(vm, p->owner, p->kind);
}

static bool is_revoke(const struct request *r)
{
    return r->event == EVENT_CALL && (r->words[0] & 0xffff) == VMM_REVOKE;
}

void request_serve(struct vmm *vm, struct request *r)
{
    vmm_begin(vm);
    r->is_answered = r->gives_cap = false;
    __builtin_memset(r->answer, 0, sizeof r->answer);
    switch (r->event) {
    case EVENT_CALL:
        request_call(vm, r);
        break;
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
    case EVENT_NOTIFICATION:
        break; // nobody may notify the VMM with a meaning
    }
    if (revoke_is_pending(vm) && !is_revoke(r))
        (void)revoke_step(vm); // whoever waits for it will hear
    if (!vmm_is_settled(vm->state))
        vmm_settle(vm);
}
