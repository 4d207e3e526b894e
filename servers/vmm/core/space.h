// SPDX-License-Identifier: MIT
// Address spaces. Each grant and each task of a space holds a reference to it; the last one gone,
// the space goes and returns all its frames.
#pragma once

#include "edit.h"

struct space {
    uint8_t kind; // RECORD_SPACE
    bool has_own_account;
    uint16_t snapshot_rights; // of a snapshot: those that what is made of it gets; else 0
    pfn_t root;
    uint32_t refs; // grants and tasks
    record_t account;
    portal_t grants;     // those not derived from others
    record_t tasks;      // those that run in it
    record_t next, prev; // of all spaces
    bool has_probe;      // one of `tasks` is one
    int8_t failure;      // why it is nothing, if it was to be a clone: a status
    record_t pagers;     // of its windows, the latest first: see pager.h
    record_t job;        // that has locked it; see job.h
    record_t ended;      // jobs whose callers have not heard of it yet, the latest first
};

_Static_assert(sizeof(struct space) <= 64, "a space is a record");

struct space *space_of(const struct vmm *vm, record_t id);

// A new space with the kernel's entry, empty and without references: the caller adds one or calls
// space_discard(). `quota`: frames carved from `payer` for an account of its own; 0: it draws on
// `payer`. Errors: E_QUOTA, E_NOMEM.
must_check status_t space_create(struct vmm *vm, record_t payer, uint64_t quota, record_t *id);

// The same for the tree at `root`, which a boot loader built. Errors: E_NOMEM, E_QUOTA, E_FORMAT.
must_check status_t space_adopt(struct vmm *vm, record_t payer, pfn_t root, record_t *id);

// A clone on its way: what it needs is set aside, and `source` is as it was.
struct clone {
    record_t source;
    record_t space; // new, still empty, and without references
    enum clone_mode mode;
    bool is_long; // the pages are copied by a job of the new space
    struct edit copy;
    struct reserve own_tables; // for the tables that the clone cannot share, see device.h
};

// A space with the same pages as `source`, in two steps of which the second cannot fail. CLONE_COW
// shares tables and pages until someone writes; CLONE_COPY copies the pages now, or in steps, but for
// those shared on purpose. Errors: E_LIMIT (too much device memory: device.h), E_QUOTA, E_NOMEM.
must_check status_t clone_prepare(struct vmm *vm, record_t source, enum clone_mode mode,
                                  uint64_t quota, struct clone *c);
void clone_commit(struct vmm *vm, struct clone *c);
// Instead of it, when the space is gone already.
void clone_cancel(struct vmm *vm, struct clone *c);

// The pages of `source` could not be copied: the space is empty from now on, SETTLE says why, and what
// is the source's alone again is as it was.
void space_fail(struct vmm *vm, record_t id, record_t source, status_t status);

// The user half becomes that of `snapshot`: what this space alone had is freed, all else is shared
// until someone writes. Allocates nothing.
void space_rollback(struct vmm *vm, record_t id, record_t snapshot);

void space_hold(struct vmm *vm, record_t id);
void space_release(struct vmm *vm, record_t id);
// Ends a space that never had a reference.
void space_discard(struct vmm *vm, record_t id);

// The kernel's top-level entry, for audits.
pte_t kernel_entry(struct vmm *vm);
