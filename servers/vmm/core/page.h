// SPDX-License-Identifier: MIT
// Who maps a page, in numbers: the counts in its frame's record, of large pages and of their parts.
#pragma once

#include "frame.h"

// One reference more or less by an entry of `level` that maps the page; the last one frees it. For
// the part of a block at a level below the block's, the first hold makes it a PAGE.
void page_hold(struct vmm *vm, pfn_t pfn, unsigned level);
void page_drop(struct vmm *vm, pfn_t pfn, unsigned level);

// Drops all pages that n entries of level 1 map.
void page_drop_all(struct vmm *vm, const pte_t *entries, unsigned n);

// Makes one reference to the page of `level` one to each of its 512 parts.
void page_split(struct vmm *vm, pfn_t pfn, unsigned level);

// The reverse. False, and nothing changed, if the parts are no block, and have other holders or
// different accounts, so that they cannot be made one.
bool page_join(struct vmm *vm, pfn_t pfn, unsigned level);

// Whether one entry of `level` alone refers to the page.
bool page_is_sole(const struct vmm *vm, pfn_t pfn, unsigned level);

// For audits: adds `delta` to what an entry of `level` counts in.
void page_count_add(struct vmm *vm, pfn_t pfn, unsigned level, uint32_t delta);
