// SPDX-License-Identifier: MIT
// The ways through the kernel that matter most, each for the plain case: a CALL, or a page fault,
// to a server that waits alone; its REPLY_RECV when nothing else is pending; a NOTIFY, a YIELD. The
// words of a message stay in their registers from one task to the other. Whatever is not plain goes
// to the general path in kernel/, which does the same and more: nothing that matters to it is
// written here before all is known to fit.
//
// RBX: current; RAX: header, then result. A task that is `special` goes the general way.
#include "arch/offsets.h"
#include "switch.inc"

#define LAST_PLAIN  (63 << 4) // header of a call of slot 63
#define FIELD_SEND  12        // where a header's other slots are, from the target on
#define FIELD_TAKE  24

// The first node leaves its list.
.macro unlink_first head, first, free
    mov (\first), \free
    mov \free, (\head)
    mov \head, 8(\free)
    movq $0, (\first)
.endm

.macro link_between before, node, after
    mov \after, (\node)
    mov \before, 8(\node)
    mov \node, (\before)
    mov \node, 8(\after)
.endm

// Whom a call through the portal in R13 reaches: R15, who waits alone at the endpoint R14.
.macro find_receiver otherwise
    mov PORTAL_ENDPOINT(%r13), %r14
    test %r14, %r14
    jz \otherwise
    mov ENDPOINT_RECEIVER(%r14), %r15
    cmp $CROWDED, %r15
    jbe \otherwise
.endm

// Whom a reply reaches: R15, whose reply capability is in the slot R12, before RBX waits at the
// endpoint R14. CL, and the flags, tell what is special. RAX: the header.
.macro find_caller
    save_user
    mov TASK_REPLY_INTO(%rbx), %r12
    cmpb $TYPE_REPLY, SLOT_TYPE(%r12)
    jne 8b
    mov SLOT_OBJECT(%r12), %r15
    mov TASK_ENDPOINT(%rbx), %r14
    cmpq $IDLE, ENDPOINT_RECEIVER(%r14)
    jne 8b
    mov %gs:CPU_TOP, %cl // somebody above the caller is ready
    cmp TASK_EFFECTIVE(%r15), %cl
    ja 8b
    mov TASK_SPECIAL(%rbx), %cl
    or TASK_SPECIAL(%r15), %cl
.endm

// A short jump away.
.macro general_is_here
8:  jmp syscall_saved
.endm

// Without words; RAX is set.
.macro back_to_caller
    xor %edi, %edi
    xor %esi, %esi
    xor %edx, %edx
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %ebx, %ebx
    swapgs
    sysretq
.endm

    .text

// A system call. Words in RDI RSI RDX R8 R9 R10; free are RCX R11, once saved, RBP and R12-R15.
    .balign 16
    .globl syscall_entry
syscall_entry:
    swapgs
    cmp $LAST_PLAIN, %rax
    mov %gs:CPU_CURRENT, %rbx
    jbe fast_call
    cmp TASK_LOOP_HEADER(%rbx), %rax
    je fast_reply
    rol $8, %rax // the number, and above it the rest
    cmp $NUMBER_COUNT, %al
    jae unknown
    cmp $NUMBER_NOTIFY, %al
    je fast_notify
    cmp $NUMBER_YIELD, %al
    je fast_yield
    cmp $NUMBER_DROP, %al
    je fast_drop
    cmp $NUMBER_REPLY_RECV, %al
    je fast_give
    cmp $NUMBER_FLUSH, %al
    je fast_flush
    ror $8, %rax
    movabs $~(LAST_PLAIN | LAST_PLAIN << FIELD_SEND | LAST_PLAIN << FIELD_TAKE), %r12
    test %r12, %rax
    jz fast_carry
    jmp syscall_general

unknown:
    mov $ANSWER_NOSYS, %eax

// Back to who called with a result in RAX and no words. RCX, R11, RSP and RBP are its own; R12 to
// R15 are, or are zero.
    .globl answer
answer:
    back_to_caller

// The header is the offset of the slot, which is below 64, and names nothing else.
    general_is_here
fast_call:
    test $15, %al
    jnz syscall_general
    testb $FLAG_CALL, TASK_SLOTS + SLOT_FLAGS(%rbx, %rax)
    jz call_refused
    save_user
    mov TASK_SLOTS(%rbx, %rax), %r13
    find_receiver 8b
    cmpb $0, TASK_SPECIAL(%rbx)
    jne 8b
    xor %eax, %eax
    xor %r12d, %r12d

// RBX calls R15, who waits at the endpoint R14, through the portal R13. RAX: the result for R15, a
// success; R12: the badge that it learns of what was carried.
hand_over:
    movl $STATE_ANSWER, TASK_STATE(%rbx) // and no slot for a capability in the reply
hand_over_then:
    movq $IDLE, ENDPOINT_RECEIVER(%r14)
    mov TASK_REPLY_INTO(%r15), %rcx
    mov %rbx, SLOT_OBJECT(%rcx)
    movw $(TYPE_REPLY | FLAG_MOVE << 8), SLOT_TYPE(%rcx)
    mov %rcx, TASK_REPLY_SLOT(%rbx)
    movb $STATE_READY, TASK_STATE(%r15)
    mov TASK_EFFECTIVE(%rbx), %cl
    cmp %cl, TASK_EFFECTIVE(%r15)
    jae 1f
    mov %cl, TASK_EFFECTIVE(%r15)
1:  switch_to_r15
    mov PORTAL_BADGE(%r13), %rbx

// Leaves for the task in R15, which waits in a system call: sets all but its words, RAX, RBX, R12.
leave:
    mov TASK_RIP(%r15), %rcx
    mov TASK_RFLAGS(%r15), %r11
    mov TASK_RSP(%r15), %rsp
    mov TASK_RBP(%r15), %rbp
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
    swapgs
    mov %eax, %gs
    sysretq

// No portal is there, or one that may not be called, or the pager's.
call_refused:
    cmpb $TYPE_PORTAL, TASK_SLOTS + SLOT_TYPE(%rbx, %rax)
    je syscall_general
answer_slot:
    mov $ANSWER_SLOT, %eax
    jmp answer

.macro reply_r12_to_r15
    movb $TYPE_EMPTY, SLOT_TYPE(%r12)
    movb $STATE_READY, TASK_STATE(%r15)
    mov %r15, %gs:CPU_PAYER
    movb $STATE_RECEIVING, TASK_STATE(%rbx)
    mov TASK_PRIORITY(%rbx), %cl
    mov %cl, TASK_EFFECTIVE(%rbx)
    mov %rbx, ENDPOINT_RECEIVER(%r14)
    switch_to_r15
.endm

// The header is that of the last REPLY_RECV, and its slots are as they were: see task_slot_fills().
    general_is_here
fast_reply:
    find_caller
    jnz reply_special
    xor %eax, %eax
reply_r15:
    reply_r12_to_r15
    xor %ebx, %ebx
    xor %r12d, %r12d
    jmp leave

// An exception's reply gives back the registers as they were: the VMM's, or a task's own pager's that
// has served it.
reply_special:
    cmp $EXCEPTION, %cl
    je 1f
    cmp $ASKED_EXCEPTION, %cl
    jne 8b
    test %edi, %edi
    jnz 8b
1:  movb $0, TASK_SPECIAL(%r15)
    xor %eax, %eax
    reply_r12_to_r15
    swapgs
    mov %eax, %gs
    swapgs
    mov %r15, %rax
    jmp resume_interrupted

// A page fault; all registers are saved.
    .globl fast_fault
fast_fault:
    cmpb $0, TASK_SPECIAL(%rbx)
    jne trap_general
    mov TASK_PAGER(%rbx), %r13
    test %r13, %r13
    jnz ask_pager
    cmpb $TYPE_PORTAL, TASK_SLOTS + SLOT_TYPE(%rbx) // slot 0: the VMM's
    jne trap_general
    mov TASK_SLOTS(%rbx), %r13
    find_receiver trap_general
    movb $EXCEPTION, TASK_SPECIAL(%rbx)
tell_fault:
    mov %cr2, %rdx
    mov %rdx, TASK_FAULT_ADDRESS(%rbx)
    mov $PAGE_FAULT_VECTOR, %edi
    mov TASK_ERROR(%rbx), %rsi
    mov TASK_RIP(%rbx), %r8
    mov TASK_RSP(%rbx), %r9
    xor %r10d, %r10d
    xor %r12d, %r12d
    movabs $RESULT_EXCEPTION, %rax
    jmp hand_over
ask_pager:
    find_receiver trap_general
    movb $ASKED_EXCEPTION, TASK_SPECIAL(%rbx)
    jmp tell_fault

// A call that carries a copy of a portal, or names a slot for what the reply may bring, or both: slots
// below 64, and nothing else.
    general_is_here
fast_carry:
    save_user
    mov %eax, %ebp
    and $LAST_PLAIN, %ebp
    testb $FLAG_CALL, TASK_SLOTS + SLOT_FLAGS(%rbx, %rbp)
    jz 8b
    mov TASK_SLOTS(%rbx, %rbp), %r13
    find_receiver 8b
    cmpb $0, TASK_SPECIAL(%rbx)
    jne 8b
    xor %r11d, %r11d // the result
    mov %rax, %rbp
    shr $FIELD_TAKE, %rbp
    jz 1f
    cmpb $TYPE_EMPTY, TASK_SLOTS + SLOT_TYPE(%rbx, %rbp)
    jne 8b
    movabs $RESULT_WANTS, %r11
1:  shl $FIELD_TAKE - 12, %ebp // where `receive` is
    mov %eax, %r12d
    shr $FIELD_SEND, %r12d
    and $LAST_PLAIN, %r12d
    jz carried
    add %rbx, %r12
    cmpb $TYPE_PORTAL, TASK_SLOTS + SLOT_TYPE(%r12)
    jne 8b
    testb $FLAG_COPY, TASK_SLOTS + SLOT_FLAGS(%r12)
    jz 8b
    mov TASK_SLOTS(%r12), %rcx
    cmp PORTAL_ENDPOINT(%rcx), %r14
    je carry_home
    cmpq $0, PORTAL_ENDPOINT(%rcx)
    je 8b
    cmp %r14, machine_endpoint(%rip) // who also learns the portal's number
    je 8b
    cmpl $-1, PORTAL_REFS(%rcx)
    je 8b
    cmpq $0, TASK_RECEIVE_INTO(%r15)
    je 8b
    incl PORTAL_REFS(%rcx)
    mov TASK_SLOTS + SLOT_TYPE(%r12), %rax // and flags, and no lender, since it may be copied
    mov TASK_RECEIVE_INTO(%r15), %r12 // empty, since it waits
    mov %rcx, SLOT_OBJECT(%r12)
    mov %rax, SLOT_TYPE(%r12)
    mov TASK_LOOP_HEADER(%r15), %rcx
    mov %rcx, TASK_LOOP_AFTER(%r15)
    movq $0, TASK_LOOP_HEADER(%r15)
    bts $RESULT_CAP_BIT, %r11
    xor %r12d, %r12d
carried:
    or $STATE_ANSWER, %ebp
    mov %ebp, TASK_STATE(%rbx)
    mov %r11, %rax
    jmp hand_over_then
carry_home:
    mov PORTAL_BADGE(%rcx), %r12
    bts $RESULT_OWN_BIT, %r11
    jmp carried

// RAX: the number REPLY_RECV and, above it, the rest of a header that is not the last one: but for a
// portal that it sends, maybe.
    general_is_here
fast_give:
    ror $8, %rax
    movabs $~(LAST_PLAIN << FIELD_SEND | MOVE), %r12
    and %rax, %r12
    cmp TASK_LOOP_HEADER(%rbx), %r12
    jne syscall_general
    find_caller
    jnz 8b
    mov %eax, %ebp
    shr $FIELD_SEND, %ebp
    and $LAST_PLAIN, %ebp
    jz 8b
    lea TASK_SLOTS(%rbx, %rbp), %rbp // from here
    cmpb $TYPE_PORTAL, SLOT_TYPE(%rbp)
    jne 8b
    movzwl TASK_RECEIVE(%r15), %r13d
    lea -1(%r13), %ecx
    cmp $62, %ecx
    ja 8b
    shl $4, %r13d
    lea TASK_SLOTS(%r15, %r13), %r13 // to here
    cmp %r13, TASK_RECEIVE_INTO(%r15)
    je 8b
    mov SLOT_OBJECT(%rbp), %r11
    cmpq $0, PORTAL_ENDPOINT(%r11)
    je 8b
    mov SLOT_TYPE(%rbp), %rcx
    test $MOVE, %al
    jnz 1f
    test $FLAG_COPY, %ch
    jz 8b
    cmpl $-1, PORTAL_REFS(%r11)
    je 8b
    incl PORTAL_REFS(%r11)
    jmp 2f
1:  test $FLAG_MOVE, %ch
    jz 8b
    movq $TYPE_EMPTY, SLOT_TYPE(%rbp)
2:  mov %r11, SLOT_OBJECT(%r13)
    mov %rcx, SLOT_TYPE(%r13)
    movabs $RESULT_WITH_CAP, %rax
    jmp reply_r15

// RAX: the number NOTIFY, or DROP, and, above it, the rest of the header. The words mean nothing here
// and come back zero: RDI RSI RDX are free.
.macro find_only_slot // RDI: times 16; below 64, and nothing else is named
    cmp $(LAST_PLAIN << 8 | 0xff), %rax
    ja signal_general
    mov %eax, %edi
    shr $8, %edi
    and $LAST_PLAIN, %edi
.endm

// The machine's holder flushes a space that is not loaded: nothing of it is cached (see arch_flush()).
fast_flush:
    cmp $FLUSH_LAST, %rdi // the kernel's half, or all spaces
    jbe signal_general
    cmp TASK_ROOT(%rbx), %rdi
    je signal_general
    find_only_slot
    cmpb $TYPE_MACHINE, TASK_SLOTS + SLOT_TYPE(%rbx, %rdi)
    jne answer_slot
    xor %eax, %eax
    back_to_caller

// A portal that has other references.
fast_drop:
    find_only_slot
    jz signal_general
    lea TASK_SLOTS(%rbx, %rdi), %rdi
    cmpb $TYPE_PORTAL, SLOT_TYPE(%rdi)
    jne signal_general
    cmpl $0, SLOT_LENDER(%rdi)
    jne signal_general
    mov SLOT_OBJECT(%rdi), %rsi
    cmpl $1, PORTAL_REFS(%rsi)
    jbe signal_general
    decl PORTAL_REFS(%rsi)
    movq $TYPE_EMPTY, SLOT_TYPE(%rdi)
    xor %eax, %eax
    cmp TASK_RECEIVE_INTO(%rbx), %rdi
    jne 1f
    mov TASK_LOOP_AFTER(%rbx), %rsi
    mov %rsi, TASK_LOOP_HEADER(%rbx)
    movq $0, TASK_LOOP_AFTER(%rbx)
1:  back_to_caller

fast_notify:
    find_only_slot
    testb $FLAG_NOTIFY, TASK_SLOTS + SLOT_FLAGS(%rbx, %rdi)
    jz signal_general
    mov TASK_SLOTS(%rbx, %rdi), %rdi
    mov PORTAL_ENDPOINT(%rdi), %rsi
    test %rsi, %rsi
    jz signal_general
    cmpl $0, ENDPOINT_REFS(%rsi)
    je signal_general
    cmpq $PENDING, ENDPOINT_RECEIVER(%rsi)
    ja notify_wakes
    mov PORTAL_BADGE(%rdi), %rdi
    or %rdi, ENDPOINT_WORD(%rsi)
    movb $1, ENDPOINT_IS_NOTIFIED(%rsi)
    movq $PENDING, ENDPOINT_RECEIVER(%rsi)
    xor %eax, %eax
    back_to_caller

// Somebody waits: in WAIT, above the current task in priority, and nobody receives.
notify_wakes:
    lea ENDPOINT_RECEIVERS(%rsi), %rdx
    cmp %rdx, (%rdx)
    jne signal_general
    cmpq $CROWDED, ENDPOINT_RECEIVER(%rsi)
    jne signal_general
    lea ENDPOINT_WAITERS(%rsi), %rdx
    mov (%rdx), %r8
    cmp %rdx, %r8
    je signal_general // its standing is out of date
    lea -TASK_LINK(%r8), %r15
    mov TASK_EFFECTIVE(%rbx), %r9b
    cmp TASK_EFFECTIVE(%r15), %r9b
    jae wakes_general
    mov TASK_SPECIAL(%rbx), %r9b
    or TASK_SPECIAL(%r15), %r9b
    jnz wakes_general
    save_user
    unlink_first %rdx, %r8, %rcx // the endpoint's standing is put right when somebody comes to it
    movb $1, ENDPOINT_REPORTS_FIRST(%rsi)
    movb $STATE_READY, TASK_STATE(%r15)
    movb $TICKS, TASK_SLICE(%r15)
    mov %r15, %gs:CPU_PAYER
    mov PORTAL_BADGE(%rdi), %rdi
    movq $YIELD_VECTOR, TASK_VECTOR(%rbx) // the current task comes first in its queue
    movzbl TASK_EFFECTIVE(%rbx), %ecx
    mov %gs:CPU_SELF, %r9
    bts %ecx, CPU_READY_MASK(%r9)
    mov %cl, CPU_TOP(%r9)
    shl $4, %ecx
    lea CPU_READY(%r9, %rcx), %r9
    lea TASK_LINK(%rbx), %r8
    mov (%r9), %rcx
    link_between %r9, %r8, %rcx
    movabs $RESULT_NOTIFICATION, %rax
    jmp leave_for_word
wakes_general:
    xor %r15d, %r15d
signal_general:
    ror $8, %rax
    jmp syscall_general

// To another task of the same priority that yielded, too.
fast_yield:
    movzbl TASK_EFFECTIVE(%rbx), %edi
    shl $4, %edi
    add %gs:CPU_SELF, %rdi
    add $CPU_READY, %rdi // the queue
    mov (%rdi), %rsi
    cmp %rsi, %rdi
    je yield_to_nobody
    lea -TASK_LINK(%rsi), %r15
    cmpq $YIELD_VECTOR, TASK_VECTOR(%r15)
    jne yield_general
    mov TASK_SPECIAL(%rbx), %dl
    or TASK_SPECIAL(%r15), %dl
    jnz yield_general
    save_user
    unlink_first %rdi, %rsi, %rdx
    lea TASK_LINK(%rbx), %rsi // the current task becomes the last
    mov 8(%rdi), %rdx
    link_between %rdx, %rsi, %rdi
    movb $TICKS, TASK_SLICE(%rbx)
    mov %r15, %gs:CPU_PAYER
    movq $YIELD_VECTOR, TASK_VECTOR(%rbx)
    movq $SYSCALL_VECTOR, TASK_VECTOR(%r15)
    xor %eax, %eax
    xor %edi, %edi

// Leaves for the task in R15 with one word, in RDI.
leave_for_word:
    switch_to_r15
    xor %esi, %esi
    xor %edx, %edx
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %r12d, %r12d
    xor %ebx, %ebx
    jmp leave
yield_to_nobody:
    xor %eax, %eax
    jmp answer
yield_general:
    xor %r15d, %r15d
    ror $8, %rax
    jmp syscall_general
