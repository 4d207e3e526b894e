// SPDX-License-Identifier: MIT
// The CPU's one kernel stack above a guard page, and one for exceptions that may come at any time.
#define STACK_BYTES 16384

    .section .bss.stack, "aw", @nobits
    .balign 4096
    .globl cpu_stack_guard, cpu_stack, cpu_stack_top
cpu_stack_guard:
    .skip 4096
cpu_stack:
    .skip STACK_BYTES
cpu_stack_top:

    .globl fatal_stack_top
fatal_stack:
    .skip 4096
fatal_stack_top:
