// SPDX-License-Identifier: MIT
// Why an access is allowed or refused: the walk that the MMU does, what the entry means, through
// which grants it came, who pays. Read only.
#pragma once

#include "page_table.h"
#include "portal.h"

struct explained {
    unsigned n; // levels that the walk came to, from the root on
    struct explained_level {
        pte_t pte;
        unsigned level;
        unsigned prot; // PROT_* that this level and all above it let user code have
    } at[PT_LEVELS_MAX];
    struct spot spot; // where it ended, or above: a table without entries means nothing
};

void explain(const struct vmm *vm, pfn_t root, uint64_t page, struct explained *e);

// What comes of an access, one of PROT_*.
enum explain_outcome explain_outcome(const struct explained *e, unsigned access);

// The level that refuses it, which is where the walk ends: the levels above only say what is owned
// jointly. Of one that passes after a fault: the first that does not let it. 0: all do.
unsigned explain_denies(const struct explained *e, unsigned access);

// The account that pays for the frame; 0: there is none.
record_t explain_payer(const struct vmm *vm, const struct explained *e);

// The `n`-th of the grants through which the page came, nearest first: the one by which it was shared,
// those that this one was derived from; then those of the share by which the source had got it.
// False: there is none. *kind says which of them it is.
bool explain_grant(struct vmm *vm, const struct explained *e, unsigned n,
                   const struct portal **grant, enum explain_kind *kind);

// The same in a few lines for the log, of an access in a space, which ended a task.
void explain_log(struct vmm *vm, record_t space, vaddr_t address, unsigned access);
