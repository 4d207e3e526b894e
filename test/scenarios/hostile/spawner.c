// SPDX-License-Identifier: MIT
// Starts threads without end, which get into every state there is, and are killed in it: by their
// spawner, by each other, by what they do.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"

enum { EAR = SLOT_FREE, DOOR, KEPT, THREADS };

#define N_THREADS   (64u - THREADS)
#define STACK_BYTES 1024u
#define NOWHERE     0x7000000000ul
#define LAZY        0x10000000ul // more than the quota has frames for
#define LAZY_PAGES  4096ul

static char stacks[N_THREADS][STACK_BYTES] __attribute__((aligned(16)));

enum state { RUNS, EXITS, FAULTS, SENDS, RECEIVES, WAITS, WAITS_FOR_END, KILLS, STARVES, STATES };

// What it needs of others is in its SLOT_PARENT: the way to its spawner, or a task.
static void live(uint64_t argument)
{
    struct message m = {{0}};
    struct vmm_exit end;
    uint64_t word;
    switch (argument % STATES) {
    case RUNS:
        for (;;)
            ipc_yield();
    case FAULTS:
        *(volatile uint64_t *)NOWHERE = 0;
        break;
    case SENDS:
        (void)ipc_call(SLOT_PARENT, SLOT_SELF, EAR, &m);
        break;
    case RECEIVES:
    case WAITS:
        if (vmm_endpoint(SLOT_SELF, EAR) != OK)
            break;
        if (argument % STATES == WAITS)
            (void)!ipc_wait(EAR, &word);
        else
            (void)ipc_receive(EAR, DOOR, KEPT, &m);
        break;
    case WAITS_FOR_END:
        (void)!vmm_wait(SLOT_PARENT, &end);
        break;
    case KILLS:
        (void)!vmm_kill(SLOT_PARENT);
        break;
    case STARVES:
        *(volatile uint64_t *)(LAZY + argument % LAZY_PAGES * PAGE_SIZE) = argument;
        break;
    default:
        break;
    }
    ipc_exit(argument);
}

static void start(unsigned n, uint64_t r)
{
    slot_t other = THREADS + (slot_t)(r >> 32) % N_THREADS;
    const struct thread thread = {
        .space = SLOT_SELF,
        .entry = live,
        .stack_top = stacks[n] + STACK_BYTES,
        .argument = r >> 8,
        .priority = PRIORITY_DEFAULT - (r >> 24) % 3,
        .portal = r >> 60 < 8 ? DOOR : other,
    };
    (void)!thread_start(&thread, THREADS + n);
}

// Receives one of those that call, if there is one, and keeps its reply back, or drops that.
static void keep_one(uint64_t r)
{
    struct message m = {{0}};
    (void)!ipc_drop(KEPT);
    (void)sys_invoke(sys_header(SYS_REPLY_RECV, EAR, 0, 0, KEPT, SYS_POLL), &m);
    if (r & 1)
        (void)!ipc_drop(KEPT);
}

static void spawn(uint64_t seed)
{
    seed++;
    if (vmm_endpoint(SLOT_SELF, EAR) != OK || vmm_portal(SLOT_SELF, EAR, 1, SLOT_ALL, DOOR) != OK ||
        vmm_map(SLOT_SELF, LAZY, LAZY_PAGES, PROT_R | PROT_W, MAP_LAZY) != OK)
        return;
    for (;;) {
        uint64_t r = random_next(&seed);
        unsigned n = (unsigned)(r % N_THREADS);
        if (r >> 63)
            (void)!vmm_kill(THREADS + n);
        // Who is not killed runs on: nobody can name it any more.
        (void)!ipc_drop(THREADS + n);
        start(n, r);
        keep_one(r >> 20);
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = spawn, .n_sandboxes = 1, .quota = 128, .n_tasks = 100};
    return attack_main(&attack, seed);
}
