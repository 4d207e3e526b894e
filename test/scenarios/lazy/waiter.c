// SPDX-License-Identifier: MIT
// F4: a first touch that the quota has no page for. The task waits, and goes on when there is one;
// a fragile task ends, and its end says why.
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, WRITER };

#define QUOTA 64u
#define FIELD 0x10000000ul // lazy
#define FILL  0x10100000ul // in the same table: pages that use the quota up
#define WORD  0x10050000ul // read by all

static uint64_t charged(void)
{
    struct vmm_stats stats = {0};
    return vmm_stats(LAND, &stats) == OK ? stats.charged : QUOTA;
}

// What a task takes of its space's quota.
static uint64_t task_frames(void)
{
    struct vmm_exit end;
    uint64_t before = charged(), taken = 0;
    status_t status = touch_start(LAND, TOUCH_AWAIT, WORD, 1, WRITER);
    if (status == OK) {
        taken = charged() - before;
        status = vmm_kill(WRITER);
    }
    if (status == OK)
        status = vmm_wait(WRITER, &end);
    if (status == OK)
        status = ipc_drop(WRITER);
    return status == OK ? taken : 0;
}

static bool is_touched(vaddr_t va)
{
    struct vmm_page page = {0};
    return vmm_query(LAND, va, &page) == OK && page.flags & PAGE_MAPPED;
}

static void test_fragile(void)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = touch(LAND, TOUCH_WRITE, FIELD, 1, &end);
    check(status == OK && end.kind == EXIT_FAULT && end.code == VECTOR_PAGE &&
              end.address == FIELD && end.reason == E_QUOTA,
          "F4: a fragile task ends for want of quota, and its end says so");
}

static void test_waiting(void)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = touch_start(LAND, TOUCH_WRITE, FIELD + PAGE_SIZE, 77, WRITER);
    for (unsigned i = 0; i < 8; i++)
        ipc_yield();
    check(status == OK && !is_touched(FIELD + PAGE_SIZE) && charged() == QUOTA,
          "F4: any other task waits");
    check_status(vmm_unmap(LAND, FILL, 2), OK, "gives some quota back");
    status = vmm_wait(WRITER, &end);
    if (status == OK)
        status = ipc_drop(WRITER);
    check(status == OK && end.kind == EXIT_NORMAL && is_touched(FIELD + PAGE_SIZE),
          "F4: it goes on when there is quota");
    check(touch_reads(LAND, FIELD + PAGE_SIZE, 77), "F4: and what it wrote is there");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    status_t status = vmm_create(SLOT_SELF, QUOTA, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status == OK)
        status = vmm_map(LAND, FIELD, 2, PROT_R | PROT_W, MAP_LAZY);
    if (status == OK)
        status = vmm_map(LAND, WORD, 1, PROT_R, 0);
    uint64_t needed = task_frames();
    if (status == OK)
        status = vmm_map(LAND, FILL, QUOTA - charged() - needed, PROT_R, 0);
    if (!check(status == OK && charged() + needed == QUOTA, "leaves the quota for a task alone"))
        return 1;
    test_fragile();
    test_waiting();
    return 0;
}
