// SPDX-License-Identifier: MIT
// Clones of clones: random clones, writes and drops in any order, compared with what a plain table
// of words says each space must hold.
#include "ipc/init_client.h"
#include "test/scenarios/lib/random.h"
#include "test/scenarios/lib/touch.h"

#define MEMBERS 6u
#define PAGES   5u
#define ROUNDS  400u
#define SEED    0xfa3117ull

// In one table, in two tables, in two directories, in two entries of the root.
static const vaddr_t pages[PAGES] = {0x10000000, 0x10001000, 0x10200000, 0x50000000, 0x8000000000};

#define WORDS 2u // that are written of each page
#define STEP  0xff8ul

static struct {
    bool lives;
    uint64_t words[PAGES][WORDS];
} members[MEMBERS];

static slot_t slot_of(unsigned member)
{
    return SLOT_FREE + member;
}

static status_t found(void)
{
    status_t status = vmm_create(SLOT_SELF, 0, slot_of(0));
    if (status == OK)
        status = touch_prepare(slot_of(0));
    for (unsigned i = 0; status == OK && i < PAGES; i++)
        status = vmm_map(slot_of(0), pages[i], 1, PROT_R | PROT_W, 0);
    members[0].lives = status == OK;
    return status;
}

static unsigned count_living(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < MEMBERS; i++)
        n += members[i].lives;
    return n;
}

static bool is_true(unsigned member)
{
    bool ok = true;
    for (unsigned i = 0; i < PAGES * WORDS; i++)
        ok = ok && touch_reads(slot_of(member), pages[i / WORDS] + i % WORDS * STEP,
                               members[member].words[i / WORDS][i % WORDS]);
    return ok;
}

static bool clone_into(unsigned from, unsigned to)
{
    if (members[to].lives)
        return is_true(to);
    members[to] = members[from];
    return vmm_clone(slot_of(from), CLONE_COW, 0, slot_of(to)) == OK;
}

static bool drop(unsigned member)
{
    if (count_living() == 1)
        return is_true(member);
    members[member].lives = false;
    return ipc_drop(slot_of(member)) == OK;
}

static bool step(uint64_t *seed)
{
    unsigned member, other = random_next(seed) % MEMBERS, page = random_next(seed) % PAGES;
    unsigned word = random_next(seed) % WORDS;
    do
        member = random_next(seed) % MEMBERS;
    while (!members[member].lives);
    switch (random_next(seed) % 5) {
    case 0:
        return clone_into(member, other);
    case 1:
        return drop(member);
    case 2:
        return is_true(member);
    default:
        members[member].words[page][word] = random_next(seed);
        return touch_writes(slot_of(member), pages[page] + word * STEP,
                            members[member].words[page][word]);
    }
}

static status_t drop_all(void)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < MEMBERS; i++)
        status = members[i].lives ? ipc_drop(slot_of(i)) : OK;
    return status;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct vmm_stats before = {0}, after = {0};
    uint64_t seed = SEED;
    unsigned round = 0;
    status_t status = vmm_stats(SLOT_SELF, &before);
    if (status != OK || found() != OK)
        return 1;
    while (round < ROUNDS && step(&seed))
        round++;
    for (unsigned i = 0; round == ROUNDS && i < MEMBERS; i++) {
        if (members[i].lives && !is_true(i))
            round = 0;
    }
    check(round == ROUNDS, "%u random clones, writes and drops, seed 0x%lx", ROUNDS,
          (uint64_t)SEED);
    status = drop_all();
    if (status == OK)
        status = vmm_stats(SLOT_SELF, &after);
    check(status == OK && after.charged == before.charged, "in the end all frames return");
    return 0;
}
