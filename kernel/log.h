// SPDX-License-Identifier: MIT
// Lines on the console. A task's line is printed when it is complete, so that lines never mix.
#pragma once

#include "kernel/task.h"

// System call LOG.
status_t log_call(struct task *t);

// Prints what a task that ends left of a line.
void log_end(struct task *t);
