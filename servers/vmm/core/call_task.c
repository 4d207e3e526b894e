// SPDX-License-Identifier: MIT
#include "account.h"
#include "call.h"
#include "endpoint.h"
#include "probe_page.h"
#include "space.h"
#include "task.h"

status_t serve_spawn(struct vmm *vm, struct request *c)
{
    bool is_probe = c->flags & SPAWN_PROBE;
    struct spawn s = {
        .space = c->space,
        .self = is_probe ? 0 : badge_portal(c->badge),
        .is_probe = is_probe,
        .is_fragile = is_probe || c->flags & SPAWN_FRAGILE,
        .rip = is_probe ? probe_address(vm) : c->words[1],
        .rsp = c->words[2],
        .arg = c->words[3],
        .priority = c->words[4],
    };
    if (c->flags & ~(SPAWN_PROBE | SPAWN_FRAGILE))
        return E_INVAL;
    if (s.priority > account_of(vm, c->home->account)->priority)
        return E_RIGHT;
    if (c->carried == CARRIED_OBJECT)
        return E_SLOT;
    if (c->carried == CARRIED_SLOT)
        s.parent_kind = PARENT_SLOT;
    if (c->carried == CARRIED_BADGE) {
        s.parent_kind = PARENT_PORTAL;
        s.parent = badge_portal(c->carried_value);
        if (!badge_find(vm, c->carried_value))
            return E_REVOKED;
    }
    return task_spawn(vm, &s);
}

status_t serve_task_kill(struct vmm *vm, struct request *c)
{
    record_t task = c->portal->owner;
    if (task_of(vm, task)->is_running)
        task_end(vm, task, &(struct task_end){.exit_kind = EXIT_KILLED});
    return OK;
}

status_t serve_task_wait(struct vmm *vm, struct request *c)
{
    const struct task *t = task_of(vm, c->portal->owner);
    if (!t->is_running) {
        task_exit_words(t, c->answer);
        return OK;
    }
    task_wait(vm, c->portal->owner);
    c->is_answered = false;
    return OK;
}

status_t serve_task_slots(struct vmm *vm, struct request *c)
{
    return task_add_slots(vm, c->portal->owner);
}

status_t serve_endpoint(struct vmm *vm, struct request *c)
{
    return endpoint_create(vm, c->home->account);
}

status_t serve_portal(struct vmm *vm, struct request *c)
{
    if (c->carried != CARRIED_OBJECT)
        return E_SLOT;
    if (c->words[2] & ~(uint64_t)SLOT_FLAGS_ALL)
        return E_INVAL;
    return endpoint_portal(vm, c->home->account, c->carried_value, c->words[1], c->words[2]);
}

status_t serve_power_off(struct vmm *vm, struct request *c)
{
    vm->ports->power_off(vm->context, c->words[1]);
    return OK;
}
