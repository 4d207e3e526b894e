// SPDX-License-Identifier: MIT
// Registers out of a structure (anyhow.h), RSP included, a system call, and the way back.
    .text
    .globl anyhow_invoke
anyhow_invoke:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, own_rsp(%rip)
    mov %rdi, %rsp
    popfq
    pop %rax
    pop %rbx
    pop %rdx
    pop %rsi
    pop %rdi
    pop %rbp
    pop %r8
    pop %r9
    pop %r10
    pop %r12
    pop %r13
    pop %r14
    pop %r15
    pop %rsp
    syscall
    mov own_rsp(%rip), %rsp
    push $0x202
    popfq
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .bss
    .balign 8
own_rsp:
    .skip 8

    .section .note.GNU-stack, "", @progbits
