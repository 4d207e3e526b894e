// SPDX-License-Identifier: MIT
// Lines on the console. A task's line is printed when it is complete, so that lines never mix. None is
// lost, none overtakes another.
#pragma once

#include "kernel/task.h"

// System call LOG. E_MORE: there is no room, nothing was taken.
status_t log_call(struct task *t);

// Prints what a task that ends left of a line. E_MORE: there is no room yet.
must_check status_t log_end(struct task *t);

// Lines go to a ring first, and from there to the port some bytes at a time, so that interrupts are never
// off for long: whenever somebody prints, at the port's interrupt, and at each tick.
void log_send(void);

// Sends all that is in the ring and waits for it: before the machine ends.
void log_flush(void);
