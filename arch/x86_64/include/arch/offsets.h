// SPDX-License-Identifier: MIT
// Numbers that assembly needs of C's structures; offsets.c proves each of them.
#pragma once

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA   0x1b
#define SELECTOR_USER_CODE   0x23
#define SELECTOR_TSS         0x28

// struct cpu, through GS
#define CPU_SELF       0
#define CPU_CURRENT    8
#define CPU_STACK_TOP  16
#define CPU_PAYER      24
#define CPU_READY_MASK 32
#define CPU_TOP        36
#define CPU_TSS_RSP0   64
#define CPU_READY      176

// struct task
#define TASK_STATE         8 // a byte; as a word of 32 bits it takes `receive` along
#define TASK_RECEIVE       10
#define TASK_PRIORITY      12
#define TASK_EFFECTIVE     13
#define TASK_SLICE         14
#define TASK_SPECIAL       15
#define TASK_LINK          24
#define TASK_REGISTERS     48
#define TASK_RAX           96
#define TASK_RBP           136
#define TASK_VECTOR        168
#define TASK_ERROR         176
#define TASK_RIP           184
#define TASK_RFLAGS        200
#define TASK_RSP           208
#define TASK_REGISTERS_END 224
#define TASK_REPLY_SLOT    240
#define TASK_FAULT_ADDRESS 248
#define TASK_ROOT          256
#define TASK_ENDPOINT      272
#define TASK_REPLY_INTO    280
#define TASK_RECEIVE_INTO  288
#define TASK_LOOP_HEADER   296
#define TASK_LOOP_AFTER    304
#define TASK_PAGER         312
#define TASK_SLOTS         360

#define STATE_READY     1
#define STATE_ANSWER    3
#define STATE_RECEIVING 4
#define EXCEPTION       16 // of `special`
#define ASKED_EXCEPTION 50
#define TICKS           2 // of a time slice

// Their `vector`: how they go on.
#define PAGE_FAULT_VECTOR 14
#define SYSCALL_VECTOR    0x100
#define YIELD_VECTOR      0x101

// struct slot
#define SLOT_OBJECT  0
#define SLOT_TYPE    8
#define SLOT_FLAGS   9
#define SLOT_LENDER  12
#define TYPE_EMPTY   0
#define TYPE_PORTAL  1
#define TYPE_REPLY   3
#define TYPE_MACHINE 5
#define FLAG_CALL    1
#define FLAG_NOTIFY  2
#define FLAG_COPY    4
#define FLAG_MOVE    8

// struct portal, struct endpoint
#define IDLE                   0
#define PENDING                1
#define CROWDED                2
#define PORTAL_ENDPOINT        0
#define PORTAL_BADGE           8
#define PORTAL_REFS            32
#define ENDPOINT_RECEIVER      8
#define ENDPOINT_RECEIVERS     32
#define ENDPOINT_WAITERS       48
#define ENDPOINT_WORD          96
#define ENDPOINT_IS_NOTIFIED   104
#define ENDPOINT_REPORTS_FIRST 106
#define ENDPOINT_REFS          108

// System calls, statuses, results (ipc/syscalls.h, ipc/status.h)
#define NUMBER_REPLY_RECV   1
#define NUMBER_NOTIFY       3
#define NUMBER_DROP         4
#define NUMBER_YIELD        5
#define NUMBER_FLUSH        21
#define FLUSH_LAST          1 // of the roots that name no space
#define NUMBER_COUNT        23
#define ANSWER_NOSYS        -19
#define ANSWER_SLOT         -14
#define RESULT_NOTIFICATION 0x100000000
#define RESULT_EXCEPTION    0x300000000
#define RESULT_CAP_BIT      40
#define RESULT_OWN_BIT      41
#define RESULT_WITH_CAP     0x10000000000
#define RESULT_WANTS        0x80000000000
#define MOVE                1 // of a header's flags
