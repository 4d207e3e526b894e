// SPDX-License-Identifier: MIT
// Capability slots. A task names capabilities by slot number only; what the slot holds, the kernel
// alone writes. Slot 0 holds the task's pager and cannot be named.
#pragma once

#include "kernel/object.h"

struct task;
struct portal;
struct endpoint;

enum slot_type {
    SLOT_EMPTY,
    SLOT_PORTAL,
    SLOT_ENDPOINT,
    SLOT_REPLY,
    SLOT_CONSOLE_CAP,
    SLOT_MACHINE
};

struct slot {
    union {
        struct portal *portal;
        struct endpoint *endpoint;
        struct task *caller; // SLOT_REPLY: whose `reply_slot` points back here
    };
    uint8_t type; // enum slot_type
    uint8_t
        flags; // SLOT_CALL ...; CALL and NOTIFY in portals alone, where the fast path looks first
    uint16_t reserved;
    uint32_t
        lender; // window index of the task that lent it, and gets it back with the reply; 0: none
};

#define TASK_SLOTS_FIRST 64u
#define SLOTS_PER_FRAME  250u
#define SLOT_FRAMES_MAX  8u

struct slots {
    struct object object;
    uint64_t reserved;
    struct slot slot[SLOTS_PER_FRAME];
};

_Static_assert(sizeof(struct slot) == 16, "slot layout");
_Static_assert(sizeof(struct slots) <= PAGE_SIZE, "slots must fit their frame");

// The slot of a number from TASK_SLOTS_FIRST on, or NULL if the task has none such: see slot_at().
struct slot *slot_far(struct task *t, slot_t number);

// The slot, if it holds a capability of `type`; NULL otherwise.
struct slot *slot_of_type(struct task *t, slot_t number, enum slot_type type);

// Whether `number` may be named for an incoming capability: OK if it is 0 or an empty slot.
// E_SLOT: no such slot. E_OCCUPIED: it holds something.
must_check status_t slot_check_empty(struct task *t, slot_t number);

// Whether the holder of `from` may send it. E_SLOT: empty. E_RIGHT: the flags forbid it, or a reply
// capability would be copied. E_REVOKED: a dead portal.
must_check status_t slot_check_send(const struct slot *from, bool move);

// Puts the capability of `from`, without the flags in `mask`, into the empty slot `to`; `from` is
// emptied if `move`. After slot_check_send(). E_LIMIT: the reference count is full, nothing
// changed.
must_check status_t slot_transfer(struct slot *from, struct slot *to, bool move, unsigned mask);

// Puts a copy of `from` into `to`, that can be used but not passed on, until `lender`, who calls, has its
// answer. After slot_check_send(). E_LIMIT.
must_check status_t slot_lend(struct slot *from, struct slot *to, struct task *lender,
                              unsigned mask);

// Empties a slot and gives its reference up. A reply capability's caller wakes with E_DEAD.
void slot_drop(struct slot *s);
