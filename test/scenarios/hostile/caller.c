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

// Half of the slots are ones that may hold something.
static slot_t any_slot(uint64_t r)
{
    return (slot_t)(r >> 12 & 1 ? r & 15 : r & SLOT_MAX);
}

// Any header, as often as not of a call that there is. Calls that would end the task, or wait for ever,
// are not made, and those that print or give the turn away only now and then.
static bool any_header(uint64_t *seed, uint64_t *header)
{
    uint64_t r = random_next(seed), slots = random_next(seed), more = random_next(seed);
    enum syscall_number number = r >> 60 ? r % SYS_COUNT : r & 0xff;
    uint32_t flags = r >> 16 & 0xff;
    if (number == SYS_REPLY_RECV || number == SYS_WAIT)
        flags |= SYS_POLL;
    *header = sys_header(number, any_slot(slots), any_slot(slots >> 16), any_slot(slots >> 32),
                         any_slot(more), flags);
    bool is_rare = number == SYS_LOG || number == SYS_YIELD;
    return number != SYS_EXIT && (!is_rare || (more >> 32) % ODD == 0);
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
        if (!any_header(&seed, &all.rax))
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
