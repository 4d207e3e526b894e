// SPDX-License-Identifier: MIT
// Invalidations gathered over one request. They are issued before any frame freed by the request
// can be used again: frame_free() only lists a frame, and vmm_settle() flushes before it takes the
// list.
#pragma once

#include "ipc/types.h"

struct vmm;

#define FLUSH_ENTRIES   8u  // more stretches than this at once: the first ones are issued early
#define FLUSH_PAGES_MAX 32u // more pages than this in one space: all of the space

struct flush_entry {
    paddr_t root; // 0: the kernel's half
    vaddr_t va;
    uint64_t pages; // 0: all of the space
};

struct flush {
    uint32_t n;
    struct flush_entry entries[FLUSH_ENTRIES];
};

// The translation of one page (and of all tables on its path), or of all pages, of a space may be
// stale.
void flush_page(struct vmm *vm, paddr_t root, vaddr_t va);
void flush_space(struct vmm *vm, paddr_t root);

// Issues what was gathered.
void flush_issue(struct vmm *vm);
