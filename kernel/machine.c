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
    switch (w[1]) {
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
    case SYS_TASK_STOP:
        return task_stop(target);
    case SYS_TASK_RESUME:
        return task_resume(target);
    default:
        return task_add_slots(target, w[1]);
    }
}

static status_t task_pager_call(struct task *t, const uint64_t *w)
{
    struct task *target;
    slot_t sent = header_send(t->regs.rax);
    struct slot *from = slot_of_type(t, sent, SLOT_PORTAL);
    if (sent && !from)
        return E_SLOT;
    status_t status = find_task(w[0], &target);
    if (status == OK)
        status = task_set_pager(target, from);
    if (status == OK && from)
        task_slot_empties(t, from);
    return status;
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

// What the new task and its maker get of portals: checked, and found, before anything is done.
struct start_call {
    struct portal *portal, *self; // NULL: none
    struct slot *answer, *parent;
};

static status_t start_find(struct task *t, const uint64_t *w, struct start_call *c)
{
    uint64_t header = t->regs.rax, portal = w[1] >> 32, self = w[0] >> 32;
    status_t status = portal ? portal_find(portal, &c->portal) : OK;
    if (status == OK && self)
        status = portal_find(self, &c->self);
    if (status == OK && header_receive(header))
        status = find_empty(t, header_receive(header), &c->answer);
    if (status != OK)
        return status;
    c->parent = slot_at(t, header_send(header));
    if (header_send(header) && (!c->parent || c->parent->type == SLOT_EMPTY))
        return E_SLOT;
    if (c->answer && !c->portal)
        return E_INVAL;
    return !c->portal || portal_is_free(c->portal) ? OK : E_STATE;
}

static void start_give(const struct start_call *c, struct task *t, struct task *new, uint64_t badge)
{
    struct slot slot = {.portal = c->self, .type = SLOT_PORTAL, .flags = SLOT_ALL};
    if (c->self)
        new->slots[SLOT_SELF] = slot;
    slot.portal = c->portal;
    if (c->answer) {
        *c->answer = slot;
        task_slot_fills(t, c->answer);
    }
    slot.flags = SLOT_COPY | SLOT_MOVE; // not to be named
    if (c->portal) {
        new->slots[0] = slot;
        portal_begin(c->portal, machine_endpoint, badge, c->answer ? 2 : 1);
    }
    if (!c->parent)
        return;
    task_slot_empties(t, c->parent);
    (void)slot_transfer(c->parent, &new->slots[SLOT_PARENT], true, 0); // a move cannot fail
}

static status_t task_start_call(struct task *t, const uint64_t *w)
{
    struct start_call c = {0};
    struct task *new;
    const struct task_start start = {
        .root = (w[1] & UINT32_MAX) * PAGE_SIZE,
        .priority = w[0] >> START_PRIORITY_SHIFT & 0xff,
        .rip = w[3],
        .rsp = w[4],
        .arg = w[5],
    };
    status_t status = start_find(t, w, &c);
    if (status == OK)
        status = task_create(w[0] & START_INDEX_MASK, t->cpu, &start, &new);
    if (status != OK)
        return status;
    if (c.self)
        status = portal_again(c.self);
    if (status != OK) {
        new->object.kind = OBJECT_NONE;
        return status;
    }
    start_give(&c, t, new, w[2]);
    return header_flags(t->regs.rax) & SYS_HOLD ? OK : task_resume(new);
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
    case SYS_TASK_START:
        return task_start_call(t, w);
    case SYS_TASK_PAGER:
        return task_pager_call(t, w);
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
