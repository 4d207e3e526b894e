// SPDX-License-Identifier: MIT
// What a tree says of stretches of pages, and where two trees differ: read only, each call with an
// amount of work that has a bound.
#pragma once

#include "page_table.h"

// A stretch of pages: from..to of a window that is looked at from page `from` on.
struct stretch {
    uint64_t start, n_pages; // 0 pages: there is none
    uint64_t next;           // where to go on
};

// Finds the first pages in from..last whose frame or rights are not the same in both trees. One walk
// through both, in which equal subtrees cost one step: what it takes to find all differences, each from
// where the last one ended, grows with them and the tables above them alone. Errors: E_MORE
// (none up to `next`, which is set).
must_check status_t compare_trees(const struct vmm *vm, pfn_t a, pfn_t b, uint64_t from,
                                  uint64_t last, struct stretch *found);

// What an entry says of its pages: PROT_* | PAGE_*.
unsigned spot_attributes(const struct vmm *vm, const struct spot *spot);

// Finds the first pages in from..last that are not empty and have the same attributes; *spot speaks
// for the first of them.
void find_run(const struct vmm *vm, pfn_t root, uint64_t from, uint64_t last, struct stretch *found,
              struct spot *spot);
