// SPDX-License-Identifier: MIT
// One page below tables that are all the space's own: what most faults and many requests are about.
// Each function does what an edit of that page alone would (edit.h), without a plan, a reserve or a
// second walk. Whatever is not that plain answers false and has changed nothing: the edit then does
// it, or tells why it cannot be done.
#pragma once

#include "table.h"

struct leaf {
    pfn_t table; // at level 1
    unsigned i;  // of the page's entry
    uint64_t page;
};

// Finds the page's entry. False: some table on its path is not there, or not the space's own, or
// the last one has devices in it.
bool leaf_find(const struct vmm *vm, pfn_t root, uint64_t page, struct leaf *leaf);

static inline struct spot leaf_spot(const struct vmm *vm, const struct leaf *leaf)
{
    return (struct spot){.pte = table_load(vm, leaf->table, leaf->i),
                         .level = 1,
                         .table = leaf->table,
                         .start = leaf->page};
}

// EDIT_MAP of a page now, where nothing is; it may ever get all rights.
bool leaf_map(struct vmm *vm, record_t account, pfn_t root, uint64_t page, unsigned prot);

// EDIT_UNMAP.
bool leaf_unmap(struct vmm *vm, pfn_t root, uint64_t page);

// EDIT_OWN with `fills`, of a page that leaf_find() found and that is not empty: a lazy page
// becomes real, one that others hold too is copied, and what is the space's own may be written. The
// edit is also wanted, and finds the rest done, where the table may now be joined to one entry.
bool leaf_own(struct vmm *vm, record_t account, pfn_t root, const struct leaf *leaf);
