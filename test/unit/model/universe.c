// SPDX-License-Identifier: MIT
#include "universe.h"

#include <assert.h>

#define PAGES_2M (1u << 9)
#define PAGES_1G (1u << 18)

void universe_make(struct universe *u, uint64_t start, const uint32_t *sizes)
{
    *u = (struct universe){.first = {start}};
    while (sizes[u->n]) {
        assert(u->n < PLOTS_MAX);
        u->first[u->n + 1] = u->first[u->n] + sizes[u->n];
        u->n++;
    }
}

bool universe_matches(const struct universe *u, unsigned first, unsigned n, unsigned at)
{
    if (first + n > u->n || at + n > u->n)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (plot_pages(u, first + i) != plot_pages(u, at + i))
            return false;
    return true;
}

// A page number at which a table of every level begins.
static uint64_t middle(unsigned levels)
{
    return 1ull << (levels == 4 ? 27 : 36);
}

void universe_mixed(struct universe *u, unsigned levels)
{
    static const uint32_t sizes[] = {
        512,
        509,
        1,
        1,
        1, // up to the middle
        1,
        1,
        1,
        509, // 2 MiB in pieces
        512,
        512, // whole ones
        1,
        1,
        1,
        509,
        1,
        511,                     // pieces again
        PAGES_1G - 5 * PAGES_2M, // too large for the machine unless it is lazy
        1,
        512,
        511,
        512,
        1,
        1,
        0, // a plot of 2 MiB that is not aligned
    };
    universe_make(u, middle(levels) - 1024, sizes);
}

void universe_huge(struct universe *u, unsigned levels)
{
    static const uint32_t sizes[] = {
        1, 1, PAGES_1G, 1, 511, 512, PAGES_1G - 1024, 1, 1, PAGES_1G - 2, 0,
    };
    universe_make(u, middle(levels) - 2, sizes);
}

void universe_tiny(struct universe *u, unsigned levels, unsigned n)
{
    uint32_t sizes[2 * PLOTS_MAX] = {0};
    for (unsigned i = 0; i < n; i++) {
        sizes[2 * i] = 1;
        sizes[2 * i + 1] = i % 2 ? PAGES_1G - 1 : PAGES_2M - 1;
    }
    sizes[2 * n - 1] = 0;
    universe_make(u, middle(levels), sizes);
}
