// SPDX-License-Identifier: MIT
// The ways into and out of the kernel but for the fast ones in fastpath.S. From ring 3 the
// registers are pushed right into the current task (RSP0 points at the end of its struct
// registers); then the CPU's one stack is taken. C answers the task to resume.
#include "arch/offsets.h"
#include "switch.inc"

// Offsets in struct registers.
#define REGS_VECTOR 120
#define REGS_CS     144

    .text

.macro push_registers
    push %r15
    push %r14
    push %r13
    push %rbp
    push %r11
    push %rcx
    push %r12
    push %rbx
    push %rax
    push %r10
    push %r9
    push %r8
    push %rdx
    push %rsi
    push %rdi
.endm

.macro pop_registers
    pop %rdi
    pop %rsi
    pop %rdx
    pop %r8
    pop %r9
    pop %r10
    pop %rax
    pop %rbx
    pop %r12
    pop %rcx
    pop %r11
    pop %rbp
    pop %r13
    pop %r14
    pop %r15
    add $16, %rsp // vector, error
.endm

// One stub of 16 bytes a vector; the CPU pushes an error code for some (SDM 3A, table 6-1).
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept 49
    .balign 16
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || \
        (vector == 29) || (vector == 30)
    .else
    pushq $0
    .endif
    pushq $vector
    jmp trap_common
    .set vector, vector + 1
    .endr
    .balign 16
    pushq $0
    pushq $0xff
    jmp trap_common

trap_common:
    push_registers
    cld
    testb $3, REGS_CS(%rsp)
    jz trap_from_kernel
    swapgs
    mov %gs:CPU_CURRENT, %rbx
    cmpq $PAGE_FAULT_VECTOR, TASK_VECTOR(%rbx)
    je fast_fault
    .globl trap_general
trap_general: // RBX: current
    mov %gs:CPU_STACK_TOP, %rsp
    mov %gs:CPU_SELF, %rdi
    xor %ebp, %ebp
    call trap_user
    jmp resume

trap_from_kernel:
    mov %rsp, %rdi
    call trap_kernel
    pop_registers
    iretq

// A system call without a fast path, or for which it found something in the way. RBX: current; the
// header and the words as they came. All but those is the caller's loss, or saved already.
    .balign 16
    .globl syscall_general, syscall_saved
syscall_general:
    save_user
syscall_saved:
    lea TASK_RAX + 8(%rbx), %rsp
    push %rax
    push %r10
    push %r9
    push %r8
    push %rdx
    push %rsi
    push %rdi
    mov %gs:CPU_STACK_TOP, %rsp
    mov %gs:CPU_SELF, %rdi
    xor %ebp, %ebp
    call syscall_handle // RAX: whom to resume, 0: who called, EDX: with that status
    test %rax, %rax
    jnz resume
    mov %edx, %eax
    mov TASK_RIP(%rbx), %rcx
    mov TASK_RFLAGS(%rbx), %r11
    mov TASK_RSP(%rbx), %rsp
    mov TASK_RBP(%rbx), %rbp
    xor %r12d, %r12d // a fast path may have used them
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
    jmp answer

// Leaves for the task in RAX; the one in RBX entered.
resume:
    cmp %rbx, %rax
    je 1f
    mov %rax, %r15
    xor %eax, %eax
    switch_to_r15
    swapgs
    mov %eax, %gs
    swapgs
    mov TASK_SPECIAL(%rbx), %al
    or TASK_SPECIAL(%r15), %al
    jz 0f
    mov %r15, %rdi
    call context_special
0:  mov %r15, %rax
1:  lea TASK_REGISTERS(%rax), %rsp
    cmpq $SYSCALL_VECTOR, REGS_VECTOR(%rsp)
    jne resume_other
    pop %rdi
    pop %rsi
    pop %rdx
    pop %r8
    pop %r9
    pop %r10
    mov TASK_RIP(%rax), %rcx
    mov TASK_RFLAGS(%rax), %r11
    mov TASK_RBP(%rax), %rbp
    mov TASK_RSP(%rax), %r15
    pop %rax
    pop %rbx
    pop %r12
    mov %r15, %rsp
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
    swapgs
    sysretq

// The same for a task, in RAX, that is still to hear of its system call, or never made it: whose
// switch is done, and which is in user mode from now on.
resume_other:
    cmpq $YIELD_VECTOR, REGS_VECTOR(%rsp)
    je resume_yield
    .globl resume_interrupted
resume_interrupted:
    lea TASK_REGISTERS(%rax), %rsp
    movq $SYSCALL_VECTOR, REGS_VECTOR(%rsp)
    pop_registers
    swapgs
    iretq

resume_yield:
    movq $SYSCALL_VECTOR, REGS_VECTOR(%rsp)
    mov %rax, %rbx
    mov TASK_RIP(%rbx), %rcx
    mov TASK_RFLAGS(%rbx), %r11
    mov TASK_RSP(%rbx), %rsp
    mov TASK_RBP(%rbx), %rbp
    xor %r12d, %r12d
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
    xor %eax, %eax
    jmp answer

// Leaves the kernel for the first time: RDI is the task.
    .globl trap_enter
trap_enter:
    mov %rdi, %rax
    mov %rdi, %rbx
    jmp resume

// Exceptions that may come at any time have a stack of their own and never return.
    .globl trap_fatal_nmi, trap_fatal_double, trap_fatal_machine
trap_fatal_nmi:
    pushq $0
    pushq $2
    jmp trap_fatal_common
trap_fatal_double:
    pushq $8
    jmp trap_fatal_common
trap_fatal_machine:
    pushq $0
    pushq $18
trap_fatal_common:
    push_registers
    cld
    mov %rsp, %rdi
    call trap_fatal

// bool probe_read(const void *address)
    .globl probe_read, probe_instruction, probe_failed
probe_read:
    xor %eax, %eax
probe_instruction:
    mov (%rdi), %cl
    inc %eax
probe_failed:
    ret
