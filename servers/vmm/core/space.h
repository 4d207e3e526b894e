// SPDX-License-Identifier: MIT
// Address spaces. Each grant and each task of a space holds a reference to it; the last one gone,
// the space goes and returns all its frames.
#pragma once

#include "vmm.h"

struct space {
    uint8_t kind; // RECORD_SPACE
    bool has_own_account;
    uint16_t reserved;
    pfn_t root;
    uint32_t refs; // grants and tasks
    record_t account;
    portal_t grants;     // those not derived from others
    record_t tasks;      // those that run in it
    record_t next, prev; // of all spaces
};

_Static_assert(sizeof(struct space) <= 64, "a space is a record");

struct space *space_of(const struct vmm *vm, record_t id);

// A new space with the kernel's entry, empty and without references: the caller adds one or calls
// space_discard(). `quota`: frames carved from `payer` for an account of its own; 0: it draws on
// `payer`. Errors: E_QUOTA, E_NOMEM.
must_check status_t space_create(struct vmm *vm, record_t payer, uint64_t quota, record_t *id);

// The same for the tree at `root`, which a boot loader built. Errors: E_NOMEM, E_QUOTA, E_FORMAT.
must_check status_t space_adopt(struct vmm *vm, record_t payer, pfn_t root, record_t *id);

// A space with the same pages as `source`. CLONE_COW shares tables and pages until someone writes;
// CLONE_COPY copies the pages now, but for those shared on purpose. Errors: E_QUOTA, E_NOMEM.
must_check status_t space_clone(struct vmm *vm, record_t source, enum clone_mode mode,
                                uint64_t quota, record_t *id);

void space_hold(struct vmm *vm, record_t id);
void space_release(struct vmm *vm, record_t id);
// Ends a space that never had a reference.
void space_discard(struct vmm *vm, record_t id);

// The kernel's top-level entry, for audits.
pte_t kernel_entry(struct vmm *vm);
