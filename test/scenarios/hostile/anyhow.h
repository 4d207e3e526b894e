// SPDX-License-Identifier: MIT
// A system call with any value in any register.
#pragma once

#include <stdint.h>

// As anyhow.S pops them. RCX and R11 are lost to SYSCALL itself.
struct anyhow {
    uint64_t rflags, rax, rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15;
    uint64_t rsp;
};

// Answers RAX. Not for two threads at once.
uint64_t anyhow_invoke(const struct anyhow *registers);
