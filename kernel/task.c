// SPDX-License-Identifier: MIT
#include "kernel/task.h"

#include "kernel/arch.h"
#include "kernel/endpoint.h"
#include "kernel/ipc.h"
#include "kernel/log.h"
#include "kernel/portal.h"
#include "kernel/sched.h"

status_t task_create(uint64_t index, struct cpu *cpu, struct task **task)
{
    struct object *object;
    status_t status = object_claim(index, OBJECT_TASK, &object);
    if (status != OK)
        return status;
    struct task *t = container_of(object, struct task, object);
    t->state = TASK_NEW;
    t->cpu = cpu;
    t->n_swept = 0;
    arch_task_init(t);
    *task = t;
    return OK;
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
    t->loop_header = t->loop_after = 0;
}

// The slot number `n` in sweeping order, the pager's included; NULL past the last.
static struct slot *task_sweep_slot(struct task *t, uint32_t n)
{
    return n ? slot_at(t, n) : &t->slots[0];
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
    for (unsigned looks = 0, drops = 0; looks < KERNEL_WORK_MAX; looks++) {
        struct slot *s = task_sweep_slot(t, t->n_swept);
        if (!s)
            return task_end(t);
        if (s->type != SLOT_EMPTY) {
            if (drops++ == KERNEL_WAKE_MAX)
                return E_MORE;
            slot_drop(s);
        }
        t->n_swept++;
    }
    return E_MORE;
}

status_t task_bind(struct task *t, paddr_t root, uint64_t priority, uint64_t fs_base)
{
    if (t->state != TASK_NEW && t->state != TASK_STOPPED)
        return E_STATE;
    if (!root || root & PAGE_MASK || priority >= PRIORITIES || !arch_is_user_address(fs_base))
        return E_INVAL;
    t->root = root;
    t->priority = t->effective = (uint8_t)priority;
    t->fs_base = fs_base;
    if (fs_base)
        t->special |= SPECIAL_CONTEXT;
    return OK;
}

status_t task_run(struct task *t, const uint64_t *args)
{
    if (t->state != TASK_NEW || !t->root)
        return E_STATE;
    if (!arch_is_user_address(args[0]))
        return E_INVAL;
    arch_task_start(t, args);
    sched_wake(t);
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
    if (t->state != TASK_STOPPED || t->n_swept || t->special & SPECIAL_EVENT)
        return E_STATE;
    sched_wake(t);
    return OK;
}

status_t task_add_slots(struct task *t, uint64_t index)
{
    struct object *object;
    if (t->n_slot_frames == SLOT_FRAMES_MAX)
        return E_LIMIT;
    status_t status = object_claim(index, OBJECT_SLOTS, &object);
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
        t->special &= ~SPECIAL_FORWARDED;
        t->special |= SPECIAL_RETURNED;
        t->refusal = status;
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
