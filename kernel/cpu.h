// SPDX-License-Identifier: MIT
// What each CPU has of its own. The entry paths reach it through GS; portable code gets a pointer
// or takes a task's. The first fields are known to assembly: see arch/percpu.h.
#pragma once

#include "ipc/syscalls.h"
#include "kernel/list.h"

struct task;

struct cpu {
    struct cpu *self;       // GS:0
    struct task *current;   // GS:8; the task that entered the kernel last
    uint64_t scratch;       // GS:16
    uint64_t stack_top;     // GS:24
    uint64_t registers_end; // GS:32; end of current's registers, as in the TSS
    struct task *direct;    // to be switched to without a queue, if `current` blocks
    struct list ready[PRIORITIES];
    uint32_t ready_mask; // bit p: ready[p] is not empty
    struct task *payer;  // on whose time slice the current task runs: its own, or its caller's
    // arch's own:
    uint64_t root;          // in CR3
    uint64_t fs_base;       // in the MSR
    struct task *fpu_owner; // whose FPU state is in the registers
    bool is_fpu_locked;     // CR0.TS
};
