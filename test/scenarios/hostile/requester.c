// SPDX-License-Identifier: MIT
// Every request of the VMM with garbage in every word and any capability carried: thousands before it
// says that the attack is on, and without end from then on.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"

enum { EAR = SLOT_FREE, DOOR, SPACE, TASK, OTHER, SLOTS_USED = 24 };

#define CALLS     400u
#define ON_OTHERS 350u
#define LEAST     3000u
#define MOST      400u // rounds for that
#define QUOTA     96u

// A word that now and then says something about this very task.
static uint64_t word(uint64_t *seed)
{
    uint64_t r = random_next(seed);
    return r >> 60 ? random_word(seed) : (uint64_t)&word + (r & 0xf000);
}

// Any slot of the first ones, as often as not one that holds something.
static slot_t any_slot(uint64_t r)
{
    return (slot_t)(r % SLOTS_USED);
}

// One of them. What is asked of this very space ends the task soon: last. A portal to its own endpoint
// lands where it will not call it, for nobody would answer.
static bool request_one(uint64_t *seed, bool is_last)
{
    uint64_t r = random_next(seed);
    enum vmm_request opcode = (enum vmm_request)(r % VMM_REQUESTS);
    uint32_t flags = r >> 61 ? (uint32_t)(r >> 40) & 3 : (uint32_t)(r >> 24);
    struct message m = {{vmm_word0(opcode, flags)}};
    for (unsigned j = 1; j < MESSAGE_WORDS; j++)
        m.w[j] = word(seed);
    slot_t by = OTHER + any_slot(r >> 8) % (r >> 62 ? 1 : SLOTS_USED - OTHER);
    if (is_last && r >> 62)
        by = SLOT_SELF;
    slot_t into =
        opcode == VMM_PORTAL ? DOOR : OTHER + 1 + any_slot(r >> 32) % (SLOTS_USED - OTHER);
    if (opcode == VMM_TASK_WAIT || (opcode == VMM_SPACE_DESTROY && !is_last))
        return false; // nothing would follow: the end may never come, or nothing be left
    if (ipc_drop(DOOR) != OK && r >> 48 & 1)
        (void)!ipc_drop(into);
    r = random_next(seed);
    slot_t send = r >> 62 ? 0 : r >> 61 ? OTHER : any_slot(r);
    return ipc_call(by, send, into, &m).status == OK;
}

static void request(uint64_t seed)
{
    uint64_t made = 0;
    seed++;
    (void)!vmm_endpoint(SLOT_SELF, EAR);
    (void)!vmm_create(SLOT_SELF, QUOTA / 4, OTHER);
    for (unsigned i = 0; i < CALLS; i++)
        made += request_one(&seed, i > ON_OTHERS);
    ipc_exit(made);
}

static void request_without_end(uint64_t seed)
{
    for (;; seed++)
        (void)attack_round(request, seed, QUOTA, SPACE, TASK);
}

static status_t request_thousands(uint64_t seed)
{
    static uint64_t made; // once is enough: beside other attacks its turns come slowly
    for (unsigned i = 0; i < MOST && made < LEAST; i++)
        made += attack_round(request, seed * MOST + i, QUOTA, ATTACK_SLOTS, ATTACK_SLOTS + 1);
    log_format("# requester: seed %lu, %lu requests\n", seed, made);
    return made < LEAST ? E_LIMIT : OK;
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {.run = request_without_end,
                                         .n_sandboxes = 1,
                                         .quota = 3 * QUOTA,
                                         .n_tasks = 8,
                                         .begin = request_thousands};
    return attack_main(&attack, seed);
}
