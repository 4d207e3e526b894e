// SPDX-License-Identifier: MIT
// One page below tables that are all the space's own: what most faults and many requests are about.
// Each function does what an edit of that page alone would (edit.h), without a plan, a reserve or a
// second walk. Whatever is not that plain answers false and has changed nothing: the edit then does
// it, or tells why it cannot be done.
#pragma once

#include "table.h"

struct leaf {
    pte_t *entry;         // of the page
    struct frame *record; // of the table in which it stands
    pfn_t table;
    unsigned i;
    uint64_t page;
};

// From a table at `level` down to the one below, if that is the space's own. The address of what is no
// such table is no page's.
static inline uintptr_t leaf_step(const struct vmm *vm, uintptr_t table, uint64_t page,
                                  unsigned level)
{
    return vm->offset + ((const pte_t *)table)[table_index(page, level)].bits - PTE_OWN_TABLE;
}

// Finds the page's entry. False: some table on its path is not there, or not the space's own, or
// the last one has devices in it.
static inline bool leaf_find(const struct vmm *vm, pfn_t root, uint64_t page, struct leaf *leaf)
{
    uintptr_t table = vm->offset + frame_address(root);
    if (vm->state->levels > 4 && (table = leaf_step(vm, table, page, 5)) & PAGE_MASK)
        return false;
    for (unsigned level = 4; level > 1; level--)
        if ((table = leaf_step(vm, table, page, level)) & PAGE_MASK)
            return false;
    leaf->table = frame_number(table - vm->offset);
    leaf->record = frame_of(vm, leaf->table);
    leaf->i = table_index(page, 1);
    leaf->entry = (pte_t *)table + leaf->i;
    leaf->page = page;
    return !(leaf->record->flags & FRAME_DEVICE);
}

static inline struct spot leaf_spot(const struct leaf *leaf)
{
    return (struct spot){
        .pte = *leaf->entry, .level = 1, .table = leaf->table, .start = leaf->page};
}

// EDIT_MAP of a page now, where nothing is; it may ever get all rights.
bool leaf_map(struct vmm *vm, record_t account, pfn_t root, uint64_t page, unsigned prot);

// EDIT_UNMAP.
bool leaf_unmap(struct vmm *vm, pfn_t root, uint64_t page);

// EDIT_OWN with `fills`, of a page that leaf_find() found and that is not empty: a lazy page
// becomes real, one that others hold too is copied, and what is the space's own may be written. The
// edit is also wanted, and finds the rest done, where the table may now be joined to one entry.
bool leaf_own(struct vmm *vm, record_t account, pfn_t root, const struct leaf *leaf);
