// SPDX-License-Identifier: MIT
// make explore: prints how many states it saw. DEPTH=n for other lengths.
#include <stdio.h>
#include <stdlib.h>

#include "explore.h"

int main(void)
{
    static const struct explore_config configs[] = {
        {4, 2, 2, EXPLORE_FRAMES, 5, 0, false}, {4, 3, 2, EXPLORE_FRAMES, 4, 0, false},
        {4, 2, 3, EXPLORE_FRAMES, 4, 0, false}, {5, 2, 2, EXPLORE_FRAMES, 4, 0, false},
        {4, 2, 2, EXPLORE_FRAMES, 4, 1, false}, {4, 3, 1, EXPLORE_FRAMES, 5, 1, false},
    };
    const char *depth = getenv("DEPTH");
    uint64_t n_states = 0, n_tries = 0;
    for (unsigned i = 0; i < sizeof configs / sizeof *configs; i++) {
        struct explore_config config = configs[i];
        struct explore_result result;
        if (depth)
            config.depth = (unsigned)atoi(depth);
        if (!explore(&config, &result))
            return 1;
        n_states += result.n_states;
        n_tries += result.n_tries;
    }
    printf("explore: %llu states in all, %llu tries, nothing wrong\n", (unsigned long long)n_states,
           (unsigned long long)n_tries);
    return 0;
}
