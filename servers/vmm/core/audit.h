// SPDX-License-Identifier: MIT
// The proof that the books are right: a walk over all spaces and the frame table.
//
// It first looks at every entry by itself. Then it takes every reference that it finds from the
// counts, looks whether nothing is left, and puts them back: so it needs no memory, and nothing
// else may run meanwhile.
#pragma once

#include "vmm.h"

struct audit {
    struct vmm *vm;
    uint64_t n_errors;
    uint64_t n_claimed; // frames that jobs set aside, of those that are free
    uint32_t delta;  // what a reference found adds to its count: 0 in the pass that checks entries
    bool is_quiet;   // the entries were checked before
    uint8_t visited; // FRAME_VISITED or 0: the flag of a table that this pass has seen
};

// Answers the number of errors found, and logs the first few.
uint64_t audit(struct vmm *vm);

void audit_error(struct audit *a, const char *what, uint64_t frame);

// One pass over the tables of all spaces and of the object window (audit_tree.c).
void audit_trees(struct audit *a);

// What a table's entries and links say of each other; that a via or a link is where it belongs
// (audit_link.c).
void audit_table_links(struct audit *a, pfn_t table);
void audit_via(struct audit *a, record_t id);
void audit_link(struct audit *a, record_t id);
