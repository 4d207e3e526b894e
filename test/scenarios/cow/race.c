// SPDX-License-Identifier: MIT
// C15: a task that never stops writing a page of a clone, while its private copies are taken away
// again and again, after whatever instruction the timer has stopped it. It never writes the frame
// that the others have.
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, COPY, SNAP, BRANCH, WRITER };

#define FIELD  0x10000000ul
#define WORD   100ul
#define RW     (PROT_R | PROT_W)
#define ROUNDS 60u
#define TURNS  50u // that the writer gets at most, to write once

static struct vmm_page found(slot_t space)
{
    struct vmm_page page = {0};
    return vmm_query(space, FIELD, &page) == OK ? page : (struct vmm_page){0};
}

static status_t make_family(void)
{
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status == OK)
        status = vmm_map(LAND, FIELD, 1, RW, 0);
    if (status == OK && !touch_writes(LAND, FIELD, WORD))
        status = E_FAULT;
    if (status == OK)
        status = vmm_clone(LAND, CLONE_COW, 0, COPY);
    return status == OK ? vmm_snapshot(COPY, 0, SNAP) : status;
}

// Lets the writer run until it has a page of its own. It gives the CPU up to the timer alone.
static bool writer_has_its_own(void)
{
    for (unsigned i = 0; i < TURNS; i++) {
        struct vmm_page page = found(COPY);
        if (page.flags & PAGE_MAPPED && !(page.flags & PAGE_COW) && page.frame != found(LAND).frame)
            return true;
        ipc_yield();
    }
    return false;
}

// The page is the snapshot's again.
static status_t roll_back(void)
{
    return vmm_rollback(COPY, SNAP);
}

// The page is gone, and a new one comes with the next write.
static status_t forget(void)
{
    return vmm_map(COPY, FIELD, 1, RW, MAP_REPLACE | MAP_LAZY);
}

// The page is a clone's as well, which keeps it when the writer has one of its own.
static status_t branch(void)
{
    status_t status = vmm_clone(COPY, CLONE_COW, 0, BRANCH);
    paddr_t frame = found(BRANCH).frame;
    bool ok = writer_has_its_own() && found(BRANCH).frame == frame && found(COPY).frame != frame;
    if (status == OK)
        status = ipc_drop(BRANCH);
    return ok ? status : E_FAULT;
}

static void race(status_t (*discard)(void), const char *what)
{
    bool is_running = true, is_intact = true;
    status_t status = OK;
    for (unsigned i = 0; i < ROUNDS && status == OK && is_running; i++) {
        is_running = writer_has_its_own();
        status = discard();
        is_intact =
            is_intact && touch_reads(LAND, FIELD, WORD) && found(SNAP).frame == found(LAND).frame;
    }
    check(status == OK && is_running, "C15: a writer goes on while %s", what);
    check(is_intact, "C15: and the original never sees what it writes");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct vmm_stats before = {0}, after = {0};
    struct vmm_exit end;
    status_t status = vmm_stats(SLOT_SELF, &before);
    if (status == OK)
        status = make_family();
    if (status == OK)
        status = touch_start(COPY, TOUCH_COUNT, FIELD, 0, WRITER);
    if (!check_status(status, OK, "makes a space, a clone that is written to, and its snapshot"))
        return 1;
    race(roll_back, "its space is rolled back");
    race(forget, "its page is replaced");
    race(branch, "its space is cloned");
    status = vmm_kill(WRITER);
    if (status == OK)
        status = vmm_wait(WRITER, &end);
    for (slot_t slot = LAND; slot <= WRITER && status == OK; slot++)
        status = slot == BRANCH ? OK : ipc_drop(slot);
    if (status == OK)
        status = vmm_stats(SLOT_SELF, &after);
    check(status == OK && after.charged == before.charged, "all frames return");
    return 0;
}
