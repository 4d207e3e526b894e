// SPDX-License-Identifier: MIT
// Tasks: a kernel object that runs in a space and holds a reference to it; a capability to it,
// through which it is killed and waited for; and a pager portal in its slot 0, through which its
// faults and its end come.
//
//   task_spawn() ──▶ running ──task_end()──▶ ended ──no portal of it left──▶ gone
#pragma once

#include "portal.h"
#include "vmm.h"

struct task {
    uint8_t kind; // RECORD_TASK
    bool is_running;
    uint8_t exit_kind; // enum exit_kind, when ended
    uint8_t reserved;
    uint32_t number; // for log lines
    record_t space;
    uint32_t object;     // window index of the kernel's task
    portal_t capability; // 0: none, or gone
    portal_t pager;
    record_t next, prev; // of the space's
    uint16_t waiters;    // slots with the replies of those who wait for its end
    uint64_t code;       // exit code, or vector
    uint64_t address;
    uint64_t rip;
};

_Static_assert(sizeof(struct task) <= 64, "a task is a record");

// What a new task's SLOT_PARENT gets.
enum parent_kind { PARENT_NONE, PARENT_PORTAL, PARENT_SLOT };

struct spawn {
    record_t space;
    portal_t self; // a grant on the space
    enum parent_kind parent_kind;
    portal_t parent;   // PARENT_PORTAL: one into the VMM's endpoint. PARENT_SLOT: VMM_SLOT_RECEIVE
    bool gets_console; // it gets VMM_SLOT_CONSOLE
    bool is_init;      // no capability to it is made; its end is the machine's
    vaddr_t rip, rsp;
    uint64_t arg;
    uint64_t priority;
};

struct task *task_of(const struct vmm *vm, record_t id);

// Makes and starts a task on the space's account; VMM_SLOT_ANSWER gets the capability to it.
// Errors: E_QUOTA, E_NOMEM, E_LIMIT, E_INVAL (an address or priority that the kernel refuses); the
// task never ran, and a capability in VMM_SLOT_RECEIVE may be gone.
must_check status_t task_spawn(struct vmm *vm, const struct spawn *s);

// What became of a task.
struct task_end {
    uint8_t exit_kind; // enum exit_kind
    uint64_t code, address, rip;
};

// Ends a running task: its object, its reference to the space; tells those who wait.
void task_end(struct vmm *vm, record_t id, const struct task_end *end);

// Nobody refers to this portal of the task any more.
void task_drop(struct vmm *vm, record_t id, enum portal_kind kind);

// Ends all tasks of a space, as killed.
void task_kill_all(struct vmm *vm, record_t space);

// Fills the words of an answer to who waited for the end of a task.
void task_exit_words(const struct task *t, uint64_t words[MESSAGE_WORDS]);
