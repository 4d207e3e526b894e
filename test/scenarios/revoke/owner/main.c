// SPDX-License-Identifier: MIT
#include "ipc/rt.h"
#include "test/scenarios/revoke/owner/owner.h"

#define STACK_BYTES 4096u
#define ALIAS       0x50000000ul

static char stack[STACK_BYTES] __attribute__((aligned(16))); // each helper has a copy of it

status_t owner_derive(void)
{
    status_t status = vmm_derive(LAND, FIELD, N_FIELDS, GRANT_RIGHTS, GRANT);
    if (status == OK)
        status = vmm_derive(GRANT, FIELD, N_FIELDS, GRANT_RIGHTS, GRANT_2);
    return status == OK ? vmm_derive(GRANT_2, FIELD, N_FIELDS, GRANT_RIGHTS, GRANT_3) : status;
}

void owner_forget(void)
{
    for (slot_t slot = GRANT; slot <= CAME_2; slot++)
        (void)!ipc_drop(slot);
    memset((void *)BOARD, 0, sizeof *board);
}

status_t helper_clone(unsigned i)
{
    return vmm_clone(SLOT_SELF, CLONE_COW, 0, SPACE + i);
}

status_t helper_start(unsigned i, void (*run)(uint64_t i))
{
    const struct thread thread = {
        .space = SPACE + i,
        .entry = run,
        .stack_top = stack + STACK_BYTES,
        .argument = i,
        .priority = PRIORITY_DEFAULT,
        .portal = DOOR,
    };
    return thread_start(&thread, TASK + i);
}

status_t helper_end(unsigned i, struct vmm_exit *end)
{
    status_t status = thread_end(TASK + i, end);
    status_t dropped = ipc_drop(SPACE + i);
    return status == OK ? dropped : status;
}

bool helpers_work(unsigned n, uint64_t times)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t before = board->n[i];
        for (unsigned turn = 0; board->n[i] < before + times; turn++) {
            if (turn == PATIENCE)
                return false;
            ipc_yield();
        }
    }
    return true;
}

// The board stays shared in clones; the land's first page is seen through the land itself.
static status_t prepare(void)
{
    status_t status = get("self", SELF);
    if (status == OK)
        status = vmm_map(SLOT_SELF, BOARD, 1, RW, 0);
    if (status == OK)
        status = vmm_share(SLOT_SELF, BOARD, 1, SLOT_SELF, ALIAS, RW);
    if (status == OK)
        status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = vmm_map(LAND, FIELD, 1, RW, 0);
    if (status == OK)
        status = vmm_share(LAND, FIELD, 1, SLOT_SELF, MINE, RW);
    if (status == OK)
        status = vmm_endpoint(SLOT_SELF, EAR);
    return status == OK ? vmm_portal(SLOT_SELF, EAR, 1, SLOT_ALL, DOOR) : status;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    check_status(prepare(), OK, "prepares its land");
    try_readers();
    try_holders();
    try_flights();
    try_pagers();
    try_steps();
    return 0;
}
