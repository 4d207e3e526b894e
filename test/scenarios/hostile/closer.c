// SPDX-License-Identifier: MIT
// Makes an endpoint, lets its threads call there, and closes it with the callers in the queue, some of
// them received already.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"

enum { EAR = SLOT_FREE, DOOR, KEPT, CALLERS };

#define N_CALLERS   12u
#define STACK_BYTES 1024u

static char stacks[N_CALLERS][STACK_BYTES] __attribute__((aligned(16)));

static void call(uint64_t argument)
{
    struct message m = {{argument}};
    ipc_exit(ipc_call(SLOT_PARENT, SLOT_SELF, EAR, &m).status != E_DEAD);
}

static void start(unsigned n)
{
    const struct thread thread = {
        .space = SLOT_SELF,
        .entry = call,
        .stack_top = stacks[n] + STACK_BYTES,
        .argument = n,
        .priority = PRIORITY_DEFAULT,
        .portal = DOOR,
    };
    (void)!thread_start(&thread, CALLERS + n);
}

// Each caller must end, or this one waits for ever, and the judge hears no more of it.
static void close(uint64_t seed)
{
    struct vmm_exit end;
    struct message m = {{0}};
    for (seed++;;) {
        uint64_t r = random_next(&seed);
        if (vmm_endpoint(SLOT_SELF, EAR) != OK ||
            vmm_portal(SLOT_SELF, EAR, r, SLOT_ALL, DOOR) != OK)
            return;
        for (unsigned i = 0; i < N_CALLERS; i++)
            start(i);
        for (unsigned i = 0; i < r % 4; i++)
            ipc_yield();
        if (r & 16)
            (void)sys_invoke(sys_header(SYS_REPLY_RECV, EAR, 0, 0, KEPT, SYS_POLL), &m);
        if (r & 32)
            (void)!ipc_drop(DOOR);
        (void)!ipc_drop(EAR);
        (void)!ipc_drop(KEPT);
        (void)!ipc_drop(DOOR);
        for (unsigned i = 0; i < N_CALLERS; i++)
            (void)!thread_end(CALLERS + i, &end);
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = close, .n_sandboxes = 1, .quota = 96, .n_tasks = 1 + N_CALLERS};
    return attack_main(&attack, seed);
}
