// SPDX-License-Identifier: MIT
// The system calls of the machine capability's holder, the VMM: kernel objects in donated frames.
#include "kernel/arch.h"
#include "kernel/endpoint.h"
#include "kernel/log.h"
#include "kernel/portal.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"

static status_t find_task(uint64_t index, struct task **task)
{
    struct object *object;
    status_t status = object_find(index, OBJECT_TASK, &object);
    if (status == OK)
        *task = container_of(object, struct task, object);
    return status;
}

static status_t find_endpoint(uint64_t index, struct endpoint **endpoint)
{
    struct object *object;
    status_t status = object_find(index, OBJECT_ENDPOINT, &object);
    if (status == OK)
        *endpoint = container_of(object, struct endpoint, object);
    return status;
}

// An empty slot of the caller's for a new capability.
static status_t find_empty(struct task *t, uint64_t number, struct slot **slot)
{
    if (!number || number > SLOT_MAX)
        return E_SLOT;
    status_t status = slot_check_empty(t, (slot_t)number);
    if (status == OK)
        *slot = slot_at(t, (slot_t)number);
    return status;
}

static status_t create_endpoint(struct task *t, uint64_t index, uint64_t slot_number)
{
    struct slot *slot;
    struct endpoint *endpoint;
    status_t status = find_empty(t, slot_number, &slot);
    if (status == OK)
        status = endpoint_create(index, &endpoint);
    if (status != OK)
        return status;
    *slot =
        (struct slot){.endpoint = endpoint, .type = SLOT_ENDPOINT, .flags = SLOT_COPY | SLOT_MOVE};
    task_slot_fills(t, slot);
    return OK;
}

static status_t object_create_call(struct task *t, const uint64_t *w)
{
    struct task *task;
    switch (w[1]) {
    case OBJECT_TASK:
        return task_create(w[0], t->cpu, &task);
    case OBJECT_ENDPOINT:
        return create_endpoint(t, w[0], w[2]);
    case OBJECT_PORTALS:
        return portals_create(w[0]);
    default:
        return E_INVAL;
    }
}

static status_t object_destroy_call(uint64_t index)
{
    struct object *o = arch_object_at(index);
    if (!o)
        return E_FAULT;
    if (o->index != index) // another mapping of an object's frame
        return E_STATE;
    switch (o->kind) {
    case OBJECT_TASK:
        return task_destroy(container_of(o, struct task, object));
    case OBJECT_ENDPOINT:
        return endpoint_destroy(container_of(o, struct endpoint, object));
    case OBJECT_PORTALS:
        return portals_destroy(container_of(o, struct portals, object));
    default:
        return E_STATE;
    }
}

static status_t task_call(enum syscall_number number, const uint64_t *w)
{
    struct task *target;
    status_t status = find_task(w[0], &target);
    if (status != OK)
        return status;
    switch (number) {
    case SYS_TASK_BIND:
        return task_bind(target, w[1], w[2], w[3]);
    case SYS_TASK_RUN:
        return task_run(target, w + 1);
    case SYS_TASK_STOP:
        return task_stop(target);
    case SYS_TASK_RESUME:
        return task_resume(target);
    default:
        return task_add_slots(target, w[1]);
    }
}

static status_t slot_give_call(struct task *t, const uint64_t *w)
{
    struct task *target;
    struct slot *from = slot_at(t, header_send(t->regs.rax));
    if (!from || from->type == SLOT_EMPTY)
        return E_SLOT;
    status_t status = find_task(w[0], &target);
    if (status != OK)
        return status;
    if (target->state != TASK_NEW)
        return E_STATE;
    struct slot *to = w[1] ? slot_at(target, w[1] > SLOT_MAX ? 0 : (slot_t)w[1]) : target->slots;
    if (!to)
        return E_SLOT;
    if (to->type != SLOT_EMPTY)
        return E_OCCUPIED;
    task_slot_empties(t, from);
    return slot_transfer(from, to, true, w[1] ? 0 : SLOT_CALL | SLOT_NOTIFY); // not to be named
}

static status_t portal_mint_call(struct task *t, const uint64_t *w)
{
    struct portal *portal;
    struct endpoint *endpoint;
    struct slot *slot;
    status_t status = portal_find(w[0], &portal);
    if (status == OK)
        status = find_endpoint(w[1], &endpoint);
    if (status == OK)
        status = find_empty(t, w[3], &slot);
    if (status == OK)
        status = portal_mint(portal, endpoint, w[2]);
    if (status != OK)
        return status;
    *slot =
        (struct slot){.portal = portal, .type = SLOT_PORTAL, .flags = (uint8_t)(w[4] & SLOT_ALL)};
    task_slot_fills(t, slot);
    return OK;
}

status_t machine_call(struct task *t, enum syscall_number number)
{
    const uint64_t *w = t->regs.w;
    switch (number) {
    case SYS_OBJECT_CREATE:
        return object_create_call(t, w);
    case SYS_OBJECT_DESTROY:
        return object_destroy_call(w[0]);
    case SYS_SLOT_GIVE:
        return slot_give_call(t, w);
    case SYS_PORTAL_MINT:
        return portal_mint_call(t, w);
    case SYS_PORTAL_REVOKE:
        return portals_revoke(w[0], w[1], w[2]);
    case SYS_FLUSH:
        arch_flush(t->cpu, w[0], w[1], w[2]);
        return OK;
    case SYS_POWER_OFF:
        log_flush();
        arch_power_off((unsigned)w[0]);
    default:
        return task_call(number, w);
    }
}
