// SPDX-License-Identifier: MIT
// Clones itself and runs in the clone, for ever and without keeping account; so does each clone.
#include "test/scenarios/lib/attack.h"

#define RESERVE 40u

enum { CHILD = SLOT_FREE, CHILD_TASK };

// Every second kind leaves a little, so that it and its kind can go on trying; the others take all, and
// wait for memory at last.
static bool has_enough(uint64_t seed)
{
    struct vmm_stats stats;
    return seed % 2 == 0 ||
           (vmm_stats(SLOT_SELF, &stats) == OK && stats.quota - stats.charged > RESERVE);
}

static void fork(uint64_t seed)
{
    for (;;) {
        if (!has_enough(seed))
            continue;
        if (attack_sandbox(fork, seed + 2, 0, 0, CHILD, CHILD_TASK) != OK)
            continue;
        (void)!ipc_drop(CHILD); // it lives on: it holds a capability to itself
        (void)!ipc_drop(CHILD_TASK);
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = fork, .n_sandboxes = 2, .quota = 160, .n_tasks = 40};
    return attack_main(&attack, seed);
}
