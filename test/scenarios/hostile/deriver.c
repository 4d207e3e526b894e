// SPDX-License-Identifier: MIT
// Derives capabilities from capabilities until its slots or its quota are full, then drops one anywhere
// in the tree, or revokes what hangs from it, and goes on.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"

enum { DERIVER = SLOT_FREE };

#define SLOT_FRAMES 8u
#define FIRST       (slot_t) SLOT_FREE
#define N_SLOTS     (64u - SLOT_FREE + SLOT_FRAMES * 250u)

static char stack[4096] __attribute__((aligned(16)));

static void derive(uint64_t seed)
{
    slot_t last = SLOT_SELF;
    seed++;
    for (uint64_t i = 0;; i++) {
        uint64_t r = random_next(&seed);
        slot_t slot = FIRST + (slot_t)(i < N_SLOTS ? i : r % N_SLOTS);
        // A chain, and branches from anywhere of it.
        slot_t from = r >> 62 ? last : FIRST + (slot_t)(r >> 16) % N_SLOTS;
        if (vmm_derive(from, 0, 1 + (r >> 32) % 64, RIGHT_DERIVE | RIGHT_QUERY, slot) == OK)
            last = slot;
        else if (r & 1)
            (void)!ipc_drop(slot);
        else if ((r >> 40 & 63) == 0)
            (void)!vmm_revoke(slot, 0);
    }
}

// The deriver needs more slots than a task begins with.
static void start(uint64_t seed)
{
    const struct thread thread = {
        .space = SLOT_SELF,
        .entry = derive,
        .stack_top = stack + sizeof stack,
        .argument = seed,
        .priority = PRIORITY_DEFAULT,
    };
    if (thread_start(&thread, DERIVER) != OK)
        return;
    for (unsigned i = 0; i < SLOT_FRAMES; i++)
        (void)!vmm_task_slots(DERIVER);
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = start, .n_sandboxes = 1, .quota = 512, .n_tasks = 1};
    return attack_main(&attack, seed);
}
