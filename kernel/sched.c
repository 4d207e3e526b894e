// SPDX-License-Identifier: MIT
#include "kernel/sched.h"

#include "kernel/arch.h"
#include "kernel/task.h"

void sched_init(struct cpu *cpu)
{
    for (unsigned i = 0; i < PRIORITIES; i++)
        list_init(&cpu->ready[i]);
}

// Queues are left by list_remove() alone, so a bit of the mask may be set for a queue that emptied
// since, and `top` may be too high; sched_top() puts both right.
static void mark_ready(struct cpu *cpu, uint8_t priority)
{
    cpu->ready_mask |= 1u << priority;
    if (cpu->top < priority)
        cpu->top = priority;
}

static void enqueue_front(struct task *t)
{
    list_push_front(&t->cpu->ready[t->effective], &t->link);
    mark_ready(t->cpu, t->effective);
}

static void enqueue_back(struct task *t)
{
    t->slice = SLICE_TICKS;
    t->special &= ~SPECIAL_SPENT;
    list_push_back(&t->cpu->ready[t->effective], &t->link);
    mark_ready(t->cpu, t->effective);
}

// The highest priority that has a ready task, or -1.
static int sched_top(struct cpu *cpu)
{
    while (cpu->ready_mask) {
        int top = 31 - __builtin_clz(cpu->ready_mask);
        cpu->top = (uint8_t)top;
        if (!list_is_empty(&cpu->ready[top]))
            return top;
        cpu->ready_mask &= ~(1u << top);
    }
    cpu->top = 0;
    return -1;
}

bool sched_goes_on(const struct cpu *cpu)
{
    return !cpu->direct && cpu->top <= cpu->current->effective;
}

void sched_wake(struct task *t)
{
    t->state = TASK_READY;
    enqueue_back(t);
}

void sched_wake_direct(struct task *t)
{
    if (t->cpu->direct) {
        sched_wake(t);
        return;
    }
    t->state = TASK_READY;
    t->cpu->direct = t;
}

void sched_return(struct task *t)
{
    if (t->special & SPECIAL_SPENT) {
        sched_wake(t);
        return;
    }
    t->cpu->payer = t;
    sched_wake_direct(t);
}

void sched_forget(struct task *t)
{
    if (t->cpu->payer == t)
        t->cpu->payer = t->cpu->current;
}

static struct task *dequeue(struct cpu *cpu, int priority)
{
    struct list *link = cpu->ready[priority].next;
    list_remove(link);
    cpu->payer = task_of_link(link);
    return cpu->payer;
}

// The best of `candidate` (may be NULL), which has not been queued, and the queues.
static struct task *sched_best(struct cpu *cpu, struct task *candidate)
{
    int top = sched_top(cpu);
    if (candidate && candidate->effective >= top)
        return candidate;
    if (candidate)
        enqueue_front(candidate);
    return top < 0 ? NULL : dequeue(cpu, top);
}

struct task *sched_pick(struct cpu *cpu)
{
    struct task *candidate = cpu->direct;
    cpu->direct = NULL;
    struct task *current = cpu->current;
    if (current && current->state == TASK_READY && !list_is_linked(&current->link)) {
        if (candidate)
            enqueue_front(candidate);
        candidate = current;
    }
    struct task *next;
    while (!(next = sched_best(cpu, candidate))) {
        cpu->current = NULL;
        arch_idle();
    }
    cpu->current = next;
    return next;
}

void sched_requeue(struct cpu *cpu)
{
    enqueue_back(cpu->current);
}

void sched_tick(struct cpu *cpu)
{
    struct task *payer = cpu->payer;
    if (!cpu->current)
        return;
    if (payer->slice > 1) {
        payer->slice--;
        return;
    }
    payer->special |= SPECIAL_SPENT;
    if (payer == cpu->current)
        sched_requeue(cpu);
    else
        cpu->payer = cpu->current; // the caller's turn is over once it is answered
}
