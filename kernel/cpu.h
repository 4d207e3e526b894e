// SPDX-License-Identifier: MIT
// What each CPU has of its own. The entry paths reach it through GS; portable code gets a pointer
// or takes a task's. The first fields are known to assembly: see arch/offsets.h.
#pragma once

#include "arch/cpu_state.h"
#include "ipc/syscalls.h"
#include "kernel/list.h"

struct task;

struct cpu {
    struct cpu *self;      // GS:0
    struct task *current;  // GS:8; the task that entered the kernel last
    uint64_t stack_top;    // GS:16
    struct task *payer;    // GS:24; on whose time slice `current` runs: its own, or its caller's
    uint32_t ready_mask;   // bit p: ready[p] may have tasks
    uint8_t top;           // GS:36; no task above this priority is ready
    struct cpu_state arch; // GS:40
    struct task *direct;   // to be switched to without a queue, if `current` blocks
    struct list ready[PRIORITIES];
};
