// SPDX-License-Identifier: MIT
// While the canaries sit in the registers, all that this code needs lies on the stack.
#define SEED   0(%rsp)
#define COUNT  8(%rsp)
#define WRONG 16(%rsp)
#define FRAME 24

    .macro enter
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    sub $FRAME, %rsp
    mov %rdi, SEED
    mov %rsi, COUNT
    movq $0, WRONG
    .endm

    .macro leave_with_wrong
    mov WRONG, %rax
    add $FRAME, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .endm

    // RAX is left at the seed: it comes last.
    .macro fill_general
    mov SEED, %rax
    .set i, 1
    .irp reg, rdi, rsi, rdx, r8, r9, r10, rbx, rcx, rbp, r11, r12, r13, r14, r15
    lea i(%rax), %\reg
    .set i, i + 1
    .endr
    lea 15(%rax), %rax
    .endm

    .macro check_general
    .set i, 1
    .irp reg, rdi, rsi, rdx, r8, r9, r10, rbx, rcx, rbp, r11, r12, r13, r14, r15, rax
    sub SEED, %\reg
    cmp $i, %\reg
    je 1f
    incq WRONG
1:
    .set i, i + 1
    .endr
    .endm

    .macro fill_vector
    mov SEED, %rax
    add $17, %rax
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movq %rax, %xmm\n
    punpcklqdq %xmm\n, %xmm\n
    inc %rax
    .endr
    .endm

    .macro check_vector
    mov SEED, %rax
    add $17, %rax
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movq %xmm\n, %rdx
    psrldq $8, %xmm\n
    movq %xmm\n, %rcx
    xor %rax, %rdx
    xor %rax, %rcx
    or %rdx, %rcx
    jz 1f
    incq WRONG
1:
    inc %rax
    .endr
    .endm

    .text
    .globl canary_spin
canary_spin:
    enter
    fill_vector
    fill_general
2:  decq COUNT
    jnz 2b
    check_general
    check_vector
    leave_with_wrong

    .globl canary_syscall
canary_syscall:
    enter
    fill_vector
    fill_general
    mov COUNT, %rax
    syscall
    .irp reg, rdi, rsi, rdx, r8, r9, r10, rbx, r12, rax
    test %\reg, %\reg
    jz 1f
    incq WRONG
1:
    .endr
    .set i, 12 // as fill_general counts: R13 to R15 are zero or as they were
    .irp reg, r13, r14, r15
    mov %\reg, %rcx
    sub SEED, %rcx
    cmp $i, %rcx
    je 1f
    test %\reg, %\reg
    jz 1f
    incq WRONG
1:
    .set i, i + 1
    .endr
    sub SEED, %rbp
    cmp $9, %rbp // kept
    je 1f
    incq WRONG
1:
    check_vector
    leave_with_wrong

    .globl selectors_load
selectors_load:
    mov %edi, %ds
    mov %edi, %es
    mov %edi, %fs
    mov %edi, %gs
    ret

    .globl selectors_strange
selectors_strange:
    xor %eax, %eax
    .irp seg, ds, es, fs, gs
    mov %\seg, %edx
    test %edx, %edx
    jz 1f
    cmp %edi, %edx
    je 1f
    inc %eax
1:
    .endr
    ret

    .section .note.GNU-stack, "", @progbits
