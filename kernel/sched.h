// SPDX-License-Identifier: MIT
// Fixed priorities, round robin within one. A call's receiver runs at once, without passing through
// a queue, and on its caller's time slice: a task that calls all the time gets no more of the CPU
// than one that computes.
#pragma once

#include "kernel/cpu.h"

#define SLICE_TICKS 2u // of the timer

void sched_init(struct cpu *cpu);

// Makes a task ready, at the end of its priority's queue.
void sched_wake(struct task *t);

// Makes the receiver of a call ready to take over from the current task, should that block now.
void sched_wake_direct(struct task *t);

// The same for a caller that got its reply; it queues up if its time slice is over.
void sched_return(struct task *t);

// `t` ends: nothing may be charged to it any more.
void sched_forget(struct task *t);

// The task to run next: the current one if it still may, else the best; idles until there is one.
// Sets cpu->current.
struct task *sched_pick(struct cpu *cpu);

// Whether the current task, which may go on, is still the best.
bool sched_goes_on(const struct cpu *cpu);

// Sends the current task to the end of its queue.
void sched_requeue(struct cpu *cpu);

// One tick of the timer.
void sched_tick(struct cpu *cpu);
