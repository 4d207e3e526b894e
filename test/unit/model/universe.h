// SPDX-License-Identifier: MIT
// The part of an address space that a test plays in: one stretch of addresses, cut into plots.
// Requests name whole plots, so all pages of a plot are always mapped alike, and one page of it,
// the first, stands for it in the model: it is the only one that is ever accessed.
#pragma once

#include "ipc/types.h"

#define PLOTS_MAX 32u

struct universe {
    unsigned n;
    uint64_t first[PLOTS_MAX + 1]; // page at which each plot begins; [n]: the end
};

// Plots of so many pages each, from page `start` on, `sizes` ending with 0.
void universe_make(struct universe *u, uint64_t start, const uint32_t *sizes);

static inline uint64_t plot_pages(const struct universe *u, unsigned i)
{
    return u->first[i + 1] - u->first[i];
}

static inline vaddr_t plot_va(const struct universe *u, unsigned i)
{
    return u->first[i] << PAGE_SHIFT;
}

// Pages of `n` plots from plot `i` on.
static inline uint64_t range_pages(const struct universe *u, unsigned i, unsigned n)
{
    return u->first[i + n] - u->first[i];
}

// Whether `n` plots from `at` on are there and as large as those from `first` on, one by one.
bool universe_matches(const struct universe *u, unsigned first, unsigned n, unsigned at);

// Plots over borders of tables of every level, in small pieces and whole large pages. With 4 levels
// the middle is at 512 GiB, with 5 at 2^48.
void universe_mixed(struct universe *u, unsigned levels);

// The same with a whole page of 1 GiB and pieces of one.
void universe_huge(struct universe *u, unsigned levels);

// `n` single pages with wide gaps between them, the plots with odd numbers, so that each has tables
// of its own; for tiny machines.
void universe_tiny(struct universe *u, unsigned levels, unsigned n);
