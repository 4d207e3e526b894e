// SPDX-License-Identifier: MIT
// What befalls a task: exceptions, which its pager hears of, and the timer and serial interrupts.
#pragma once

#include "kernel/task.h"

// An exception of cpu->current, whose registers are saved. Answers the task to resume.
struct task *fault_handle(struct cpu *cpu, uint64_t address);

// System call EXIT.
status_t fault_exit(struct task *t);
