// SPDX-License-Identifier: MIT
// All that kernel/ asks of an architecture. Kernel code runs on the CPU's one stack with interrupts
// off; none of these blocks but arch_idle().
#pragma once

#include "ipc/types.h"
#include "kernel/cpu.h"
#include "kernel/object.h"

// The frame at `index` of the object window, or NULL if none is mapped there.
struct object *arch_object_at(uint64_t index);

// Whether a task may run at, or point FS at, this address.
bool arch_is_user_address(vaddr_t va);

// A new task's registers, zero before, for its first run; and forgetting what a CPU may still hold of
// a task that ends.
struct task_start;
void arch_task_start(struct task *t, const struct task_start *start);
void arch_task_forget(struct task *t);

// Enables the FPU for the current task: saves its owner's state, loads the task's, fresh at first.
void arch_fpu_take(struct cpu *cpu);

// Waits for an interrupt, handles it, returns with interrupts off.
void arch_idle(void);

// Invalidates `pages` (0: all; at most KERNEL_WORK_MAX) from `va` in the space of `root`, in the
// kernel's half for root 0, or everything but that for root FLUSH_ALL_SPACES.
void arch_flush(struct cpu *cpu, paddr_t root, vaddr_t va, uint64_t pages);

// The serial line. Sending takes what goes out at once, and answers how much that is; while some is left
// a serial interrupt follows. Writing waits, for as long as it takes: the machine is about to end.
size_t arch_console_send(const char *text, size_t len);
void arch_console_write(const char *text, size_t len);
size_t arch_console_read(char *text, size_t max);

_Noreturn void arch_power_off(unsigned code);
