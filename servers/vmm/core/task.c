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
    if (!t->is_running && !t->portal)
        record_free(vm, id);
}

void task_drop(struct vmm *vm, record_t id)
{
    struct task *t = task_of(vm, id);
    portal_free(vm, t->portal);
    t->portal = 0;
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

void tasks_sweep(struct vmm *vm)
{
    for (record_t space = vm->state->spaces; space; space = space_of(vm, space)->next)
        for (record_t id = space_of(vm, space)->tasks; id; id = task_of(vm, id)->next)
            sweep_waiters(vm, task_of(vm, id));
}

// A task that never ran goes, as far as it was made.
static void task_unmake(struct vmm *vm, record_t id)
{
    const struct task *t = task_of(vm, id);
    if (t->object)
        object_unmap(vm, t->object);
    if (t->portal)
        portal_free(vm, t->portal);
    slots_unclaim(vm, space_of(vm, t->space)->account);
    record_free(vm, id);
}

// The VMM's part of a new task: a claim on a slot, record, portal, the frame for the kernel's object. The
// machine pays for probes, but not with slots.
static status_t task_make(struct vmm *vm, const struct spawn *s, record_t *id)
{
    const struct space *space = space_of(vm, s->space);
    record_t account = s->is_probe ? vm->state->root_account : space->account;
    if (s->is_probe && space->has_probe)
        return E_BUSY;
    status_t status = slots_claim(vm, space->account);
    if (status != OK)
        return status;
    status = record_alloc(vm, account, RECORD_TASK, id);
    if (status != OK) {
        slots_unclaim(vm, space->account);
        return status;
    }
    struct task *t = task_of(vm, *id);
    t->space = s->space;
    t->is_fragile = s->is_fragile;
    t->is_probe = s->is_probe;
    status = portal_alloc(vm, account, PORTAL_TASK, *id, &t->portal);
    if (status == OK)
        status = object_map(vm, account, KERNEL_TASK, *id, &t->object);
    if (status != OK)
        task_unmake(vm, *id);
    return status;
}

// The kernel's task, with all that it gets. A parent's portal may be given up if that cannot be.
static status_t task_start(struct vmm *vm, const struct spawn *s, const struct task *t)
{
    const struct start start = {
        .index = t->object,
        .portal = t->portal,
        .self = s->is_init ? 0 : s->self,
        .badge = portal_badge(vm, PORTAL_TASK, t->portal),
        .parent = s->parent_kind == PARENT_PORTAL ? VMM_SLOT_SCRATCH
                  : s->parent_kind == PARENT_SLOT ? vm->state->receive_slot
                                                  : 0,
        .answer = s->is_init ? 0 : VMM_SLOT_ANSWER,
        .is_held = s->is_init,
        .root = frame_address(space_of(vm, s->space)->root),
        .priority = s->priority,
        .rip = s->rip,
        .rsp = s->rsp,
        .arg = s->arg,
    };
    status_t status = OK;
    if (s->parent_kind == PARENT_PORTAL)
        status = portal_mint(vm, s->parent, VMM_SLOT_SCRATCH);
    if (status != OK)
        return status;
    status = vm->ports->task_start(vm->context, &start);
    if (status != OK && s->parent_kind == PARENT_PORTAL)
        vm->ports->drop(vm->context, VMM_SLOT_SCRATCH);
    return status;
}

static status_t give_portal(struct vmm *vm, uint32_t object, uint32_t slot, portal_t portal)
{
    status_t status = portal_mint(vm, portal, VMM_SLOT_SCRATCH);
    return status == OK ? vm->ports->slot_give(vm->context, object, slot, VMM_SLOT_SCRATCH)
                        : status;
}

// Before it runs, init gets portals that nobody had before, and what no other task gets.
static status_t start_init(struct vmm *vm, const struct spawn *s, record_t id)
{
    uint32_t object = task_of(vm, id)->object;
    vm->state->init = id;
    status_t status = give_portal(vm, object, TASK_SLOT_SELF, s->self);
    if (status == OK)
        status = give_portal(vm, object, TASK_SLOT_DEVICES, s->devices);
    if (status == OK)
        status = vm->ports->slot_give(vm->context, object, TASK_SLOT_CONSOLE, VMM_SLOT_CONSOLE);
    return status == OK ? vm->ports->task_resume(vm->context, object) : status;
}

status_t task_spawn(struct vmm *vm, const struct spawn *s)
{
    record_t id;
    status_t status = task_make(vm, s, &id);
    if (status != OK)
        return status;
    struct task *t = task_of(vm, id);
    status = task_start(vm, s, t);
    if (status != OK) {
        task_unmake(vm, id);
        return status;
    }
    t->is_running = true;
    t->number = ++vm->state->n_tasks;
    task_link(vm, id);
    return s->is_init ? start_init(vm, s, id) : OK;
}

// The kernel's task and all that it took, but for the portal, which others may hold.
static void task_stop(struct vmm *vm, record_t id)
{
    struct task *t = task_of(vm, id);
    pfn_t slots = slots_of(vm, t->object);
    object_destroy(vm, t->object);
    slots_drop(vm, slots);
    if (t->is_starved) {
        *starved_link(vm, id) = t->next_starved;
        slot_free(vm, t->kept);
    }
    t->is_running = t->is_starved = false;
    slots_unclaim(vm, space_of(vm, t->space)->account);
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

// The caller in reply_slot stays there.
static uint16_t keep_caller(struct vmm *vm)
{
    uint16_t kept = vm->state->reply_slot;
    vm->state->reply_slot = slot_take(vm);
    return kept;
}

void task_wait(struct vmm *vm, record_t id)
{
    uint16_t kept = keep_caller(vm);
    *slot_next(vm, kept) = task_of(vm, id)->waiters;
    task_of(vm, id)->waiters = kept;
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
    t->kept = keep_caller(vm);
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
    vm->ports->reply(vm->context, t->kept, words);
    slot_free(vm, t->kept);
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
