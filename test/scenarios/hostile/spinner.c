// SPDX-License-Identifier: MIT
// Wants the CPU all the time: one task computes, one gives its turns away and wants them back at once.
#include "test/scenarios/lib/attack.h"

static void spin(uint64_t seed)
{
    for (;;) {
        if (seed % 2 == 0)
            ipc_yield();
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {.run = spin, .n_sandboxes = 2, .quota = 64, .n_tasks = 2};
    return attack_main(&attack, seed);
}
