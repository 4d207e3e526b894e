// SPDX-License-Identifier: MIT
// Floods the VMM with short requests, from four tasks: good ones, refused ones, capabilities made and
// dropped at once.
#include "test/scenarios/lib/attack.h"

enum { DERIVED = SLOT_FREE };

static void flood(uint64_t seed)
{
    struct vmm_page page;
    struct vmm_stats stats;
    for (uint64_t i = seed;; i++) {
        struct message m = {{vmm_word0(VMM_REQUESTS, 0)}};
        switch (i % 4) {
        case 0:
            (void)!vmm_query(SLOT_SELF, i * PAGE_SIZE, &page);
            break;
        case 1:
            (void)!vmm_stats(SLOT_SELF, &stats);
            break;
        case 2:
            (void)ipc_call(SLOT_SELF, 0, 0, &m);
            break;
        default:
            if (vmm_derive(SLOT_SELF, 0, 1, 0, DERIVED) == OK)
                (void)!ipc_drop(DERIVED);
        }
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {.run = flood, .n_sandboxes = 4, .quota = 64, .n_tasks = 4};
    return attack_main(&attack, seed);
}
