// SPDX-License-Identifier: MIT
// The two halves of a round trip that blocks nobody else: CALL to a server that waits, and REPLY_RECV to a
// caller when nothing else is pending, without capabilities. The words stay in their registers from one task
// to the other. Whatever is not plain goes to the general path in kernel/ipc.c, which does the same and more:
// nothing is written here before all is known to fit.
//
// From syscall_entry: RBX current, RAX header, the words; the user's RIP, RSP and RFLAGS are saved. Free: RCX
// R11 RBP R12-R15. The general path is syscall_general, with RAX, RBX and the words as they were.
#include "arch/offsets.h"

#define VECTOR_SYSCALL 0x100
#define CALL_FLAG      1
#define MOVE_FLAG      8

    .text
    .balign 16
    .globl fast_call, fast_reply

// Neither task has an FS base, its FPU state in the CPU, or a capability lent.
.macro check_special from, to
    mov TASK_SPECIAL(\from), %cl
    or TASK_SPECIAL(\to), %cl
    jnz syscall_general
.endm

fast_call: // the header names a slot below 64 and nothing else
    mov %eax, %ebp
    shr $4, %ebp // slot * 16
    jz syscall_general // slot 0, the pager, has no name
    mov TASK_SLOTS + SLOT_TYPE(%rbx, %rbp), %ecx
    and $(0xff | CALL_FLAG << 8), %ecx
    cmp $(TYPE_PORTAL | CALL_FLAG << 8), %ecx
    jne syscall_general
    mov TASK_SLOTS(%rbx, %rbp), %r13
    mov PORTAL_ENDPOINT(%r13), %r14
    test %r14, %r14
    jz syscall_general
    mov ENDPOINT_RECEIVERS(%r14), %r15
    lea ENDPOINT_RECEIVERS(%r14), %r12
    cmp %r12, %r15
    je syscall_general
    sub $TASK_LINK, %r15
    check_special %rbx, %r15

    mov TASK_LINK(%r15), %rcx // out of the queue of receivers, of which it is the first
    mov %rcx, (%r12)
    mov %r12, 8(%rcx)
    movq $0, TASK_LINK(%r15)
    mov TASK_REPLY_INTO(%r15), %rcx
    mov %rbx, SLOT_OBJECT(%rcx)
    movw $(TYPE_REPLY | MOVE_FLAG << 8), SLOT_TYPE(%rcx)
    mov %rcx, TASK_REPLY_SLOT(%rbx)
    mov %rax, TASK_HEADER(%rbx)
    movb $STATE_ANSWER, TASK_STATE(%rbx)
    movq $VECTOR_SYSCALL, TASK_VECTOR(%rbx)
    movb $STATE_READY, TASK_STATE(%r15)
    mov TASK_EFFECTIVE(%rbx), %cl
    cmp %cl, TASK_EFFECTIVE(%r15)
    jae 1f
    mov %cl, TASK_EFFECTIVE(%r15)
1:  mov PORTAL_BADGE(%r13), %rbx
    jmp fast_switch

fast_reply: // REPLY_RECV
    cmp %rax, TASK_LOOP_HEADER(%rbx)
    jne syscall_general
    mov TASK_REPLY_INTO(%rbx), %r12
    cmpb $TYPE_REPLY, SLOT_TYPE(%r12)
    jne syscall_general
    mov TASK_LOOP_RECEIVE(%rbx), %rcx
    cmpb $TYPE_EMPTY, SLOT_TYPE(%rcx)
    jne syscall_general
    mov TASK_LOOP_ENDPOINT(%rbx), %rcx
    cmpb $TYPE_ENDPOINT, SLOT_TYPE(%rcx)
    jne syscall_general
    mov SLOT_OBJECT(%rcx), %r14
    mov SLOT_OBJECT(%r12), %r15
    cmpl $0, TASK_EVENT_KIND(%r15) // an exception keeps its registers
    jne syscall_general
    cmpb $0, TASK_SLICE(%r15) // its turn is over
    je syscall_general
    lea ENDPOINT_SENDERS(%r14), %rcx
    cmp %rcx, (%rcx)
    jne syscall_general
    lea ENDPOINT_REPORTS(%r14), %rcx
    cmp %rcx, (%rcx)
    jne syscall_general
    cmpb $0, ENDPOINT_IS_NOTIFIED(%r14)
    jne syscall_general
    movzbl TASK_EFFECTIVE(%r15), %ecx // somebody above the caller is ready
    mov %gs:CPU_READY_MASK, %ebp
    shr %cl, %ebp
    cmp $1, %ebp
    ja syscall_general
    check_special %rbx, %r15

    movb $TYPE_EMPTY, SLOT_TYPE(%r12)
    movq $0, TASK_REPLY_SLOT(%r15)
    movb $STATE_READY, TASK_STATE(%r15)
    mov %r15, %gs:CPU_PAYER
    mov %rax, TASK_HEADER(%rbx)
    movb $STATE_RECEIVING, TASK_STATE(%rbx)
    movq $VECTOR_SYSCALL, TASK_VECTOR(%rbx)
    mov TASK_PRIORITY(%rbx), %cl
    mov %cl, TASK_EFFECTIVE(%rbx)
    lea ENDPOINT_RECEIVERS(%r14), %rcx // to the end of the queue of receivers
    lea TASK_LINK(%rbx), %r13
    mov 8(%rcx), %rbp
    mov %rcx, (%r13)
    mov %rbp, 8(%r13)
    mov %r13, (%rbp)
    mov %r13, 8(%rcx)
    xor %ebx, %ebx

// Leaves for the task in R15 with the badge in RBX; it entered by a system call. Null selectors: what the
// other task loaded shall not show. Loading GS after the swap clears the user's base, which is 0 anyway.
fast_switch:
    mov %r15, %gs:CPU_CURRENT
    lea TASK_REGISTERS_END(%r15), %rcx
    mov %rcx, %gs:CPU_TSS_RSP0
    mov TASK_ROOT(%r15), %rcx
    cmp %gs:CPU_ROOT, %rcx
    je 2f
    mov %rcx, %gs:CPU_ROOT
    mov %rcx, %cr3
2:  xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov TASK_RIP(%r15), %rcx
    mov TASK_RFLAGS(%r15), %r11
    mov TASK_RSP(%r15), %rsp
    xor %ebp, %ebp
    xor %r12d, %r12d
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
    swapgs
    mov %eax, %gs
    sysretq
