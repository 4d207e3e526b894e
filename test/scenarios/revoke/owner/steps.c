// SPDX-License-Identifier: MIT
// Thousands of derivations, in a chain and beside each other, go in steps of bounded work, between which
// others are served (R4).
#include "test/scenarios/revoke/owner/owner.h"

enum { ASKING, DERIVING, N_HERE };

#define SLOT_FRAMES 8u    // as many as a task may have
#define N_CHAIN     100u  // of each: all of it is less than a derivation may be deep
#define N_GRANTS    1900u // each of two has as many, with those that hang from the chain
#define STEPS_LEAST 6u

// Asks once, whenever it is told to.
static void ask(uint64_t i)
{
    struct vmm_page page;
    while (!board->is_over) {
        if (board->goes && vmm_query(SLOT_SELF, VIEW, &page) == OK) {
            board->goes = false;
            board->n[i]++;
        }
        ipc_yield();
    }
    ipc_exit(0);
}

// A chain below `top`, from the slot CHAIN on, and then leaves of it.
static status_t derive_all(slot_t top)
{
    status_t status = OK;
    for (slot_t i = 0; status == OK && i < N_GRANTS; i++) {
        slot_t from = i == 0 ? top : i < N_CHAIN ? CHAIN + i - 1 : CHAIN + i % N_CHAIN;
        status = vmm_derive(from, FIELD, 1, RIGHT_DERIVE | RIGHT_QUERY, CHAIN + i);
    }
    return status;
}

static unsigned count_revoked(void)
{
    struct vmm_page page;
    unsigned n = 0;
    for (slot_t i = 0; i < N_GRANTS; i++)
        n += vmm_query(CHAIN + i, FIELD, &page) == E_REVOKED;
    return n;
}

static void derive_on(uint64_t i)
{
    struct message m = {{0}};
    status_t status = ipc_call(SLOT_PARENT, 0, LAND, &m).status;
    board->status[i] = status == OK ? derive_all(LAND) : status;
    (void)ipc_call(SLOT_PARENT, 0, 0, &m); // done; answered when it is revoked
    board->seen[i] = count_revoked();
    ipc_exit(0);
}

static uint64_t counter(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

// The other goes on at the end of the chain; its second call waits in CALLER.
static status_t derive_both(void)
{
    struct message m;
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < SLOT_FRAMES; i++)
        status = vmm_task_slots(SELF);
    if (status == OK)
        status = derive_all(LAND);
    if (status == OK)
        status = helper_clone(DERIVING);
    if (status == OK)
        status = helper_start(DERIVING, derive_on);
    for (unsigned i = 0; status == OK && i < SLOT_FRAMES; i++)
        status = vmm_task_slots(TASK + DERIVING);
    if (status == OK)
        status = ipc_receive(EAR, 0, CALLER, &m).status;
    if (status == OK)
        status = ipc_reply(CALLER, CHAIN + N_CHAIN - 1, &m);
    if (status == OK)
        status = ipc_receive(EAR, 0, CALLER, &m).status;
    return status == OK ? (status_t)board->status[DERIVING] : status;
}

// A step of it; *cycles is how long it took.
static status_t step(uint64_t *cycles)
{
    struct message m = {{vmm_word0(VMM_REVOKE, 0)}};
    uint64_t start = counter();
    struct result r = ipc_call(LAND, CHAIN, 0, &m);
    *cycles = counter() - start;
    return r.status == OK ? (status_t)m.w[0] : r.status;
}

static bool is_other_served(void)
{
    uint64_t before = board->n[ASKING];
    board->goes = true;
    for (unsigned turn = 0; turn < PATIENCE && board->n[ASKING] == before; turn++)
        ipc_yield();
    return board->n[ASKING] > before;
}

// One request of another comes between two of them, and is served; it does a step, too.
static status_t revoke_in_steps(unsigned *n_steps, uint64_t *longest, bool *is_served)
{
    uint64_t cycles;
    status_t status = step(&cycles);
    for (*n_steps = 1; status == E_MORE; ++*n_steps) {
        if (*longest < cycles)
            *longest = cycles;
        *is_served = is_other_served() && *is_served;
        status = step(&cycles);
    }
    return status == E_REVOKED ? OK : status; // as the last answer but one said
}

void try_steps(void)
{
    struct message m = {{0}};
    struct vmm_exit end;
    unsigned n_steps = 0;
    uint64_t longest = 0;
    bool is_served = true;
    check_status(derive_both(), OK, "two derive thousands, in a chain and beside each other");
    check(helper_clone(ASKING) == OK && helper_start(ASKING, ask) == OK,
          "somebody else is to ask the VMM");
    status_t status = revoke_in_steps(&n_steps, &longest, &is_served);
    log_format("# owner: %u steps, the longest took %lu cycles\n", n_steps, longest);
    check_status(status, OK, "revokes the first");
    check(n_steps >= STEPS_LEAST && is_served, "others are served between all the steps (R4)");
    board->is_over = true;
    status = ipc_reply(CALLER, 0, &m);
    for (unsigned i = 0; status == OK && i < N_HERE; i++)
        status = helper_end(i, &end);
    check(status == OK && count_revoked() == N_GRANTS && board->seen[DERIVING] == N_GRANTS,
          "all of them are revoked");
    for (slot_t i = 0; i < N_GRANTS; i++)
        (void)!ipc_drop(CHAIN + i);
}
