// SPDX-License-Identifier: MIT
// Invalidations gathered over one request. They are issued before any frame freed by the request
// can be used again: frame_free() lets a frame wait, and vmm_settle() flushes before it gives what
// waits to the free ones.
//
// What a change of an entry takes, and why (SDM 3A, 4.10):
//
//   not present -> anything            nothing       4.10.2.3, 4.10.3.1: what is not present, or
//                                                    has a reserved bit, is never cached
//   page, rights only gained (W, X)    nothing       4.10.4.3: an access by the old rights faults,
//                                                    and the fault forgets them
//   page, W or X lost                  the page      4.10.4.2
//   page, other frame or not present   the page      4.10.4.2: one address is enough for a large one
//   table, W gained                    nothing       as for a page
//   table, W lost (clone)              the space     4.10.4.2: the rights of whatever lies below
//   table of no page goes or is        the tables    4.10.3.1: entries that point to tables are
//     replaced by a copy                             cached; any INVLPG forgets all of a space's
//   table of pages goes                the space     its pages, and it
//   page -> table of its parts (split) the page      4.10.2.3: the sizes must not be mixed, and the
//                                                    large one would outlive a change of a part
//   table -> page (join)               the space     the same, the other way round
//   root goes                          the space
//   kernel object unmapped             the page, of the kernel's half: global, in all spaces
//   page revoked                       all spaces: the table does not know in which it is
#pragma once

#include "ipc/types.h"

struct vmm;

#define FLUSH_ENTRIES   8u  // more stretches than this at once: the first ones are issued early
#define FLUSH_PAGES_MAX 32u // more pages than this in one space, or
#define FLUSH_PARTS_MAX 4u  // more stretches: all of the space, in one call

struct flush_entry {
    paddr_t root; // 0: the kernel's half
    vaddr_t va;
    uint64_t pages; // 0: all of the space
    bool is_any;    // any page would do as well
};

struct flush {
    uint32_t n;
    bool is_of_all; // spaces, whatever the entries say of some
    struct flush_entry entries[FLUSH_ENTRIES];
};

static inline bool flush_is_pending(const struct flush *f)
{
    return f->n || f->is_of_all;
}

// The translations of some pages (and of all tables on their paths), or of all pages, of a space may
// be stale.
void flush_pages(struct vmm *vm, paddr_t root, vaddr_t va, uint64_t n);
void flush_space(struct vmm *vm, paddr_t root);
void flush_all_spaces(struct vmm *vm);

// No page, but tables on the path to `va` may be stale: any invalidation in the space will do.
void flush_tables(struct vmm *vm, paddr_t root, vaddr_t va);

// The one page, at once.
void flush_page_now(struct vmm *vm, paddr_t root, vaddr_t va);

// Issues what was gathered.
void flush_issue(struct vmm *vm);
