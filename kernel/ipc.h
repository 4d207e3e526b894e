// SPDX-License-Identifier: MIT
// Synchronous messages: six words in registers and at most one capability each way. Nothing here
// allocates or waits for a task: a sender queues itself by its own link.
#pragma once

#include "kernel/task.h"

struct endpoint;

// System calls (see kernel/syscall.h for what they answer, ipc/syscalls.h for what they do).
status_t ipc_call(struct task *t);
status_t ipc_reply_recv(struct task *t);
status_t ipc_forward(struct task *t);
status_t ipc_notify(struct task *t);
status_t ipc_wait(struct task *t);

// Makes the current task call, with the event that t->special tells, its own pager, where it has one that
// lives and was not asked yet, or the one in its slot 0. Without that it is stopped for good.
void ipc_event(struct task *t);

// Hands what is pending on `e` to whoever waits for it. Called after anything became pending.
void ipc_serve(struct endpoint *e);

// Takes a task in SENDING out of its queue and wakes it with `status`.
void ipc_cancel(struct task *sender, status_t status);
