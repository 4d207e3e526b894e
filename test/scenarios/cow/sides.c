// SPDX-License-Identifier: MIT
// A space and its clone: neither sees the other's writes, either may die first, and what was shared
// stays shared.
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, COPY, READER };

#define FIELD  0x10000000ul // private pages
#define FENCE  0x20000000ul // a page shared with this task
#define WINDOW 0x30000000ul // where this task sees that page
#define PAGES  4ul
#define LAST   0xff8ul // offset of a page's last word

static status_t make_land(void)
{
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status == OK)
        status = vmm_map(LAND, FIELD, PAGES, PROT_R | PROT_W, 0);
    return status;
}

static bool fill_field(void)
{
    bool ok = true;
    for (uint64_t i = 0; i < PAGES; i++)
        ok = ok && touch_writes(LAND, FIELD + i * PAGE_SIZE, 100 + i) &&
             touch_writes(LAND, FIELD + i * PAGE_SIZE + LAST, 900 + i);
    return ok;
}

static bool is_cow(slot_t space, vaddr_t va)
{
    struct vmm_page page;
    return vmm_query(space, va, &page) == OK && page.flags & PAGE_COW && page.prot & PROT_W;
}

static void test_writes(void)
{
    check(touch_reads(COPY, FIELD, 100), "C1: the clone begins as the original is");
    check(is_cow(LAND, FIELD) && is_cow(COPY, FIELD), "both are writable copy-on-write");
    check(touch_writes(COPY, FIELD, 200), "C1: the clone can be written");
    check(touch_reads(LAND, FIELD, 100), "C1: the original does not see it");
    check(touch_writes(LAND, FIELD + PAGE_SIZE, 301), "C1: the original can be written");
    check(touch_reads(COPY, FIELD + PAGE_SIZE, 101), "C1: the clone does not see it");
    check(touch_reads(COPY, FIELD, 200) && touch_reads(LAND, FIELD + PAGE_SIZE, 301),
          "C1: each sees its own");
    check(touch_reads(COPY, FIELD + LAST, 900) && touch_reads(LAND, FIELD + PAGE_SIZE + LAST, 901),
          "C1: the rest of a page that was copied is what it was");
    check(!is_cow(LAND, FIELD) && !is_cow(COPY, FIELD) && is_cow(LAND, FIELD + 3 * PAGE_SIZE),
          "pages that have parted are no longer copy-on-write, the others are");
}

// A task that has read the page, and goes on reading, sees what another task of its space writes.
static void test_alias(void)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    vaddr_t va = FIELD + 3 * PAGE_SIZE;
    status_t status = touch_start(LAND, TOUCH_AWAIT, va, 400, READER);
    for (unsigned i = 0; i < 4; i++)
        ipc_yield();
    bool is_written = touch_writes(LAND, va, 400);
    if (status == OK)
        status = vmm_wait(READER, &end);
    if (status == OK)
        status = ipc_drop(READER);
    check(is_written && status == OK && end.kind == EXIT_NORMAL,
          "C14: after the copy no reader of that space sees the old page");
    check(touch_reads(COPY, va, 103), "C14: the clone still sees it");
}

static void test_clone_dies_first(void)
{
    check_status(ipc_drop(COPY), OK, "C3: the clone goes first");
    bool ok = touch_reads(LAND, FIELD, 100) && touch_reads(LAND, FIELD + PAGE_SIZE, 301) &&
              touch_reads(LAND, FIELD + 2 * PAGE_SIZE, 102) &&
              touch_writes(LAND, FIELD + 2 * PAGE_SIZE, 302);
    check(ok, "C3: the original is intact and can be written");
}

static void test_original_dies_first(void)
{
    check_status(vmm_clone(LAND, CLONE_COW, 0, COPY), OK, "clones it again");
    bool ok = touch_writes(COPY, FIELD, 500);
    check_status(vmm_destroy(LAND), OK, "C3: the original goes first");
    ok = ok && touch_reads(COPY, FIELD, 500) && touch_reads(COPY, FIELD + PAGE_SIZE, 301) &&
         touch_writes(COPY, FIELD + PAGE_SIZE, 501) && touch_reads(COPY, FIELD + PAGE_SIZE, 501);
    check(ok, "C3: the clone is intact and can be written");
}

static volatile uint64_t *window(void)
{
    return (volatile uint64_t *)WINDOW;
}

static void test_shared(void)
{
    struct vmm_page page = {0};
    status_t status = vmm_map(LAND, FENCE, 1, PROT_R | PROT_W, 0);
    if (status == OK)
        status = vmm_share(LAND, FENCE, 1, SLOT_SELF, WINDOW, PROT_R | PROT_W);
    if (status == OK)
        status = vmm_clone(LAND, CLONE_COW, 0, COPY);
    if (status == OK)
        status = vmm_query(COPY, FENCE, &page);
    check(status == OK && page.flags & PAGE_SHARED, "C7: what was shared is shared in the clone");
    *window() = 600;
    check(touch_reads(LAND, FENCE, 600) && touch_reads(COPY, FENCE, 600),
          "C7: both see what a third writes");
    check(touch_writes(COPY, FENCE, 601) && *window() == 601 && touch_reads(LAND, FENCE, 601),
          "C7: all see what the clone writes");
    check(touch_writes(COPY, FIELD, 602) && touch_reads(LAND, FIELD, 100),
          "C7: private pages beside it part");
}

static void leave(const struct vmm_stats *before)
{
    struct vmm_stats after = {0};
    status_t status = vmm_unmap(SLOT_SELF, WINDOW, 1);
    if (status == OK)
        status = ipc_drop(LAND);
    if (status == OK)
        status = ipc_drop(COPY);
    if (status == OK)
        status = vmm_stats(SLOT_SELF, &after);
    check(status == OK && after.charged == before->charged, "C3: with the last all frames return");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct vmm_stats before;
    status_t status = vmm_stats(SLOT_SELF, &before);
    if (status == OK)
        status = make_land();
    if (!check(status == OK && fill_field(), "makes and fills a space") ||
        !check_status(vmm_clone(LAND, CLONE_COW, 0, COPY), OK, "clones it"))
        return 1;
    test_writes();
    test_alias();
    test_clone_dies_first();
    test_original_dies_first();
    status = ipc_drop(LAND);
    if (status == OK)
        status = ipc_drop(COPY);
    if (status == OK)
        status = make_land();
    if (status != OK || !fill_field())
        return 1;
    test_shared();
    leave(&before);
    return 0;
}
