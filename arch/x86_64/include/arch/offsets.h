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
#define CPU_ROOT       40
#define CPU_TSS_RSP0   72

// struct task
#define TASK_STATE         8
#define TASK_PRIORITY      9
#define TASK_EFFECTIVE     10
#define TASK_SLICE         11
#define TASK_SPECIAL       12
#define TASK_LINK          32
#define TASK_REGISTERS     48
#define TASK_VECTOR        168
#define TASK_RIP           184
#define TASK_RFLAGS        200
#define TASK_RSP           208
#define TASK_REGISTERS_END 224
#define TASK_HEADER        224
#define TASK_REPLY_SLOT    240
#define TASK_EVENT_KIND    248
#define TASK_ROOT          280
#define TASK_REPLY_INTO    296
#define TASK_LOOP_HEADER   304
#define TASK_LOOP_ENDPOINT 312
#define TASK_LOOP_RECEIVE  320
#define TASK_SLOTS         328

#define STATE_READY     1
#define STATE_ANSWER    3
#define STATE_RECEIVING 4

// struct slot
#define SLOT_OBJECT   0
#define SLOT_TYPE     8
#define TYPE_EMPTY    0
#define TYPE_PORTAL   1
#define TYPE_ENDPOINT 2
#define TYPE_REPLY    3

// struct portal, struct endpoint
#define PORTAL_ENDPOINT      0
#define PORTAL_BADGE         8
#define ENDPOINT_SENDERS     8
#define ENDPOINT_RECEIVERS   24
#define ENDPOINT_REPORTS     56
#define ENDPOINT_IS_NOTIFIED 96
