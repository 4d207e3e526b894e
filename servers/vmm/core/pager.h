// SPDX-License-Identifier: MIT
// External pagers: tasks that serve the faults in a window of a space. What is not there yet is
// paged: an entry that names the pager, at the highest level that covers the range. A fault there is
// handed on, and the VMM waits for nobody; pages are supplied by whoever holds its reply capability.
//
// A space's pagers are a chain of records, in which every id that its paged entries name is found.
// The chain is as persistent as the tree: a clone holds the record that its original begins with,
// and new ones go in front.
//
// A pager has a via (link.h) of the grant through which it was set. It is dead, for clones too, once that
// is revoked: it is asked no more, and cannot supply. Its record stays as long as the chain.
#pragma once

#include "vmm.h"

#define PAGERS_OF_SPACE 32u // records in a chain

struct pager {
    uint8_t kind;    // RECORD_PAGER
    uint8_t n_chain; // records from this one on
    uint16_t slot;   // the VMM's, with the portal
    portal_t portal; // its number, to know it again
    record_t next;
    record_t via;  // 0: dead, it has no slot any more
    uint32_t refs; // spaces and records that go on with this one
};

_Static_assert(sizeof(struct pager) <= 64, "a pager is a record");

struct pager *pager_of(const struct vmm *vm, record_t id);

// The pager of `space`, set through `grant`, behind the portal of that number, which lies in
// state->receive_slot; receive_slot is another, empty slot then. Errors: E_LIMIT, E_QUOTA, E_NOMEM. `is_new`: pager_forget() undoes it.
must_check status_t pager_find(struct vmm *vm, record_t space, portal_t grant, portal_t portal,
                               record_t *id, bool *is_new);
void pager_forget(struct vmm *vm, record_t space);

// Its grant is revoked.
void pager_kill(struct vmm *vm, record_t id);

// A reference to a chain, which may be 0: none.
void pager_hold(struct vmm *vm, record_t id);
void pager_release(struct vmm *vm, record_t id);

// Hands the fault whose reply capability lies in state->reply_slot on. Errors: E_REVOKED if it is
// dead, or the kernel's, if it cannot be served any more.
must_check status_t pager_forward(struct vmm *vm, record_t id);
