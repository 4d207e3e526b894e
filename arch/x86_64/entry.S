// SPDX-License-Identifier: MIT
// The ways into and out of the kernel. From ring 3 the registers are pushed right into the current task
// (RSP0 points at the end of its struct registers); then the CPU's one stack is taken.
// C answers the task to resume.
#include "arch/offsets.h"

#define VECTOR_SYSCALL 0x100

// Numbers of the system calls that have a fast path (ipc/syscalls.h).
#define SYS_CALL       0
#define SYS_REPLY_RECV 1

// Offsets in struct registers.
#define REGS_VECTOR 120
#define REGS_CS     144
#define REGS_RIP    136
#define REGS_RFLAGS 152
#define REGS_RSP    160

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
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
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

// SYSCALL left RIP in RCX and RFLAGS in R11. All but RSP, the words and the header is the caller's loss,
// so nothing else is saved; CS and SS are in the task since it started.
    .balign 16
    .globl syscall_entry, syscall_general
syscall_entry:
    swapgs
    mov %gs:CPU_CURRENT, %rbx
    mov %rsp, TASK_RSP(%rbx)
    mov %rcx, TASK_RIP(%rbx)
    mov %r11, TASK_RFLAGS(%rbx)
    cmp $SYS_REPLY_RECV, %al
    je fast_reply
    cmp $(SYS_CALL | 63 << 8), %rax
    ja syscall_general
    test %al, %al
    jz fast_call
syscall_general:
    movq $VECTOR_SYSCALL, TASK_VECTOR(%rbx)
    lea TASK_REGISTERS + 7 * 8(%rbx), %rsp // behind the words and RAX
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
    call trap_syscall
    // fall through

// Leaves for the task in RAX. SYSRET keeps RCX and R11 as RIP and RFLAGS; the rest is the result or zero.
resume:
    lea TASK_REGISTERS(%rax), %rsp
    cmpq $VECTOR_SYSCALL, REGS_VECTOR(%rsp)
    jne resume_interrupted
    pop %rdi
    pop %rsi
    pop %rdx
    pop %r8
    pop %r9
    pop %r10
    pop %rax
    pop %rbx
    pop %r12
    mov (REGS_RIP - 72)(%rsp), %rcx
    mov (REGS_RFLAGS - 72)(%rsp), %r11
    mov (REGS_RSP - 72)(%rsp), %rsp
    xor %ebp, %ebp
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
    swapgs
    sysretq

resume_interrupted:
    pop_registers
    swapgs
    iretq

// Leaves the kernel for the first time: RDI is the task, already switched to.
    .globl trap_enter
trap_enter:
    mov %rdi, %rax
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
