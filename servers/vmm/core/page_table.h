// SPDX-License-Identifier: MIT
// The page tables of all spaces: a persistent tree. A table is referenced by its parents' entries
// (a root, by its space) and counted in its frame's record; with more than one reference it is
// immutable, and whoever changes something under it copies the path first.
//
// Invariants, checked by the audit:
// - W in an entry that points to a table: that table has one reference. The converse need not hold:
// a clone
//   that went leaves W clear, and the next fault sets it.
// - SOLE in a page's entry: its frame has one reference. W: PROT_W, and SOLE or SHARED.
// - `used` of a table's record counts its non-empty entries, which lie in first..last. No table but
//   a root is empty, or one that a revoke emptied (BARE): who its parents are it did not know, and the
//   next edit that passes takes it out.
// - LINKED in an entry: it is a shared page, and one link of its table names it (link.h).
// Since x86 ANDs W down the walk, a clear W protects all that hangs below it.
//
// Addresses are page numbers (va >> 12) here; `level` is 1 for entries that map 4 KiB.
#pragma once

#include "frame.h"

#define PT_LEVELS_MAX 5u

// Where a walk ended: the entry that speaks for a page.
struct spot {
    pte_t pte; // empty, lazy or a page
    unsigned level;
    pfn_t table;    // in which it stands
    uint64_t start; // the pages that it covers begin here
    bool is_joint;  // it lies below a table that has several parents
};

// Pages that an entry at `level` covers.
static inline uint64_t pt_span(unsigned level)
{
    return 1ull << 9 * (level - 1);
}

struct spot pt_find(const struct vmm *vm, pfn_t root, uint64_t page);

// Whether nothing is mapped, lazy or held in first..last.
bool pt_is_free(const struct vmm *vm, pfn_t root, uint64_t first, uint64_t last);

// A root without user entries; `entry` is the kernel's. The caller owns its one reference.
void pt_init_root(struct vmm *vm, pfn_t root, pte_t entry);

// Makes `to`, a root without user entries, a copy-on-write clone of `from`: the user entries are
// copied, W is cleared in both. Flushes all of `from`.
void pt_clone_root(struct vmm *vm, pfn_t from, pfn_t to);

// Sets W, which a clone that came to nothing took away, over the tables that the root alone has.
void pt_claim_root(struct vmm *vm, pfn_t root);

// Makes the tables on the way to a page, which all are there, the root's own: copies those that have
// other parents too. False, and nothing changed: an edit of the page has to do it, or there is not as
// much memory or quota as that and one frame more take. *n: so many were copied; if any were, the
// flush of the tables is the caller's duty.
bool pt_own_path(struct vmm *vm, record_t account, pfn_t root, uint64_t page, unsigned *n);

// Gives up a reference to a table; without any it is dead, and goes with what it alone refers to
// as pt_bury() comes to it. Never allocates. The flush is the caller's duty.
void pt_drop(struct vmm *vm, pfn_t table);

// Frees dead tables as far as the request's work goes. True if none is left.
bool pt_bury(struct vmm *vm);

// Counts a tree's pages with a frame, and its tables.
struct pt_count {
    uint64_t next; // below this page all is counted
    uint64_t pages, tables;
};

// True if all is counted; else to be called again.
bool pt_count(struct vmm *vm, pfn_t root, struct pt_count *c);

// Takes over a tree that boot built: marks its frames, and writes its entries as the VMM would.
// Errors: E_FORMAT (it maps or walks through what is not there for it).
must_check status_t pt_adopt(struct vmm *vm, pfn_t table, unsigned level, record_t account);
