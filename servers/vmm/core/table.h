// SPDX-License-Identifier: MIT
// One table of the tree: its entries and what its frame's record says of them; and the steps by
// which a range of pages goes through it. Only page_table.c, edit.c, window.c and audit.c look at
// tables so closely.
#pragma once

#include "arch/layout.h"
#include "page_table.h"

// Entry `i` speaks for pages from..to of the range; for all of its own pages if `is_whole`.
struct step {
    unsigned i;
    bool is_whole;
    bool is_valid;
    uint64_t from, to;
    uint64_t last; // of the range
};

static inline unsigned table_index(uint64_t page, unsigned level)
{
    return page >> 9 * (level - 1) & (PTE_ENTRIES - 1);
}

static inline struct step step_first(uint64_t first, uint64_t last, unsigned level)
{
    uint64_t end = first | (pt_span(level) - 1);
    return (struct step){
        .i = table_index(first, level),
        .is_whole = !(first & (pt_span(level) - 1)) && end <= last,
        .is_valid = first <= last,
        .from = first,
        .to = end < last ? end : last,
        .last = last,
    };
}

static inline struct step step_next(struct step s, unsigned level)
{
    return step_first(s.to + 1, s.last, level);
}

static inline pte_t *table_entries(const struct vmm *vm, pfn_t table)
{
    return frame_at(vm, table);
}

static inline pte_t *table_entry(const struct vmm *vm, pfn_t table, unsigned i)
{
    return &table_entries(vm, table)[i];
}

static inline pte_t table_load(const struct vmm *vm, pfn_t table, unsigned i)
{
    return *table_entry(vm, table, i);
}

// The first entry from `i` on that is not empty, or `end`: tables are often wide and nearly empty.
static inline unsigned table_next(const pte_t *e, unsigned i, unsigned end)
{
    const pte_t *at = e + i, *last = e + end;
    while (last - at >= 8 && !(at[0].bits | at[1].bits | at[2].bits | at[3].bits | at[4].bits |
                               at[5].bits | at[6].bits | at[7].bits))
        at += 8;
    while (at < last && !at->bits)
        at++;
    return (unsigned)(at - e);
}

// Keeps the count and range of a table's record when entry `i`, which was empty, is not any more.
static inline void table_count_in(struct frame *f, unsigned i)
{
    if (!f->used++) {
        f->first = f->last = (uint16_t)i;
        f->flags &= (uint8_t)~FRAME_BARE;
        return;
    }
    if (i < f->first)
        f->first = (uint16_t)i;
    if (i > f->last)
        f->last = (uint16_t)i;
}

// The other way round.
static inline void table_count_out(struct frame *f, unsigned i)
{
    f->used--;
    if (i == f->first)
        f->first++;
    else if (i == f->last)
        f->last--;
}

// Writes an entry and keeps the record's count and range.
void table_store(struct vmm *vm, pfn_t table, unsigned i, pte_t new);

// Takes entries from .. from + n - 1, which were changed without table_store(), into the record:
// `used` of them are not empty now, `was_used` were.
void table_recount(struct vmm *vm, pfn_t table, unsigned from, unsigned n, unsigned was_used,
                   unsigned used);

// Copies all counted entries of a table into an empty one: each child or page has one reference
// more, and W and SOLE are cleared in both but of shared pages. True if W was set in an entry above
// level 1.
bool table_share(struct vmm *vm, pfn_t from, pfn_t to);

// The same into a new table, whatever is in its frame.
void table_copy(struct vmm *vm, pfn_t from, pfn_t to);

// Whether an entry says nothing: it is empty, or a table of such entries.
bool entry_is_bare(const struct vmm *vm, pte_t e, unsigned level);

// Whether nothing is mapped, lazy or held in pages first..last below a table at `level`.
bool table_is_free(const struct vmm *vm, pfn_t table, unsigned level, uint64_t first,
                   uint64_t last);

// Fills a new table below `level` with the parts of `e`, which stood at `level` and is no table.
// A page's references move to its parts.
void table_fill(struct vmm *vm, pfn_t table, unsigned level, pte_t e);

// Whether entry `i` of the table at level 1 and its last one look as if table_join() could succeed.
bool table_may_join(const struct vmm *vm, pfn_t table, unsigned i);

// Whether the table at `level` - 1 says no more than one entry at `level` could: *e is that entry,
// and if it has a page, the references move from the parts to it.
bool table_join(struct vmm *vm, pfn_t table, unsigned level, pte_t *e);
