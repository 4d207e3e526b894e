// SPDX-License-Identifier: MIT
// What the groups do with memory beside what they measure.
#pragma once

#include "ipc/vmm_client.h"

static inline void touch(vaddr_t va)
{
    *(volatile char *)va = 1;
}

// Makes the stack the task's own again after a clone of its space: what is measured then breaks
// nothing but what it is about.
void settle(void);

// Takes all memory but `n_frames`, no two of which are neighbours, so that no run of frames is left.
// The land from `land` on holds the rest.
must_check status_t scatter_memory(vaddr_t land, uint64_t n_frames);

// The opposite.
must_check status_t gather_memory(vaddr_t land);

// How many of the pages [va, va + n_pages) lie in the frame behind that of the page before.
must_check status_t count_neighbours(vaddr_t va, uint64_t n_pages, uint64_t *neighbours);
