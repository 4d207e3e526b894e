// SPDX-License-Identifier: MIT
// Every system call with garbage in every register, RSP and RFLAGS included: a few thousand before it
// says that the attack is on, and without end from then on.
#include "test/scenarios/hostile/anyhow.h"
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"

enum { EAR = SLOT_FREE, DOOR, SPACE, TASK };

#define CALLS 400u
#define LEAST 4000u
#define MOST  400u // rounds for that
#define QUOTA 48u
#define ODD   64u // of so many calls of LOG and YIELD one is made

// RFLAGS that user code may set and that SYSCALL must not let into the kernel: CF, PF, AF, ZF, SF, DF,
// OF, NT, AC, ID. Trap flag: would end the task.
#define RFLAGS_ANY 0x244cd5ull

// Slots that hold something half of the time.
static uint64_t header(uint64_t *seed)
{
    uint64_t r = random_next(seed), few = random_next(seed);
    uint64_t number = few >> 60 ? r % SYS_COUNT : r & 0xff;
    for (unsigned shift = 8; shift <= 44; shift += 12)
        if (few >> shift & 1)
            r &= ~(0xff0ull << shift);
    r = (r & ~0xffull) | number;
    if (number == SYS_REPLY_RECV || number == SYS_WAIT)
        r |= (uint64_t)SYS_POLL << 56;
    return r;
}

static bool is_made(uint64_t head, uint64_t r)
{
    enum syscall_number number = head & 0xff;
    bool is_rare = number == SYS_LOG || number == SYS_YIELD;
    return number != SYS_EXIT && (!is_rare || r % ODD == 0);
}

static void call(uint64_t seed)
{
    uint64_t made = 0;
    seed++;
    (void)!vmm_endpoint(SLOT_SELF, EAR);
    (void)!vmm_portal(SLOT_SELF, EAR, seed, seed & SLOT_ALL, DOOR);
    for (unsigned i = 0; i < CALLS; i++) {
        struct anyhow all;
        uint64_t *words = (uint64_t *)&all;
        for (unsigned j = 0; j < sizeof all / sizeof *words; j++)
            words[j] = random_next(&seed) & 1 ? random_word(&seed) : random_next(&seed);
        all.rflags &= RFLAGS_ANY;
        all.rax = header(&seed);
        if (!is_made(all.rax, random_next(&seed)))
            continue;
        (void)anyhow_invoke(&all);
        made++;
    }
    ipc_exit(made);
}

static void call_without_end(uint64_t seed)
{
    for (;; seed++)
        (void)attack_round(call, seed, QUOTA, SPACE, TASK);
}

static status_t call_thousands(uint64_t seed)
{
    static uint64_t made; // once is enough: beside other attacks its turns come slowly
    for (unsigned i = 0; i < MOST && made < LEAST; i++)
        made += attack_round(call, seed * MOST + i, QUOTA, ATTACK_SLOTS, ATTACK_SLOTS + 1);
    log_format("# caller: seed %lu, %lu system calls\n", seed, made);
    return made < LEAST ? E_LIMIT : OK;
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {.run = call_without_end,
                                         .n_sandboxes = 1,
                                         .quota = 3 * QUOTA,
                                         .n_tasks = 2,
                                         .begin = call_thousands};
    return attack_main(&attack, seed);
}
