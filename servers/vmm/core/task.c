// SPDX-License-Identifier: MIT
#include "task.h"

#include "pool.h"
#include "slots.h"
#include "space.h"
#include "window.h"

struct task *task_of(const struct vmm *vm, record_t id)
{
    return record_at(vm, id, RECORD_TASK);
}

static void task_link(struct vmm *vm, record_t id)
{
    struct task *t = task_of(vm, id);
    struct space *s = space_of(vm, t->space);
    t->next = s->tasks;
    if (t->next)
        task_of(vm, t->next)->prev = id;
    s->tasks = id;
    space_hold(vm, t->space);
}

static void task_unlink(struct vmm *vm, record_t id)
{
    const struct task *t = task_of(vm, id);
    if (t->prev)
        task_of(vm, t->prev)->next = t->next;
    else
        space_of(vm, t->space)->tasks = t->next;
    if (t->next)
        task_of(vm, t->next)->prev = t->prev;
    space_release(vm, t->space);
}

static void task_forget(struct vmm *vm, record_t id)
{
    const struct task *t = task_of(vm, id);
    if (!t->is_running && !t->capability && !t->pager)
        record_free(vm, id);
}

void task_drop(struct vmm *vm, record_t id, enum portal_kind kind)
{
    struct task *t = task_of(vm, id);
    portal_t *portal = kind == PORTAL_PAGER ? &t->pager : &t->capability;
    portal_free(vm, *portal);
    *portal = 0;
    task_forget(vm, id);
}

// The VMM's part of a new task: record, portals, kernel object.
static status_t task_create(struct vmm *vm, const struct spawn *s, record_t *id)
{
    record_t account = space_of(vm, s->space)->account;
    status_t status = record_alloc(vm, account, RECORD_TASK, id);
    if (status != OK)
        return status;
    struct task *t = task_of(vm, *id);
    t->space = s->space;
    if (!s->is_init)
        status = portal_alloc(vm, account, PORTAL_TASK, *id, &t->capability);
    if (status == OK)
        status = portal_alloc(vm, account, PORTAL_PAGER, *id, &t->pager);
    if (status == OK)
        status = object_create(vm, account, KERNEL_TASK, *id, 0, &t->object);
    if (status == OK) {
        t->is_running = true;
        task_link(vm, *id);
        return OK;
    }
    if (t->capability)
        portal_free(vm, t->capability);
    if (t->pager)
        portal_free(vm, t->pager);
    record_free(vm, *id);
    return status;
}

// Moves the capability in the VMM's slot `send` into the new task.
static status_t task_give(struct vmm *vm, const struct task *t, uint32_t slot, uint32_t send)
{
    return vm->ports->slot_give(vm->context, t->object, slot, send);
}

static status_t task_give_portal(struct vmm *vm, const struct task *t, uint32_t slot,
                                 portal_t portal)
{
    status_t status = portal_mint(vm, portal, VMM_SLOT_SCRATCH);
    if (status != OK)
        return status;
    status = task_give(vm, t, slot, VMM_SLOT_SCRATCH);
    if (status != OK)
        vm->ports->drop(vm->context, VMM_SLOT_SCRATCH);
    return status;
}

static status_t task_give_all(struct vmm *vm, const struct spawn *s, const struct task *t)
{
    status_t status = task_give_portal(vm, t, TASK_SLOT_SELF, s->self);
    if (status == OK && s->parent_kind == PARENT_PORTAL)
        status = task_give_portal(vm, t, TASK_SLOT_PARENT, s->parent);
    if (status == OK && s->parent_kind == PARENT_SLOT)
        status = task_give(vm, t, TASK_SLOT_PARENT, VMM_SLOT_RECEIVE);
    if (status == OK && s->gets_console)
        status = task_give(vm, t, TASK_SLOT_CONSOLE, VMM_SLOT_CONSOLE);
    return status;
}

// A task that never ran goes. What was minted for it comes back as last references.
static status_t task_abandon(struct vmm *vm, record_t id, bool has_pager, bool has_capability,
                             status_t status)
{
    struct task *t = task_of(vm, id);
    object_destroy(vm, t->object);
    task_unlink(vm, id);
    t->is_running = false;
    if (has_capability)
        vm->ports->drop(vm->context, VMM_SLOT_ANSWER);
    if (!has_capability && t->capability) {
        portal_free(vm, t->capability);
        t->capability = 0;
    }
    if (has_pager)
        return status;
    task_drop(vm, id, PORTAL_PAGER);
    return status;
}

status_t task_spawn(struct vmm *vm, const struct spawn *s)
{
    record_t id;
    status_t status = task_create(vm, s, &id);
    if (status != OK)
        return status;
    struct task *t = task_of(vm, id);
    paddr_t root = frame_address(space_of(vm, s->space)->root);
    status = vm->ports->task_bind(vm->context, t->object, root, s->priority);
    if (status == OK)
        status = portal_mint(vm, t->pager, VMM_SLOT_SCRATCH);
    if (status != OK)
        return task_abandon(vm, id, false, false, status);
    status = task_give(vm, t, TASK_SLOT_PAGER, VMM_SLOT_SCRATCH);
    if (status != OK)
        vm->ports->drop(vm->context, VMM_SLOT_SCRATCH);
    if (status == OK)
        status = task_give_all(vm, s, t);
    if (status == OK && !s->is_init)
        status = portal_mint(vm, t->capability, VMM_SLOT_ANSWER);
    if (status != OK)
        return task_abandon(vm, id, true, false, status);
    t->number = ++vm->state->n_tasks;
    status = vm->ports->task_run(vm->context, t->object, s->rip, s->rsp, s->arg);
    if (status != OK)
        return task_abandon(vm, id, true, !s->is_init, status);
    if (s->is_init)
        vm->state->init = id;
    return OK;
}

void task_exit_words(const struct task *t, uint64_t words[MESSAGE_WORDS])
{
    words[0] = OK;
    words[1] = t->exit_kind;
    words[2] = t->code;
    words[3] = t->address;
    words[4] = t->rip;
    words[5] = 0;
}

static void task_wake_waiters(struct vmm *vm, struct task *t)
{
    uint64_t words[MESSAGE_WORDS];
    task_exit_words(t, words);
    while (t->waiters) {
        uint16_t slot = t->waiters;
        t->waiters = *slot_next(vm, slot);
        vm->ports->reply(vm->context, slot, words);
        slot_free(vm, slot);
    }
}

void task_end(struct vmm *vm, record_t id, const struct task_end *end)
{
    struct task *t = task_of(vm, id);
    t->is_running = false;
    t->exit_kind = end->exit_kind;
    t->code = end->code;
    t->address = end->address;
    t->rip = end->rip;
    object_destroy(vm, t->object);
    task_wake_waiters(vm, t);
    task_unlink(vm, id);
    if (id == vm->state->init)
        vm->ports->fail(vm->context, "vmm: init ended without powering off");
    task_forget(vm, id);
}

void task_kill_all(struct vmm *vm, record_t space)
{
    space_hold(vm, space);
    while (space_of(vm, space)->tasks)
        task_end(vm, space_of(vm, space)->tasks, &(struct task_end){.exit_kind = EXIT_KILLED});
    space_release(vm, space);
}
