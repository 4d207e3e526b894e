// SPDX-License-Identifier: MIT
// The registers of a task as the entry paths save them: the last field first, by the CPU's own push
// (SDM 3A, 6.14.2) or by the system call entry. The frame ends where the TSS's RSP0 points.
#pragma once

#include "ipc/types.h"

struct registers {
    uint64_t w[MESSAGE_WORDS]; // RDI RSI RDX R8 R9 R10
    uint64_t rax, rbx, r12;    // header or result, badge, carried badge
    uint64_t rcx, r11, rbp, r13, r14, r15;
    uint64_t vector; // what entered the kernel last, or VECTOR_*: how the task goes on
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(sizeof(struct registers) == 176, "the entry paths in entry.S push 22 words");

#define VECTOR_DEVICE_NOT_AVAILABLE 7u
#define VECTOR_PAGE_FAULT           14u

// A task in user mode, or in a system call: only w, rax and, of the rest, rbp, rip, rflags and rsp are
// saved; with YIELD its answer is OK and no words, whatever w and rax hold.
#define VECTOR_SYSCALL 0x100u
#define VECTOR_YIELD   0x101u
