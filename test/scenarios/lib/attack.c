// SPDX-License-Identifier: MIT
#include "test/scenarios/lib/attack.h"

#include "arch/layout.h"
#include "ipc/init_client.h"

#define STACK_BYTES   4096u
#define CALLS_TO_HEAR 64u
#define TURNS         2u // that a round gets

static char stack[STACK_BYTES] __attribute__((aligned(16)));
static void (*entered)(uint64_t seed); // every sandbox has a copy of its own

static void enter(uint64_t seed)
{
    entered(seed);
    ipc_exit(0);
}

static uint64_t all_pages(void)
{
    struct vmm_page page;
    bool is_wide = vmm_query(SLOT_SELF, USER_END_5LEVEL - PAGE_SIZE, &page) == OK;
    return (is_wide ? USER_END_5LEVEL : USER_END_4LEVEL) / PAGE_SIZE;
}

status_t attack_sandbox(void (*run)(uint64_t seed), uint64_t seed, uint64_t quota, slot_t parent,
                        slot_t space, slot_t task)
{
    entered = run;
    status_t status = vmm_clone(SLOT_SELF, CLONE_COW, quota, space);
    if (status != OK)
        return status;
    // What runs there gets a derived capability: were it to revoke its own, this one stays.
    status = vmm_derive(space, 0, all_pages(), RIGHTS_SPACE, ATTACK_SELF);
    const struct thread thread = {
        .space = ATTACK_SELF,
        .entry = enter,
        .stack_top = stack + STACK_BYTES,
        .argument = seed,
        .priority = PRIORITY_DEFAULT,
        .portal = parent,
    };
    if (status == OK) {
        status = thread_start(&thread, task);
        (void)!ipc_drop(ATTACK_SELF);
    }
    if (status != OK)
        (void)!ipc_drop(space);
    return status;
}

status_t attack_take_back(slot_t space, slot_t task)
{
    status_t status = vmm_destroy(space);
    if (status == E_REVOKED) // it did so itself
        status = OK;
    status_t dropped = ipc_drop(space);
    if (status == OK)
        status = dropped;
    dropped = ipc_drop(task);
    return status == OK ? dropped : status;
}

// Such news and calls are served in turns.
uint64_t attack_charged(void)
{
    uint64_t least = UINT64_MAX;
    struct vmm_stats stats;
    for (unsigned i = 0; i < CALLS_TO_HEAR; i++)
        if (vmm_stats(SLOT_SELF, &stats) == OK && stats.charged < least)
            least = stats.charged;
    return least;
}

// Tells the judge, and waits until it answers. Whether the attack goes on.
static bool tell(enum attack_step step, uint64_t word1, uint64_t word2)
{
    struct message m = {{step, word1, word2}};
    return ipc_call(ATTACK_GATE, 0, 0, &m).status == OK && m.w[0] != 0;
}

static void leave(uint64_t seed)
{
    (void)seed;
}

// Pages that init loaded are on init's account; those that are written to while clones share them are
// copied to one's own. That is over before frames are counted.
static status_t own_pages(void)
{
    status_t status = attack_sandbox(leave, 0, 32, 0, ATTACK_SPACE, ATTACK_TASK);
    if (status == OK)
        status = attack_sandbox(leave, 0, 32, 0, ATTACK_SPACE + 1, ATTACK_TASK + 1);
    if (status == OK)
        status = attack_take_back(ATTACK_SPACE, ATTACK_TASK);
    return status == OK ? attack_take_back(ATTACK_SPACE + 1, ATTACK_TASK + 1) : status;
}

static status_t begin(const struct attack *attack, uint64_t *seed)
{
    status_t status = attack->begin ? attack->begin(*seed) : OK;
    for (unsigned i = 0; status == OK && i < attack->n_sandboxes; i++)
        status = attack_sandbox(attack->run, (*seed)++, attack->quota, 0, ATTACK_SPACE + i,
                                ATTACK_TASK + i);
    return status;
}

static status_t end(const struct attack *attack)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < attack->n_sandboxes; i++)
        status = attack_take_back(ATTACK_SPACE + i, ATTACK_TASK + i);
    status_t ended = attack->end ? attack->end() : OK;
    return status == OK ? ended : status;
}

uint64_t attack_main(const struct attack *attack, uint64_t seed)
{
    status_t status = get("gate", ATTACK_GATE);
    if (status == OK)
        status = own_pages();
    if (status != OK)
        return 1;
    while (tell(ATTACK_READY, attack->n_tasks, 0)) {
        uint64_t before = attack_charged();
        status = begin(attack, &seed);
        if (!tell(ATTACK_ON, (uint64_t)(int64_t)status, 0))
            return 1;
        status = end(attack);
        if (!tell(ATTACK_OFF, (uint64_t)(int64_t)status, attack_charged() - before))
            return 1;
    }
    return 0;
}

uint64_t attack_round(void (*run)(uint64_t seed), uint64_t seed, uint64_t quota, slot_t space,
                      slot_t task)
{
    struct vmm_exit end;
    uint64_t code = 0;
    if (attack_sandbox(run, seed, quota, 0, space, task) != OK)
        return 0;
    for (unsigned turn = 0; turn < TURNS; turn++)
        ipc_yield();
    (void)!vmm_kill(task);
    if (vmm_wait(task, &end) == OK && end.kind == EXIT_NORMAL)
        code = end.code;
    (void)!attack_take_back(space, task);
    return code;
}
