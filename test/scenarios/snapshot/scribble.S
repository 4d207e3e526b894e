// SPDX-License-Identifier: MIT
// RDI: the seed. random_next() of test/scenarios/lib/random.h, written again: its lowest bits are the
// page, those from bit 32 on the place in it.
#include "test/scenarios/snapshot/scribble.h"

    .section .rodata.scribble, "a"
    .globl scribble_start, scribble_end
scribble_start:
    mov $SCRIBBLES, %ecx
1:  mov %rdi, %rax
    shl $13, %rax
    xor %rax, %rdi
    mov %rdi, %rax
    shr $7, %rax
    xor %rax, %rdi
    mov %rdi, %rax
    shl $17, %rax
    xor %rax, %rdi
    mov %edi, %eax
    and $7, %eax
    shl $12, %eax
    mov %edi, %edx
    and $(ARENA_PAGES - 8), %edx
    shl $(21 - 3), %edx
    add %edx, %eax
    mov %rdi, %rdx
    shr $32, %rdx
    and $0xff8, %edx
    mov %rdi, ARENA_VA(%rax, %rdx)
    dec %ecx
    jnz 1b
    movabs $SCRIBBLE_END, %rax
    syscall
scribble_end:

    .section .note.GNU-stack, "", @progbits
