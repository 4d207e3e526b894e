// SPDX-License-Identifier: MIT
// Who pays for frames. An account lives as long as a space or a sub-account draws on it or a frame
// is charged to it; its record lies in, and is charged to, the account from which its quota was
// carved.
#pragma once

#include "vmm.h"

#define ACCOUNTS_DEEP 32u // levels: walks up to the root account are no longer than that

struct account {
    uint8_t kind;     // RECORD_ACCOUNT
    uint8_t priority; // the highest that tasks of its spaces may have
    uint16_t n_slots; // claims of it and of its sub-accounts, see slots.h
    record_t parent;  // 0: the root account
    uint64_t quota;
    uint64_t charged; // frames in use
    uint64_t lent;    // quotas of sub-accounts
    uint32_t refs;    // spaces and sub-accounts
    pfn_t records;    // its frames of records with a free place
    pfn_t portals;    // its frames of portals with a free place
    record_t next;    // of the dead
};

_Static_assert(sizeof(struct account) <= 64, "an account is a record");

struct account *account_of(struct vmm *vm, record_t id);

// Carves `quota` frames off `parent`, whose highest priority it inherits; the caller owns the one
// reference. Errors: E_LIMIT (too far down), E_QUOTA, E_NOMEM.
must_check status_t account_create(struct vmm *vm, record_t parent, uint64_t quota, record_t *id);

void account_hold(struct vmm *vm, record_t id);
void account_release(struct vmm *vm, record_t id);

// Whether the account is `ancestor`, or was carved from it, directly or not.
bool account_is_within(struct vmm *vm, record_t id, record_t ancestor);

// E_QUOTA if `frames` more would exceed the quota; E_NOMEM if that is because the machine has no
// more.
must_check status_t account_check(struct vmm *vm, record_t id, uint64_t frames);
must_check status_t account_charge(struct vmm *vm, record_t id, uint64_t frames);
void account_uncharge(struct vmm *vm, record_t id, uint64_t frames);

// Frees the records of the dead accounts, whose frames may make others dead. True if there were
// any.
bool account_reap(struct vmm *vm);
