// SPDX-License-Identifier: MIT
// Frames set aside for a request, so that its commit cannot fail: blocks of 2 MiB and 1 GiB are
// taken, of those that are wanted one by one, which tables are too, it is enough to claim the number.
#pragma once

#include "frame.h"

struct reserve {
    record_t account;
    pfn_t large[2]; // blocks of 2 MiB and 1 GiB
    uint64_t n;     // frames claimed
    record_t links; // records, put here by link_reserve()
    bool fell_back;
};

// Whether it has a block for an entry of `level`, above 1.
static inline bool reserve_has(const struct reserve *r, unsigned level)
{
    return r->large[level - 2].n;
}

// Fills an empty reserve with n[i] blocks of each size, charged. With `falls_back`, where no large
// block is free: blocks a size smaller and a frame for the table that they need. Errors: E_QUOTA,
// E_NOMEM: the reserve is empty.
must_check status_t reserve_fill(struct vmm *vm, struct reserve *r, record_t account,
                                 const uint64_t n[3], bool falls_back);

// Takes a block that reserve_fill() put there; it has the counts of a new one.
pfn_t reserve_take(struct vmm *vm, struct reserve *r, unsigned level, enum frame_kind kind);

// Takes some of `max` pages of 4 KiB, zeroed, each for the next of the entries, which gets `bits` and
// its address. Answers how many, at least one.
unsigned reserve_take_pages(struct vmm *vm, struct reserve *r, pte_t *entries, uint64_t bits,
                            unsigned max);

// For audits: adds `delta` to the counts of the blocks. Answers how many frames are claimed beside.
uint64_t reserve_count_add(const struct vmm *vm, const struct reserve *r, uint32_t delta);

// Gives back what was not taken.
void reserve_drop(struct vmm *vm, struct reserve *r);
