// SPDX-License-Identifier: MIT
// Holds replies back: those of its own threads, and that of a task which trusted it and calls.
#include "ipc/init_client.h"
#include "test/scenarios/lib/attack.h"

enum { VICTIM_EAR = ATTACK_SLOTS, VICTIM };
enum { EAR = SLOT_FREE, DOOR, CALLER, HELD };

#define N_CALLERS   20u
#define STACK_BYTES 1024u

static char stacks[N_CALLERS][STACK_BYTES] __attribute__((aligned(16)));

static void call(uint64_t argument)
{
    struct message m = {{argument}};
    for (;;)
        (void)ipc_call(SLOT_PARENT, 0, 0, &m);
}

static void hold(uint64_t seed)
{
    struct message m;
    if (vmm_endpoint(SLOT_SELF, EAR) != OK ||
        vmm_portal(SLOT_SELF, EAR, seed, SLOT_ALL, DOOR) != OK)
        return;
    for (unsigned i = 0; i < N_CALLERS; i++) {
        const struct thread thread = {
            .space = SLOT_SELF,
            .entry = call,
            .stack_top = stacks[i] + STACK_BYTES,
            .priority = PRIORITY_DEFAULT,
            .portal = DOOR,
        };
        if (thread_start(&thread, CALLER) == OK)
            (void)!ipc_drop(CALLER);
    }
    for (slot_t slot = HELD;; slot = slot == 63 ? HELD : slot + 1) {
        (void)!ipc_drop(slot); // lets one go, if all slots are full
        (void)ipc_receive(EAR, 0, slot, &m);
    }
}

static status_t take_victim(uint64_t seed)
{
    struct message m;
    (void)seed;
    return ipc_receive(VICTIM_EAR, 0, VICTIM, &m).status;
}

static status_t drop_victim(void)
{
    return ipc_drop(VICTIM);
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {.run = hold,
                                         .n_sandboxes = 1,
                                         .quota = 96,
                                         .n_tasks = 1 + N_CALLERS,
                                         .begin = take_victim,
                                         .end = drop_victim};
    status_t status = get("ear", VICTIM_EAR);
    return status == OK ? attack_main(&attack, seed) : 1;
}
