// SPDX-License-Identifier: MIT
// Asks for what takes the VMM long: thousands of pages zeroed, copied, dropped, counted.
#include "test/scenarios/lib/attack.h"

enum { COPY = SLOT_FREE };

#define FIELD   0x10000000ul
#define PAGES   1000ul
#define RW      (PROT_R | PROT_W)
#define REQUEST 5u

static void hog(uint64_t seed)
{
    struct vmm_stats stats;
    struct vmm_page page;
    for (uint64_t i = seed;; i++) {
        switch (i % REQUEST) {
        case 0:
            (void)!vmm_map(SLOT_SELF, FIELD, PAGES, RW, MAP_REPLACE | MAP_4K);
            break;
        case 1:
            if (vmm_clone(SLOT_SELF, CLONE_COPY, 0, COPY) == OK)
                (void)!ipc_drop(COPY);
            break;
        case 2:
            (void)!vmm_stats(SLOT_SELF, &stats);
            break;
        case 3:
            (void)!vmm_maps(SLOT_SELF, FIELD, &page);
            break;
        default:
            (void)!vmm_unmap(SLOT_SELF, FIELD, PAGES);
        }
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = hog, .n_sandboxes = 1, .quota = 2 * PAGES + 128, .n_tasks = 1};
    return attack_main(&attack, seed);
}
