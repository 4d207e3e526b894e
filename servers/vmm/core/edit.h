// SPDX-License-Identifier: MIT
// A change of a range of pages of one space, in two steps: edit_prepare() may fail and changes
// nothing, but sets aside every frame that edit_commit(), which cannot fail, will need. Between the
// two, only other edits may be committed, and only to other ranges.
#pragma once

#include "page_table.h"
#include "reserve.h"

enum edit_kind {
    EDIT_MAP,     // new pages, or lazy ones; in place of what was there
    EDIT_UNMAP,   // nothing, at whatever level
    EDIT_PROTECT, // other rights for what is there
    EDIT_OWN,     // pages that nobody else has: copies those that are held jointly, copy-on-write
    EDIT_PLACE,   // given frames
};

struct edit {
    enum edit_kind kind;
    record_t account; // pays for what is allocated
    pfn_t root;
    uint64_t first, last; // pages, in the user half
    unsigned prot;        // MAP, PROTECT, PLACE; OWN: MAX of each page must allow it, else E_RIGHT
    unsigned max;         // MAP, PLACE
    unsigned page_level;  // MAP: 1 for 4 KiB pages, 2 for 2 MiB, 3 for 1 GiB, the range aligned so;
                          // or with `falls_back`, and for PLACE, the largest that there may be
    bool falls_back;      // MAP, OWN: smaller pages will do where size, alignment or memory want it
    bool refuses;         // MAP, PLACE: E_EXISTS if anything is there
    bool is_lazy;         // MAP
    record_t pager;    // MAP, with `is_lazy`: it is paged, by this one. PLACE, with `refuses`: only
                       // what this one pages may be there, with all of `prot`
    bool fills;        // OWN: lazy pages become real, and a hole is E_FAULT
    bool takes;        // OWN: pages shared on purpose are copied and shared no more
    bool shares;       // OWN, PLACE: the pages are marked as shared
    bool is_joint;     // the tree is about to be cloned: plan as if all of it had two parents
    bool is_unseen;    // no CPU has ever loaded the space: nothing to flush
    bool is_sole;      // PLACE: the frames' other references are about to go
    bool in_steps;     // what moves is, for a while, here and there: W is in neither
    pfn_t source_root; // PLACE: the frames are those of this space from page `source` on,
    uint64_t source;   // or, without a root, the frames from number `source` on,
    bool is_device;    // which are no RAM
    portal_t grant;    // PLACE: through which they are shared, or 0, and
    record_t payer;    // the account that pays for noting that
    // edit.c's own:
    bool is_planned;
    status_t status;
    uint64_t cursor;  // the page at which plan or commit go on; below `first`: they begin
    int64_t work;     // of the commit, in units
    uint64_t need[3]; // blocks by level
    uint64_t filling; // the large page at hand, of which
    uint64_t filled;  // so many frames are zeroed or copied
    struct reserve reserve;
    uint64_t need_links, need_vias;
    uint64_t spared_links, spared_vias; // that are there already
    record_t vias;                      // reserved; links are in the reserve
    struct lineage {
        uint64_t first, last; // pages of the source that came alike:
        record_t parent;      // by this via,
        record_t via;         // which makes this one for what is placed
    } lineage;
    uint64_t linked; // half of a table for which a link was planned last
};

// What a lazy MAP writes.
static inline pte_t edit_lazy_entry(const struct edit *e)
{
    return e->pager ? pte_paged(e->pager, e->prot, e->max)
                    : pte_lazy(e->page_level, e->prot, e->max);
}

// E_MORE: the request has done its share of work; to be called again, and the space may not change
// before in another way than that tables lose other parents, and pages other holders.
// Errors: E_NOMEM, E_QUOTA; E_EXISTS; E_RIGHT (PROTECT, OWN: beyond what a page may ever allow); E_FAULT (OWN
// with `fills`: nothing is mapped there). Nothing is changed, nothing is kept.
must_check status_t edit_prepare(struct vmm *vm, struct edit *e);

// Gathers the flushes that it takes. E_MORE as edit_prepare(), else OK.
must_check status_t edit_commit(struct vmm *vm, struct edit *e);

// The same, in one go.
void edit_commit_all(struct vmm *vm, struct edit *e);

// Instead of edit_commit().
void edit_cancel(struct vmm *vm, struct edit *e);
