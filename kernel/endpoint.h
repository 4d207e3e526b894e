// SPDX-License-Identifier: MIT
// Endpoints: where a server receives. Four things can wait there: calls (tasks in FIFO order),
// reports (portals and endpoints that nobody refers to any more), a notification word, and
// receivers. Receivers wait only while nothing that they would take is there.
//
// Mostly one server waits for one call. For that there is a word that tells all, and is all that the fast
// paths in arch look at: the task that waits in REPLY_RECV alone, in no queue then, or one of
// enum standing.
#pragma once

#include "kernel/list.h"
#include "kernel/object.h"

struct task;

enum standing {
    STANDING_IDLE,    // nobody waits, nothing is pending
    STANDING_PENDING, // nobody waits
    STANDING_CROWDED, // somebody waits in a queue
};

struct endpoint {
    struct object object;
    union {
        uintptr_t standing;    // above STANDING_CROWDED:
        struct task *receiver; // nothing is pending, nobody else waits, and its `special` is 0
    };
    struct list senders;   // tasks whose call nobody took yet
    struct list receivers; // tasks in REPLY_RECV, if not one alone
    struct list waiters;   // tasks in WAIT: for the notification word alone
    struct list reports;   // links of portals; on the machine's endpoint, of endpoints too
    struct list link;      // in the machine's reports, when the last receive right is gone
    uint64_t word;         // OR of the badges of notifications not yet received
    bool is_notified;
    bool calls_first;   // the last message was no call: a queued call goes before the next non-call
    bool reports_first; // the last non-call was a notification
    uint32_t refs;      // slots with the receive right
    uint32_t n_portals; // live portals that lead here
};

_Static_assert(sizeof(struct endpoint) <= PAGE_SIZE, "an endpoint must fit its frame");

// The VMM's: it hears of everything that is unused.
extern struct endpoint *machine_endpoint;

// Makes an endpoint; the caller owns its one reference. Errors as object_claim().
must_check status_t endpoint_create(uint64_t index, struct endpoint **endpoint);

// Wakes the senders with E_DEAD, some at each call (E_MORE). E_BUSY while a receive right or a live
// portal exists, and always for the machine's. After OK the frame is the VMM's.
must_check status_t endpoint_destroy(struct endpoint *e);

// One receive right more (E_LIMIT) or less; the last one gone is reported to the machine's
// endpoint.
must_check status_t endpoint_hold(struct endpoint *e);
void endpoint_release(struct endpoint *e);

// Who waits in REPLY_RECV: adding one, at the front or at the back; taking the first (NULL: nobody); and
// letting one go that dies.
void endpoint_add_receiver(struct endpoint *e, struct task *t, bool is_first);
struct task *endpoint_take_receiver(struct endpoint *e);
void endpoint_leave(struct endpoint *e, struct task *t);

// A task waits for notifications alone.
void endpoint_add_waiter(struct endpoint *e, struct task *t);

// Says in the endpoint's word where it stands, after its queues changed.
void endpoint_settle(struct endpoint *e);

// Queues a report and serves whoever waits for it.
void endpoint_report(struct endpoint *e, struct list *link);

// ORs `badge` into the notification word and serves whoever waits for it.
void endpoint_notify(struct endpoint *e, uint64_t badge);
