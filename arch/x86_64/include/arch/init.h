// SPDX-License-Identifier: MIT
// Bringing up the first CPU, once.
#pragma once

#include "kernel/cpu.h"

#include "ipc/types.h"

// Loads `root`, which ends the boot tables, and sets up descriptor tables, system calls, FPU,
// interrupt controllers and the timer. Interrupts stay off.
struct cpu *arch_init(paddr_t root, unsigned levels);

// Leaves the kernel for the first time.
_Noreturn void arch_enter(struct cpu *cpu, struct task *t);
