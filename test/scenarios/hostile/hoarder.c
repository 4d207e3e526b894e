// SPDX-License-Identifier: MIT
// Maps until nothing is left, touches what it mapped lazily, from tasks that then wait for memory,
// gives something back, and takes it again.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"
#include "test/scenarios/lib/touch.h"

enum { TOUCHERS = SLOT_FREE };

#define FIELD      0x10000000ul
#define PLOTS      64u
#define PLOT_PAGES 1024ul
#define N_TOUCHERS 8u

static vaddr_t plot(uint64_t n)
{
    return FIELD + n % PLOTS * PLOT_PAGES * PAGE_SIZE;
}

// Somebody who waits for memory, instead of whoever did so before.
static void touch_one(uint64_t seed)
{
    slot_t slot = TOUCHERS + (slot_t)(seed % N_TOUCHERS);
    vaddr_t va = plot(seed >> 8) + (seed >> 16) % PLOT_PAGES * PAGE_SIZE;
    if (vmm_kill(slot) == OK)
        (void)!ipc_drop(slot);
    (void)!touch_start(SLOT_SELF, TOUCH_WRITE, va, seed, slot);
}

static void hoard(uint64_t seed)
{
    seed++;
    for (;;) {
        uint64_t r = random_next(&seed);
        uint32_t flags = (r & 1 ? MAP_LAZY : 0) | (r & 2 ? MAP_4K : 0);
        status_t status =
            vmm_map(SLOT_SELF, plot(r >> 8), 1 + (r >> 16) % PLOT_PAGES, PROT_R | PROT_W, flags);
        touch_one(random_next(&seed));
        if (status == E_QUOTA && r >> 60 == 0)
            (void)!vmm_unmap(SLOT_SELF, plot(r >> 32), PLOT_PAGES);
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = hoard, .n_sandboxes = 1, .quota = 1024, .n_tasks = 1 + N_TOUCHERS};
    return attack_main(&attack, seed);
}
