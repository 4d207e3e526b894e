// SPDX-License-Identifier: MIT
// Tasks: a kernel object that runs in a space and holds a reference to it, and a portal: a capability
// to the task, through which it is killed and waited for. The task has it as its pager, so that its
// faults and its end come through it too, and while it runs the portal has a reference.
//
//   task_spawn() ──▶ running ──task_end()──▶ ended ──nobody has its portal──▶ gone
//                     │   ▲
//     task_starve()   ▼   │ fault_retry()
//                    starved: its fault waits for memory, or for quota
#pragma once

#include "portal.h"
#include "vmm.h"

struct task {
    uint8_t kind; // RECORD_TASK
    bool is_running : 1, is_starved : 1;
    bool is_fragile : 1; // it ends by a fault that finds no memory
    bool is_probe : 1;   // the machine pays for it, and its end is not logged
    uint8_t exit_kind;   // enum exit_kind, when ended
    int8_t reason;       // EXIT_FAULT: why (status_t)
    uint32_t number;     // for log lines
    record_t space;
    uint32_t object;     // window index of the kernel's task
    portal_t portal;     // 0: gone
    record_t next, prev; // of the space's
    uint16_t waiters;    // slots with the replies of those who wait for its end
    uint16_t kept;       // starved: the slot with its reply
    record_t next_starved;
    uint64_t code; // exit code; of the fault that ended it or waits: vector | error code << 32
    uint64_t address;
    uint64_t rip;
};

_Static_assert(sizeof(struct task) <= 64, "a task is a record");

// What a new task's SLOT_PARENT gets.
enum parent_kind { PARENT_NONE, PARENT_PORTAL, PARENT_SLOT };

struct spawn {
    record_t space;
    portal_t self; // a grant on the space; 0: it gets none
    enum parent_kind parent_kind;
    portal_t
        parent; // PARENT_PORTAL: one into the VMM's endpoint. PARENT_SLOT: in state->receive_slot
    portal_t devices;          // init: a grant for its slot TASK_SLOT_DEVICES
    bool is_fragile, is_probe; // as in struct task
    bool is_init;              // nobody else gets a capability to it; its end is the machine's
    vaddr_t rip, rsp;
    uint64_t arg;
    uint64_t priority;
};

struct task *task_of(const struct vmm *vm, record_t id);

// Makes and starts a task on the space's account; VMM_SLOT_ANSWER gets the capability to it.
// A space has one probe at most. Errors: E_QUOTA, E_NOMEM, E_LIMIT, E_INVAL (an address or priority
// that the kernel refuses), E_BUSY (a second probe); the task never ran, and a capability in
// state->receive_slot may be gone.
must_check status_t task_spawn(struct vmm *vm, const struct spawn *s);

// What became of a task.
struct task_end {
    uint8_t exit_kind; // enum exit_kind
    status_t reason;   // EXIT_FAULT, or of a fault that waits
    uint64_t code, address, rip;
};

// Remembers a fault, while somebody serves it.
void task_note(struct vmm *vm, record_t id, const struct task_end *end);

// Ends a running task: its object, its reference to the space; tells those who wait.
void task_end(struct vmm *vm, record_t id, const struct task_end *end);

// The task's fault waits: the reply capability to it, in state->reply_slot, is kept, and reply_slot
// is another, empty slot.
void task_starve(struct vmm *vm, record_t id, const struct task_end *fault);

// Lets the task at *link of the list of the starved go on.
void task_feed(struct vmm *vm, record_t *link);

// Gives a running task a frame of further slots, on its space's account. Errors: E_QUOTA, E_NOMEM,
// E_LIMIT, E_STATE (it has ended).
must_check status_t task_add_slots(struct vmm *vm, record_t id);

// Nobody refers to the task's portal any more.
void task_drop(struct vmm *vm, record_t id);

// Keeps the reply capability in state->reply_slot until the running task ends; reply_slot is another,
// empty slot.
void task_wait(struct vmm *vm, record_t id);

// Frees the slots of those who died while they waited.
void tasks_sweep(struct vmm *vm);

// Fills the words of an answer to who waited for the end of a task.
void task_exit_words(const struct task *t, uint64_t words[MESSAGE_WORDS]);
