// SPDX-License-Identifier: MIT
// What an edit does with each entry, and what it takes: asked by edit_prepare(), which counts, and once
// more by edit_commit() (edit.c), which does it.
#pragma once

#include "edit.h"
#include "table.h"

enum verdict { SKIP, HERE, DESCEND };

// What to do with an entry. Tables are descended into, other entries that the range covers in part are
// split.
enum verdict edit_judge(const struct vmm *vm, const struct edit *e, pte_t pte, unsigned level,
                        const struct step *s);

// Whether a table that would have to be copied has nothing in it for the edit to change.
bool edit_is_idle(const struct vmm *vm, const struct edit *e, pfn_t table, unsigned level,
                  const struct step *s);

// The step at the first entry of the table, from that of `s` on, of which there may be more to say than
// that it is empty.
struct step edit_seek(struct vmm *vm, const struct edit *e, pfn_t table, unsigned level,
                      struct step s);

// Whether OWN leaves the page as it is, but for its rights. `is_joint`: the table has other parents, so
// after the path is copied the page is in two tables.
bool edit_keeps(const struct vmm *vm, const struct edit *e, pte_t pte, unsigned level,
                bool is_joint);

// Where PLACE's page comes from: a page number in the source's space; and by which via.
uint64_t edit_place_from(const struct edit *e, uint64_t page);
const struct lineage *edit_lineage(struct vmm *vm, struct edit *e, uint64_t page);

// The page at which a step begins.
uint64_t edit_start(const struct edit *e);
// What was to be done is done up to `page`. If that is the request's share of work, it goes on there.
void edit_pause(const struct vmm *vm, struct edit *e, uint64_t page);

// The tables from the root down to the last one that covers the whole range and, as W all the way
// tells, is the space's own.
struct path {
    unsigned level;
    pfn_t table[PT_LEVELS_MAX + 1];
};

// For what is left of the range, from page `first` on.
void edit_path(const struct vmm *vm, const struct edit *e, uint64_t first, struct path *path);
