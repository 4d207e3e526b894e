// SPDX-License-Identifier: MIT
// What a snapshot is and is not, what diff tells of each kind of change, and what rollback undoes.
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, SNAP, COPY, WINDOW_CAP, RUNNER };

#define FIELD  0x10000000ul
#define LARGE  0x40000000ul
#define LAZY   0x8000000000ul
#define WINDOW 0x20000000ul // in this task's space
#define RW     (PROT_R | PROT_W)
#define PAGES  4ul
#define MANY   512ul

static vaddr_t page(uint64_t i)
{
    return FIELD + i * PAGE_SIZE;
}

static status_t make_land(void)
{
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status == OK)
        status = vmm_map(LAND, FIELD, PAGES, RW, 0);
    if (status == OK)
        status = vmm_map(LAND, LAZY, MANY * MANY, RW, MAP_LAZY);
    return status == OK && !touch_writes(LAND, page(0), 100) ? E_FAULT : status;
}

// Whether the first difference at or after `from` is this one (0 pages: there is none).
static bool differs(vaddr_t from, vaddr_t va, uint64_t pages)
{
    vaddr_t found = from;
    uint64_t n = UINT64_MAX;
    status_t status = vmm_diff(LAND, SNAP, &found, &n);
    bool ok = status == OK && n == pages && (pages == 0 || found == va);
    if (!ok)
        log_format("# diff: %s, 0x%lx, %lu pages\n", status_name(status), found, n);
    return ok;
}

static void test_snapshot(void)
{
    struct vmm_page found = {0};
    check_status(vmm_snapshot(LAND, 0, SNAP), OK, "takes a snapshot");
    check(vmm_query(SNAP, FIELD, &found) == OK && found.prot == RW, "it can be asked about");
    check_status(vmm_spawn(SNAP, touch_code(TOUCH_READ), 0, FIELD, PRIORITY_DEFAULT, 0, RUNNER),
                 E_RIGHT, "nothing runs in it");
    check_status(vmm_map(SNAP, WINDOW, 1, RW, 0), E_RIGHT, "nothing is mapped in it");
    check_status(vmm_share(SNAP, FIELD, 1, SLOT_SELF, WINDOW, PROT_R), E_RIGHT,
                 "nothing is taken from it");
    check_status(vmm_rollback(SNAP, LAND), E_RIGHT, "it is not rolled back itself");
    check(differs(0, 0, 0), "at first there is no difference");
}

static void test_diff(void)
{
    check(touch_writes(LAND, page(2), 200) && differs(0, page(2), 1), "a write is a difference");
    check(differs(page(2), page(2), 1) && differs(page(3), 0, 0), "diff goes on where it is told");
    check(vmm_protect(LAND, page(3), 1, PROT_R) == OK && differs(page(3), page(3), 1),
          "so are other rights");
    check(vmm_unmap(LAND, page(0), 1) == OK && differs(0, page(0), 1), "so is a page unmapped");
    check(vmm_map(LAND, LARGE, MANY, RW, MAP_4K) == OK && differs(LARGE, LARGE, MANY),
          "so are pages mapped, in one run");
    check(touch_reads(LAND, LAZY + 7 * PAGE_SIZE, 0) &&
              differs(LARGE + MANY * PAGE_SIZE, LAZY + 7 * PAGE_SIZE, 1),
          "so is a lazy page touched");
    check(differs(LAZY + 8 * PAGE_SIZE, 0, 0), "and that is all");
}

static void test_rollback(uint64_t charged)
{
    struct vmm_stats stats = {0};
    check_status(vmm_rollback(LAND, SNAP), OK, "rolls back");
    check(differs(0, 0, 0), "there is no difference any more");
    check(vmm_stats(LAND, &stats) == OK && stats.charged == charged, "what was taken has returned");
    check(touch_reads(LAND, page(0), 100) && touch_reads(LAND, page(2), 0) &&
              touch_writes(LAND, page(3), 300),
          "contents and rights are what they were");
    check(touch_faults(LAND, TOUCH_READ, LARGE) && touch_reads(LAND, LAZY, 0),
          "so is what was mapped");
    check(vmm_rollback(LAND, SNAP) == OK && touch_reads(LAND, page(3), 0),
          "one snapshot serves again and again");
}

// A window lets see its own part of the differences, and cannot undo them.
static void test_window(void)
{
    vaddr_t va = 0;
    uint64_t pages = 0;
    status_t status = vmm_derive(LAND, page(1), 2, RIGHT_QUERY | RIGHT_READ, WINDOW_CAP);
    bool ok = status == OK && touch_writes(LAND, page(0), 1) && touch_writes(LAND, page(1), 1);
    if (ok)
        status = vmm_diff(WINDOW_CAP, SNAP, &va, &pages);
    check(ok && status == OK && va == page(1) && pages == 1, "a window shows its own part");
    check_status(vmm_rollback(WINDOW_CAP, SNAP), E_RIGHT, "it cannot be rolled back alone");
}

static void test_clone(void)
{
    check(vmm_clone(SNAP, CLONE_COW, 0, COPY) == OK && touch_reads(COPY, page(0), 100) &&
              touch_writes(COPY, page(0), 400) && touch_reads(LAND, page(0), 1),
          "a clone of a snapshot runs on its own");
    check(ipc_drop(LAND) == OK && ipc_drop(WINDOW_CAP) == OK && ipc_drop(SNAP) == OK &&
              touch_reads(COPY, page(0), 400) && touch_reads(COPY, page(1), 0),
          "and outlives the space and the snapshot");
}

static uint64_t charged(void)
{
    struct vmm_stats stats = {0};
    return vmm_stats(SLOT_SELF, &stats) == OK ? stats.charged : 0;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    uint64_t before = charged();
    if (!check_status(make_land(), OK, "makes a space"))
        return 1;
    test_snapshot();
    uint64_t with_snapshot = charged();
    test_diff();
    test_rollback(with_snapshot);
    test_window();
    test_clone();
    check(ipc_drop(COPY) == OK && charged() == before, "all frames return");
    return 0;
}
