// SPDX-License-Identifier: MIT
// C13: clones of clones until the quota, or the memory, is used up, each with a page of its own;
// refused with a typed error and nothing changed; then everything goes and every frame is back.
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, HOARD, CLONES };

#define FIELD      0x10000000ul
#define CLONES_MAX (TOUCH_SLOT - CLONES)
#define QUOTA      60u

static struct vmm_stats stats_of(slot_t space)
{
    struct vmm_stats stats = {0};
    if (vmm_stats(space, &stats) != OK)
        stats.charged = stats.free = UINT64_MAX;
    return stats;
}

static status_t make_land(uint64_t quota)
{
    status_t status = vmm_create(SLOT_SELF, quota, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status == OK)
        status = vmm_map(LAND, FIELD, 2, PROT_R | PROT_W, 0);
    return status == OK && !touch_writes(LAND, FIELD, 1000) ? E_FAULT : status;
}

// Each is a clone of the one before, and writes to a page of its own as long as that can be paid.
// Answers how many there are and what refused the next.
static unsigned explode(status_t *refusal)
{
    unsigned n = 0;
    struct vmm_exit end;
    *refusal = OK;
    while (n < CLONES_MAX && *refusal == OK) {
        *refusal = vmm_clone(n == 0 ? LAND : CLONES + n - 1, CLONE_COW, 0, CLONES + n);
        if (*refusal != OK)
            break;
        (void)!touch(CLONES + n, TOUCH_WRITE, FIELD, n, &end);
        n++;
    }
    return n;
}

// Drops every second one, beginning with the one of number `first`.
static bool drop_clones(unsigned first, unsigned n)
{
    bool ok = true;
    for (unsigned i = first; i < n; i += 2)
        ok = ipc_drop(CLONES + i) == OK && ok;
    return ok;
}

static void test_quota(void)
{
    status_t refusal;
    struct vmm_stats before = stats_of(SLOT_SELF);
    if (!check_status(make_land(QUOTA), OK, "makes a space with a quota"))
        return;
    uint64_t charged = stats_of(LAND).charged;
    unsigned n = explode(&refusal);
    log_format("# bomber: %u clones, then %s\n", n, status_name(refusal));
    check(n > 2 && refusal == E_QUOTA, "C13: clones are refused when the quota is used up");
    check(drop_clones(1, n) && touch_reads(LAND, FIELD, 1000) && touch_reads(CLONES, FIELD, 0),
          "C13: with less of them, original and clones are what they were");
    check(drop_clones(0, n) && stats_of(LAND).charged == charged,
          "C13: without them the account pays what it did before");
    check(touch_writes(LAND, FIELD + PAGE_SIZE, 1) && ipc_drop(LAND) == OK &&
              stats_of(SLOT_SELF).charged == before.charged,
          "C13: the space works on, and its frames return");
}

// Maps memory until `left` frames are free.
static status_t hoard(uint64_t left)
{
    status_t status = vmm_create(SLOT_SELF, 0, HOARD);
    vaddr_t va = FIELD;
    while (status == OK) {
        uint64_t free = stats_of(SLOT_SELF).free;
        uint64_t pages = free > 2 * left ? (free - left) / 2 : 1;
        if (free <= left)
            break;
        status = vmm_map(HOARD, va, pages, PROT_R, 0);
        va += pages * PAGE_SIZE;
    }
    return status;
}

static void test_memory(void)
{
    const uint64_t left = 60;
    status_t refusal;
    struct vmm_stats before = stats_of(SLOT_SELF);
    if (!check(make_land(0) == OK && hoard(left) == OK, "takes all memory but a little"))
        return;
    unsigned n = explode(&refusal);
    log_format("# bomber: %u clones, then %s\n", n, status_name(refusal));
    check(n > 2 && refusal == E_NOMEM, "C13: clones are refused when no memory is left");
    check(drop_clones(1, n) && touch_reads(LAND, FIELD, 1000) && touch_reads(CLONES, FIELD, 0),
          "C13: with less of them, original and clones are what they were");
    check(drop_clones(0, n) && ipc_drop(LAND) == OK && ipc_drop(HOARD) == OK &&
              stats_of(SLOT_SELF).charged == before.charged &&
              stats_of(SLOT_SELF).free == before.free,
          "C13: every frame is free again");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    test_quota();
    test_memory();
    return 0;
}
