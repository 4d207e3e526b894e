// SPDX-License-Identifier: MIT
// Lineage: through which grants the shared pages of a table came, so that they can be taken back.
//
//   grant ──▶ via ──▶ link ──▶ half of a table      a page in that table is LINKED (pte.h), and
//              │      link ──▶ half of a table      exactly one link of its table names it
//              ▼
//             via of a re-share ──▶ link ...
//
// A *via* stands for one way that pages took: the grant through which they were shared, and the via
// by which the shared pages had come themselves. There may be several that say the same. A *link*
// says which entries of one half of a table came by one via. A via without links, children and
// pager goes, and so does a link without entries: all that takes away never fails and never allocates.
//
// A table has no more links than entries, since each of them names another one: walks through them are
// bounded, and spend units. So are walks up the vias: VIAS_DEEP.
#pragma once

#include "frame.h"

struct via {
    uint8_t kind;    // RECORD_VIA
    bool is_held;    // stays, though nothing refers to it: a revoke is at it
    uint16_t depth;  // from pages that were their space's own, 1 is the first
    portal_t grant;  // 0: it is gone, and nobody can revoke it
    record_t parent; // 0: the pages were their space's own
    record_t child;  // the first of what was shared on
    record_t next, prev;
    record_t next_of_grant, prev_of_grant;
    record_t links;
    record_t pager; // that was set through the grant, or 0: see pager.h
};

#define VIAS_DEEP    64u // times that pages are shared on: no further
#define LINK_ENTRIES 256u
#define LINK_WORDS   (LINK_ENTRIES / 64)

struct link {
    uint8_t kind; // RECORD_LINK
    uint8_t half; // entries from half * LINK_ENTRIES on
    uint16_t reserved;
    pfn_t table;
    record_t via;
    record_t next, prev; // of the via's; `next` of those in a reserve
    record_t next_of_table, prev_of_table;
    uint64_t entries[LINK_WORDS];
};

_Static_assert(sizeof(struct via) <= 64 && sizeof(struct link) <= 64, "they are records");

struct via *via_of(const struct vmm *vm, record_t id);
struct link *link_of(const struct vmm *vm, record_t id);

// Records set aside, chained from *head: *head is untouched on failure. Errors: E_QUOTA, E_NOMEM.
must_check status_t link_reserve(struct vmm *vm, record_t account, uint64_t n, record_t *head);
void link_unreserve(struct vmm *vm, record_t *head);

// The via of the grant below `parent`, or 0. One that was used long ago may not be found.
record_t via_find(const struct vmm *vm, portal_t grant, record_t parent);
// Whether nothing can be shared on that came by this via, or 0.
bool via_is_deepest(const struct vmm *vm, record_t id);
// A new one, of a reserved record. It must get a link, a child or a pager.
record_t via_add(struct vmm *vm, portal_t grant, record_t parent, record_t *reserve);
// Frees it, and those above it, as far as nothing refers to them.
void via_release(struct vmm *vm, record_t id);
// Hands the first via of a grant on to another, or to none.
void via_pass(struct vmm *vm, portal_t from, portal_t to);

// By which via an entry came; 0 if by none.
record_t link_via(struct vmm *vm, pfn_t table, unsigned i);
// Whether the half of the table around entry `i` has a link of that via.
bool link_is_there(struct vmm *vm, pfn_t table, unsigned i, record_t via);
// Reserved records that a copy of the table takes.
unsigned link_count(const struct vmm *vm, pfn_t table);

// Notes that entry `i`, which has no link, came by a via, if link_is_there(). False: nothing is noted.
bool link_join(struct vmm *vm, pfn_t table, unsigned i, record_t via);
// Notes it in any case: takes a reserved record, unless
// link_is_there().
void link_set(struct vmm *vm, pfn_t table, unsigned i, record_t via, record_t *reserve);
// Notes for a copy of a table where its entries came from.
void link_copy(struct vmm *vm, pfn_t from, pfn_t to, record_t *reserve);
// Entry `i` becomes the table `child`, full of its parts. Takes two records.
void link_split(struct vmm *vm, pfn_t table, unsigned i, pfn_t child, record_t *reserve);
// Entries from .. from + n - 1 are about to go, or are no longer shared.
void link_clear(struct vmm *vm, pfn_t table, unsigned from, unsigned n);
// The link has no entries any more, or its table goes.
void link_free(struct vmm *vm, record_t id);
// All of a table's, which goes.
void link_free_all(struct vmm *vm, pfn_t table);
