// SPDX-License-Identifier: MIT
// Guesses slots: every number, with every system call that could do something there.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"

static void guess(uint64_t seed)
{
    for (seed++;;) {
        for (slot_t slot = 0; slot <= SLOT_MAX; slot++) {
            uint64_t r = random_next(&seed);
            enum syscall_number number = (enum syscall_number)(r % SYS_COUNT);
            struct message m = {{r >> 8, r >> 16, slot, r >> 24, r >> 32, slot}};
            if (number == SYS_EXIT || number == SYS_LOG || number == SYS_YIELD)
                continue;
            (void)sys_invoke(sys_header(number, slot, (slot_t)(r >> 8) & SLOT_MAX,
                                        (slot_t)(r >> 20) & SLOT_MAX, (slot_t)(r >> 32) & SLOT_MAX,
                                        SYS_POLL | (r >> 44 & 0xff)),
                             &m);
        }
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {.run = guess, .n_sandboxes = 2, .quota = 64, .n_tasks = 2};
    return attack_main(&attack, seed);
}
