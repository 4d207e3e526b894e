// SPDX-License-Identifier: MIT
#include "kernel/task.h"

#include "kernel/arch.h"
#include "kernel/endpoint.h"
#include "kernel/ipc.h"
#include "kernel/log.h"
#include "kernel/portal.h"
#include "kernel/sched.h"

static status_t binding_check(paddr_t root, uint64_t priority, vaddr_t fs_base)
{
    bool is_good = root && !(root & PAGE_MASK) && priority < PRIORITIES;
    return is_good && arch_is_user_address(fs_base) ? OK : E_INVAL;
}

static void bind(struct task *t, paddr_t root, uint64_t priority)
{
    t->root = root;
    t->priority = t->effective = (uint8_t)priority;
}

status_t task_create(uint64_t index, struct cpu *cpu, const struct task_start *start,
                     struct task **task)
{
    struct object *object;
    status_t status = binding_check(start->root, start->priority, start->rip);
    if (status == OK)
        status = object_claim(index, OBJECT_TASK, offsetof(struct task, line), &object);
    if (status != OK)
        return status;
    struct task *t = container_of(object, struct task, object);
    t->state = TASK_NEW;
    t->cpu = cpu;
    bind(t, start->root, start->priority);
    arch_task_start(t, start);
    *task = t;
    return OK;
}

static void set_pager(struct task *t, struct portal *p)
{
    struct portal *old = t->pager;
    t->pager = p;
    if (old)
        portal_release(old);
}

// Leaves whatever the task waits in or for.
static void task_unlink(struct task *t)
{
    if (t->state == TASK_RECEIVING)
        endpoint_leave(t->endpoint, t);
    else
        list_remove(&t->link);
    if (t->via)
        portal_dequeue(t->via, t);
    if (t->state == TASK_ANSWER)
        *t->reply_slot = (struct slot){.type = SLOT_EMPTY};
    task_end_loan(t);
    set_pager(t, NULL);
    t->loop_header = t->loop_after = 0;
}

// Where the next slot to sweep lies, the pager's included, and how many do from there on in a row.
static struct slot *task_sweep_row(struct task *t, unsigned *n)
{
    unsigned far = t->n_swept - TASK_SLOTS_FIRST;
    if (t->n_swept < TASK_SLOTS_FIRST) {
        *n = TASK_SLOTS_FIRST - t->n_swept;
        return &t->slots[t->n_swept];
    }
    *n = SLOTS_PER_FRAME - far % SLOTS_PER_FRAME;
    return slot_far(t, t->n_swept);
}

// Drops what is in a row of slots, as much as one call may. Whether that was the last row.
static bool task_sweep(struct task *t)
{
    unsigned n, drops = 0, i = 0;
    struct slot *s = task_sweep_row(t, &n);
#pragma clang loop unroll_count(8)
    for (; s && i < n; i++) {
        if (s[i].type == SLOT_EMPTY)
            continue;
        if (drops++ == KERNEL_WAKE_MAX)
            break;
        slot_drop(&s[i]);
    }
    t->n_swept += i;
    return t->n_swept == TASK_SLOTS_FIRST + t->n_slot_frames * SLOTS_PER_FRAME;
}

// Nothing refers to the task any more, and it to nothing.
static status_t task_end(struct task *t)
{
    if (log_end(t) != OK)
        return E_MORE;
    for (unsigned i = 0; i < t->n_slot_frames; i++)
        t->slot_frames[i]->object.kind = OBJECT_NONE;
    sched_forget(t);
    arch_task_forget(t);
    t->object.kind = OBJECT_NONE;
    return OK;
}

status_t task_destroy(struct task *t)
{
    if (t->cpu->current == t)
        return E_STATE;
    task_unlink(t);
    t->state = TASK_STOPPED;
    return task_sweep(t) ? task_end(t) : E_MORE;
}

status_t task_bind(struct task *t, paddr_t root, uint64_t priority, uint64_t fs_base)
{
    if (t->state != TASK_NEW && t->state != TASK_STOPPED)
        return E_STATE;
    status_t status = binding_check(root, priority, fs_base);
    if (status != OK)
        return status;
    bind(t, root, priority);
    t->fs_base = fs_base;
    if (fs_base)
        t->special |= SPECIAL_CONTEXT;
    return OK;
}

status_t task_stop(struct task *t)
{
    if (t->state != TASK_READY || t->cpu->current == t)
        return E_STATE;
    list_remove(&t->link);
    t->state = TASK_STOPPED;
    return OK;
}

status_t task_resume(struct task *t)
{
    bool is_still = t->state == TASK_NEW || t->state == TASK_STOPPED;
    if (!is_still || t->n_swept || t->special & SPECIAL_EVENT)
        return E_STATE;
    sched_wake(t);
    return OK;
}

status_t task_set_pager(struct task *t, struct slot *from)
{
    struct portal *p = NULL;
    if (t->n_swept)
        return E_STATE;
    if (from) {
        p = from->portal;
        if (~from->flags & (SLOT_CALL | SLOT_MOVE))
            return E_RIGHT;
        if (p->endpoint == machine_endpoint)
            return E_INVAL;
        *from = (struct slot){.type = SLOT_EMPTY};
    }
    set_pager(t, p);
    return OK;
}

status_t task_add_slots(struct task *t, uint64_t index)
{
    struct object *object;
    if (t->n_slot_frames == SLOT_FRAMES_MAX)
        return E_LIMIT;
    status_t status = object_claim(index, OBJECT_SLOTS, sizeof(struct slots), &object);
    if (status != OK)
        return status;
    t->slot_frames[t->n_slot_frames++] = container_of(object, struct slots, object);
    return OK;
}

void task_return(struct task *t, status_t status)
{
    struct registers *r = &t->regs;
    for (unsigned i = 0; i < MESSAGE_WORDS; i++)
        r->w[i] = 0;
    r->rax = (uint32_t)status;
    r->rbx = r->r12 = 0;
}

void task_end_loan(struct task *t)
{
    if (t->lent)
        slot_drop(t->lent);
}

void task_wake_error(struct task *t, status_t status)
{
    task_end_loan(t);
    if (t->special & SPECIAL_FORWARDED) {
        t->refusal =
            t->special & SPECIAL_ASKED ? REFUSED_FIRST | (uint32_t)status : (uint64_t)status;
        t->special &= ~(SPECIAL_FORWARDED | SPECIAL_ASKED);
        t->special |= SPECIAL_RETURNED;
        ipc_event(t);
        return;
    }
    if (t->special & SPECIAL_EVENT) {
        t->state = TASK_STOPPED;
        return;
    }
    task_return(t, status);
    sched_wake(t);
}

void task_wake_dead(struct task *t)
{
    task_wake_error(t, E_DEAD);
}
