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
    s->has_probe |= t->is_probe;
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
    if (t->is_probe)
        space_of(vm, t->space)->has_probe = false;
    space_release(vm, t->space);
}

// Where the list of the starved names the task; for 0, where it ends.
static record_t *starved_link(struct vmm *vm, record_t id)
{
    record_t *link = &vm->state->starved;
    while (*link != id)
        link = &task_of(vm, *link)->next_starved;
    return link;
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

// Waiters that died have left their slots empty: frees those.
static void sweep_waiters(struct vmm *vm, struct task *t)
{
    uint16_t kept = 0;
    while (t->waiters) {
        uint16_t slot = t->waiters;
        t->waiters = *slot_next(vm, slot);
        if (vm->ports->is_empty(vm->context, slot)) {
            slot_free(vm, slot);
        } else {
            *slot_next(vm, slot) = kept;
            kept = slot;
        }
    }
    t->waiters = kept;
}

// Before more slots are made, those that died with their waiters are looked for.
static status_t take_slot(struct vmm *vm, uint16_t *slot)
{
    record_t space = vm->state->free_slots ? 0 : vm->state->spaces;
    for (; space; space = space_of(vm, space)->next)
        for (record_t id = space_of(vm, space)->tasks; id; id = task_of(vm, id)->next)
            sweep_waiters(vm, task_of(vm, id));
    return slot_alloc(vm, slot);
}

// The VMM's part of a new task: record, portals, a slot, kernel object.
static status_t task_create(struct vmm *vm, const struct spawn *s, record_t *id)
{
    record_t account = s->is_probe ? vm->state->root_account : space_of(vm, s->space)->account;
    if (s->is_probe && space_of(vm, s->space)->has_probe)
        return E_BUSY;
    status_t status = record_alloc(vm, account, RECORD_TASK, id);
    if (status != OK)
        return status;
    struct task *t = task_of(vm, *id);
    t->space = s->space;
    t->is_fragile = s->is_fragile;
    t->is_probe = s->is_probe;
    if (!s->is_init)
        status = portal_alloc(vm, account, PORTAL_TASK, *id, &t->capability);
    if (status == OK)
        status = portal_alloc(vm, account, PORTAL_PAGER, *id, &t->pager);
    if (status == OK)
        status = take_slot(vm, &t->spare);
    if (status == OK)
        status = object_create(vm, account, KERNEL_TASK, *id, 0, &t->object);
    if (status == OK) {
        t->is_running = true;
        task_link(vm, *id);
        return OK;
    }
    if (t->spare)
        slot_free(vm, t->spare);
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
    status_t status = s->self ? task_give_portal(vm, t, TASK_SLOT_SELF, s->self) : OK;
    if (status == OK && s->parent_kind == PARENT_PORTAL)
        status = task_give_portal(vm, t, TASK_SLOT_PARENT, s->parent);
    if (status == OK && s->parent_kind == PARENT_SLOT)
        status = task_give(vm, t, TASK_SLOT_PARENT, vm->state->receive_slot);
    if (status == OK && s->devices)
        status = task_give_portal(vm, t, TASK_SLOT_DEVICES, s->devices);
    if (status == OK && s->gets_console)
        status = task_give(vm, t, TASK_SLOT_CONSOLE, VMM_SLOT_CONSOLE);
    return status;
}

// The kernel's task and all that it took, but for the portals, which others may hold.
static void task_stop(struct vmm *vm, record_t id)
{
    struct task *t = task_of(vm, id);
    pfn_t slots = slots_of(vm, t->object);
    if (t->is_starved)
        *starved_link(vm, id) = t->next_starved;
    t->is_running = t->is_starved = false;
    object_destroy(vm, t->object);
    slots_drop(vm, slots);
    slot_free(vm, t->spare);
}

// A task that never ran goes. What was minted for it comes back as last references.
static status_t task_abandon(struct vmm *vm, record_t id, bool has_pager, bool has_capability,
                             status_t status)
{
    struct task *t = task_of(vm, id);
    task_stop(vm, id);
    task_unlink(vm, id);
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
    bool is_fault = t->exit_kind == EXIT_FAULT;
    words[0] = OK;
    words[1] = t->exit_kind;
    words[2] = is_fault ? (uint32_t)t->code : t->code;
    words[3] = t->address;
    words[4] = t->rip;
    words[5] = is_fault ? t->code >> 32 | (uint64_t)(int64_t)t->reason << 32 : 0;
}

status_t task_wait(struct vmm *vm, record_t id)
{
    struct task *t = task_of(vm, id);
    uint16_t fresh;
    status_t status = take_slot(vm, &fresh);
    if (status != OK)
        return status;
    *slot_next(vm, vm->state->reply_slot) = t->waiters;
    t->waiters = vm->state->reply_slot;
    vm->state->reply_slot = fresh;
    return OK;
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

void task_note(struct vmm *vm, record_t id, const struct task_end *end)
{
    struct task *t = task_of(vm, id);
    t->exit_kind = end->exit_kind;
    t->reason = (int8_t)end->reason;
    t->code = end->code;
    t->address = end->address;
    t->rip = end->rip;
}

void task_starve(struct vmm *vm, record_t id, const struct task_end *fault)
{
    struct task *t = task_of(vm, id);
    uint16_t kept = vm->state->reply_slot;
    vm->state->reply_slot = t->spare;
    t->spare = kept;
    task_note(vm, id, fault);
    *starved_link(vm, 0) = id; // the last one
    t->next_starved = 0;
    t->is_starved = vm->state->is_busy = true;
}

void task_feed(struct vmm *vm, record_t *link)
{
    static const uint64_t words[MESSAGE_WORDS]; // an exception's answer has none
    struct task *t = task_of(vm, *link);
    *link = t->next_starved;
    t->is_starved = false;
    vm->ports->reply(vm->context, t->spare, words);
}

status_t task_add_slots(struct vmm *vm, record_t id)
{
    const struct task *t = task_of(vm, id);
    return t->is_running ? slots_add(vm, space_of(vm, t->space)->account, t->object) : E_STATE;
}

void task_end(struct vmm *vm, record_t id, const struct task_end *end)
{
    struct task *t = task_of(vm, id);
    task_stop(vm, id);
    task_note(vm, id, end);
    task_wake_waiters(vm, t);
    task_unlink(vm, id);
    if (id == vm->state->init)
        vm->ports->fail(vm->context, "vmm: init ended without powering off");
    task_forget(vm, id);
}
