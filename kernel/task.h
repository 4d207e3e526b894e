// SPDX-License-Identifier: MIT
// Tasks: one donated frame each, with all that the kernel knows of it.
//
//   NEW ─resume▶ READY ◀──────────────┬──────────────┬───────────┐
//                │ │ ▲ call, nobody   │ taken        │ message   │ resume
//                │ │ │ receives ──▶ SENDING ─▶ ANSWER│           │
//                │ │ reply_recv ──▶ RECEIVING ───────┤           │
//                │ │ wait ────────▶ WAITING ─────────┘           │
//                │ └ stop ────────▶ STOPPED ─────────────────────┘
//                └ exit or exception: a call to the pager that the task did not make by itself
//
// READY includes the one that runs. A task in ANSWER waits for the reply that `reply_slot`, in some
// server's table, can give.
#pragma once

#include "arch/fpu.h"
#include "arch/registers.h"
#include "kernel/list.h"
#include "kernel/slot.h"

struct cpu;
struct endpoint;
struct portal;

enum task_state {
    TASK_NEW,
    TASK_READY,
    TASK_SENDING,
    TASK_ANSWER,
    TASK_RECEIVING,
    TASK_WAITING,
    TASK_STOPPED,
};

// What a switch or a reply has to look after.
enum task_special {
    SPECIAL_CONTEXT = 1,    // it has an FS base, or a CPU holds its FPU state
    SPECIAL_ASKED = 2,      // of what is FORWARDED: to its own pager, before the VMM hears of it
    SPECIAL_LOAN = 4,       // it lent a capability
    SPECIAL_SPENT = 8,      // its time slice is over
    SPECIAL_EXCEPTION = 16, // its pager is to hear of an exception: MESSAGE_EXCEPTION,
    SPECIAL_FORWARDED = 32, // which was handed on to a pager that may refuse it,
    SPECIAL_RETURNED = 64,  // or came back, and `refusal` says why
    SPECIAL_EXIT = 128,     // MESSAGE_EXIT
};

#define SPECIAL_EVENT (SPECIAL_EXCEPTION | SPECIAL_EXIT)

#define LOG_LINE_BYTES 200u

struct task {
    struct object object;
    uint8_t state;     // enum task_state
    uint8_t reserved;  // a fast call writes state, this and `receive` at once
    uint16_t receive;  // SENDING, ANSWER: its slot for a capability in the reply; 0: none
    uint8_t priority;  // its own
    uint8_t effective; // the higher of its own and that of whom it serves
    uint8_t slice;     // timer ticks left before others of its priority get their turn
    uint8_t special;   // enum task_special; not 0: no fast path
    struct cpu *cpu;
    struct list link; // in the ready queue of its priority, or in a queue of `endpoint`
    struct registers regs __attribute__((aligned(16)));
    uint64_t header;         // SENDING: of its call
    struct portal *via;      // SENDING: the portal called through, one reference held
    struct slot *reply_slot; // ANSWER: the slot that holds the reply capability; else void
    uint64_t fault_address;  // of an exception
    paddr_t root;
    uint64_t fs_base;
    struct endpoint *endpoint; // RECEIVING: where,
    struct slot *reply_into;   // where the next reply capability goes,
    struct slot *receive_into; // and where one that comes with a call; NULL: nowhere
    uint64_t loop_header;      // of a REPLY_RECV that sends nothing and for which the three hold
                               // still; 0: of none
    uint64_t loop_after;       // the same, once the capability in `receive_into` is dropped
    struct portal *pager;      // whom its page faults go to, one reference held; NULL: the VMM
    uint64_t refusal;          // SPECIAL_RETURNED: word 5 of the message
    struct slot *lent;         // ANSWER: the slot of a capability that it lent with its call
    struct list via_link;      // SENDING: among the tasks queued through `via`
    uint32_t n_slot_frames;
    uint32_t n_swept; // slots already dropped by task_destroy()
    struct slot slots[TASK_SLOTS_FIRST];
    struct slots *slot_frames[SLOT_FRAMES_MAX];
    uint32_t n_logged; // bytes of `line` not yet printed
    bool has_fpu;      // `fpu` holds its state: it used the FPU
    // From here on nothing counts before it is written.
    char line[LOG_LINE_BYTES];
    struct fpu_state fpu;
};

_Static_assert(sizeof(struct task) <= PAGE_SIZE, "a task must fit its frame");

// What the kernel sends for the task: its call, or what befell it.
static inline enum message_kind task_message_kind(const struct task *t)
{
    return t->special & SPECIAL_EXCEPTION ? MESSAGE_EXCEPTION
           : t->special & SPECIAL_EXIT    ? MESSAGE_EXIT
                                          : MESSAGE_CALL;
}

// A slot of the task's becomes full, or is about to become empty: what that means to the next
// REPLY_RECV. Its reply slot is looked at anyway.
static inline void task_slot_fills(struct task *t, const struct slot *s)
{
    if (s != t->receive_into)
        return;
    t->loop_after = t->loop_header;
    t->loop_header = 0;
}

static inline void task_slot_empties(struct task *t, const struct slot *s)
{
    if (s != t->receive_into && s->type != SLOT_ENDPOINT)
        return;
    t->loop_header = s == t->receive_into ? t->loop_after : 0;
    t->loop_after = 0;
}

// The slot of that number, or NULL if the task has none such; number 0 is none.
static inline struct slot *slot_at(struct task *t, slot_t number)
{
    if (number < TASK_SLOTS_FIRST)
        return number ? &t->slots[number] : NULL;
    return slot_far(t, number);
}

static inline struct task *task_of_link(struct list *link)
{
    return container_of(link, struct task, link);
}

// With what a task starts.
struct task_start {
    paddr_t root;
    uint64_t priority;
    vaddr_t rip, rsp;
    uint64_t arg;
};

// Makes a task, NEW, in the donated frame at `index`. E_INVAL, and as object_claim().
must_check status_t task_create(uint64_t index, struct cpu *cpu, const struct task_start *start,
                                struct task **task);

// Takes the task out of every queue, drops its slots and wakes who waits for it with E_DEAD, some
// at each call (E_MORE). E_STATE: the task runs on a CPU now. After OK its frames are the VMM's
// again.
must_check status_t task_destroy(struct task *t);

must_check status_t task_bind(struct task *t, paddr_t root, uint64_t priority, uint64_t fs_base);
must_check status_t task_stop(struct task *t);
must_check status_t task_resume(struct task *t);
// The capability in `from`, which is emptied, or none for NULL. Errors: see ipc/syscalls.h.
must_check status_t task_set_pager(struct task *t, struct slot *from);
must_check status_t task_add_slots(struct task *t, uint64_t index);

// Writes the result of a system call: the status, no words, no badge.
void task_return(struct task *t, status_t status);

// Wakes a task in ANSWER whose reply capability is gone. An exception without an answer cannot go on:
// if it was handed on, it comes to the task's own pager once more; else the task is stopped for good.
void task_wake_dead(struct task *t);

// Takes back what the task lent with its call, if it did.
void task_end_loan(struct task *t);

// Wakes a task in SENDING, already out of the queue, with an error.
void task_wake_error(struct task *t, status_t status);
