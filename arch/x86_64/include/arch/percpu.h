// SPDX-License-Identifier: MIT
// Offsets of struct cpu (through GS) and of the pieces of a task that the entry paths use.
#pragma once

#define CPU_SELF          0
#define CPU_CURRENT       8
#define CPU_SCRATCH       16
#define CPU_STACK_TOP     24
#define CPU_REGISTERS_END 32

#define TASK_REGISTERS 48 // offset of `regs` in struct task

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA   0x1b
#define SELECTOR_USER_CODE   0x23
#define SELECTOR_TSS         0x28
