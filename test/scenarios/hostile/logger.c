// SPDX-License-Identifier: MIT
// Prints, without pause, what nobody wants to read: others want to print, too.
#include "test/scenarios/lib/attack.h"

static void print(uint64_t seed)
{
    for (;;)
        log_format("# logger: %-180lu.\n", seed++); // as long as lines are
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {.run = print, .n_sandboxes = 2, .quota = 64, .n_tasks = 2};
    return attack_main(&attack, seed);
}
