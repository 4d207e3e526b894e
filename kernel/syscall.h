// SPDX-License-Identifier: MIT
// System calls: decoding of the header word and dispatch by number. What each call does stands in
// ipc/syscalls.h; a handler gets the calling task, whose registers hold header and words, and
// answers a status, or OWN_RESULT when it wrote the result itself or the task blocks.
#pragma once

#include "kernel/task.h"

#define OWN_RESULT 1

static inline enum syscall_number header_number(uint64_t header)
{
    return (enum syscall_number)(header >> 56);
}

static inline slot_t header_target(uint64_t header)
{
    return header >> 4 & SLOT_MAX;
}

static inline slot_t header_send(uint64_t header)
{
    return header >> 16 & SLOT_MAX;
}

static inline slot_t header_receive(uint64_t header)
{
    return header >> 28 & SLOT_MAX;
}

static inline slot_t header_reply(uint64_t header)
{
    return header >> 40 & SLOT_MAX;
}

static inline unsigned header_flags(uint64_t header)
{
    return (header & 0xf) | (header >> 52 & 0xf) << 4;
}

// How a system call ends.
struct syscall_end {
    struct task *task; // to resume with what its registers hold; NULL: the current one goes on,
    status_t status;   // with this and no words
};

// Handles the system call in cpu->current's registers.
struct syscall_end syscall_handle(struct cpu *cpu);

// The calls of the machine capability's holder (kernel/machine.c), after the capability was
// checked.
status_t machine_call(struct task *t, enum syscall_number number);
