// SPDX-License-Identifier: MIT
// The MMU in software: what a CPU makes of the tables in memory, by the SDM (vol. 3A, 4.5 to 4.7)
// and nothing else. Written apart from the code under test; it knows the hardware's bits and none
// of the VMM's.
#pragma once

#include "ipc/types.h"

// Physical memory: address 0 lies at `bytes`.
struct memory {
    uint8_t *bytes;
    uint64_t len;
};

// What a walk may end with, beside a translation.
enum walk_end {
    WALK_PAGE,
    WALK_ABSENT,    // a clear P
    WALK_RESERVED,  // a reserved bit is set
    WALK_CANONICAL, // no such linear address
    WALK_OUTSIDE,   // an entry points beyond memory
};

#define WALK_LEVELS 6u // indices 1..5

struct walk {
    enum walk_end end;
    unsigned level;   // of the entry at which it ended
    unsigned rights;  // PROT_* that the entries down to there all allow
    bool is_user;     // they all allow it to user mode
    bool needs_write; // the CPU would have to set A, or D for a write
    paddr_t address;  // PAGE: where the linear address is
    // The tables passed and the rights collected above each: what paging-structure caches may hold.
    // 0 where the walk did not come.
    paddr_t table[WALK_LEVELS];
    unsigned above[WALK_LEVELS];
};

// Walks from `root`, a table at `levels` (4 or 5).
void walk(const struct memory *memory, unsigned levels, paddr_t root, vaddr_t va, struct walk *w);

// Whether user mode may make the access (one of PROT_*).
static inline bool walk_allows(const struct walk *w, unsigned access)
{
    return w->end == WALK_PAGE && w->is_user && (w->rights & access) == access;
}
