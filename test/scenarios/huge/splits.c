// SPDX-License-Identifier: MIT
// One page of 2 MiB, of which a part is changed in every way there is: its neighbours stay.
#include "ipc/init_client.h"
#include "test/scenarios/huge/large.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, COPY };

#define BASE   0x40000000ul
#define TARGET 0x20000000ul // in this task's space
#define QUOTA  2048u

static vaddr_t page(uint64_t i)
{
    return BASE + i * PAGE_SIZE;
}

static const uint64_t marked[] = {0, 99, 100, 101, 511};

#define N_MARKED (sizeof marked / sizeof marked[0])

static status_t make_large(void)
{
    status_t status = vmm_map(LAND, BASE, LARGE_PAGES, RW, MAP_2M);
    for (unsigned i = 0; status == OK && i < N_MARKED; i++) {
        if (!touch_writes(LAND, page(marked[i]), 1000 + marked[i]) ||
            !touch_writes(LAND, page(marked[i]) + 0xff8, 9000 + marked[i]))
            return E_FAULT;
    }
    return status;
}

// Whether all marks but that of page 100 are there.
static bool neighbours_are_intact(slot_t space)
{
    bool ok = true;
    for (unsigned i = 0; i < N_MARKED; i++)
        ok = ok && (marked[i] == 100 || touch_reads(space, page(marked[i]), 1000 + marked[i]));
    return ok;
}

static void test_unmap(uint64_t charged)
{
    struct vmm_stats before = stats_of(LAND);
    check_status(vmm_unmap(LAND, page(100), 1), OK, "U5: unmaps a page in the middle of 2 MiB");
    struct vmm_stats after = stats_of(LAND);
    check(after.tables == before.tables + 1 && after.pages == before.pages - 1 &&
              after.charged == before.charged,
          "U5: it is split: one table more, one page less");
    check(touch_faults(LAND, TOUCH_READ, page(100)), "U5: the page is gone");
    check(neighbours_are_intact(LAND) && touch_writes(LAND, page(101), 1101),
          "U5: its neighbours are intact");
    check(page_at(LAND, page(99)).frame + 2 * PAGE_SIZE == page_at(LAND, page(101)).frame,
          "U5: in the frames that they had");
    check_status(vmm_map(LAND, page(100), 1, RW, 0), OK, "maps another page there");
    check(touch_reads(LAND, page(100), 0), "it is zero");
    check(vmm_unmap(LAND, BASE, LARGE_PAGES) == OK && stats_of(LAND).charged == charged,
          "U7: all of it returns");
}

static void test_protect(void)
{
    check_status(vmm_protect(LAND, page(100), 1, PROT_R), OK, "protects a part");
    check(touch_faults(LAND, TOUCH_WRITE, page(100)) && touch_reads(LAND, page(100), 1100),
          "P1: the part is read, and not written");
    check(touch_writes(LAND, page(99), 1099) && touch_writes(LAND, page(101), 1101) &&
              neighbours_are_intact(LAND),
          "its neighbours are read and written");
    check_status(vmm_protect(LAND, page(100), 1, RW), OK, "restores it");
    check(is_large(LAND, page(100)) && touch_writes(LAND, page(100), 1100),
          "it is one page of 2 MiB again");
    check(vmm_protect(LAND, BASE, LARGE_PAGES, PROT_R | PROT_X) == OK && is_large(LAND, BASE) &&
              touch_faults(LAND, TOUCH_WRITE, page(511)),
          "P3: protected as a whole it stays one");
    check(vmm_protect(LAND, BASE, LARGE_PAGES, RW) == OK &&
              touch_writes(LAND, page(100), TOUCH_RET) &&
              touch_faults(LAND, TOUCH_EXECUTE, page(100)),
          "P3: a fetch from rw- of 2 MiB faults");
}

static void test_share(void)
{
    volatile uint64_t *window = (volatile uint64_t *)TARGET;
    check_status(vmm_share(LAND, page(100), 1, SLOT_SELF, TARGET, RW), OK, "shares a part");
    *window = 2100;
    check(touch_reads(LAND, page(100), 2100) && touch_writes(LAND, page(100), 3100) &&
              *window == 3100,
          "C7: both see what the other writes");
    check(vmm_clone(LAND, CLONE_COW, 0, COPY) == OK && touch_writes(COPY, page(100), 4100) &&
              *window == 4100 && touch_writes(COPY, page(101), 4101) &&
              touch_reads(LAND, page(101), 1101),
          "C7: in a clone the part stays shared, its neighbours part");
    check(ipc_drop(COPY) == OK && vmm_unmap(SLOT_SELF, TARGET, 1) == OK &&
              neighbours_are_intact(LAND),
          "its neighbours are intact");
}

// C9: the clone has an account of its own, so that it shows what a write takes.
static void test_clone(uint64_t levels)
{
    check_status(vmm_clone(LAND, CLONE_COW, 64, COPY), OK, "C9: clones a space with 2 MiB in one");
    uint64_t charged = stats_of(COPY).charged;
    check(touch_writes(COPY, page(100), 5100) && stats_of(COPY).charged == charged + levels,
          "C9: a write copies a page of 4 KiB and the tables to it");
    check(touch_reads(LAND, page(100), 1100) && is_large(LAND, BASE),
          "C9: the original has its 2 MiB in one");
    check(neighbours_are_intact(COPY) && touch_reads(COPY, page(100), 5100) &&
              touch_reads(COPY, page(100) + 0xff8, 9100),
          "C9: the clone has its own page and shares the others");
    check(touch_writes(LAND, page(99), 6099) && touch_reads(COPY, page(99), 1099),
          "C9: a write to the original is not seen by the clone");
    check(vmm_unmap(LAND, page(511), 1) == OK && touch_reads(COPY, page(511), 1511),
          "C9: what the original unmaps the clone keeps");
    check_status(ipc_drop(LAND), OK, "C3: the original goes");
    check(neighbours_are_intact(COPY) && touch_writes(COPY, page(0), 1), "C3: the clone is intact");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    status_t status = vmm_create(SLOT_SELF, QUOTA, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status != OK)
        return 1;
    const struct vmm_stats empty = stats_of(LAND);
    check(make_large() == OK && is_large(LAND, BASE), "maps a page of 2 MiB");
    test_unmap(empty.charged);
    check(make_large() == OK && is_large(LAND, BASE), "maps another");
    test_protect();
    test_share();
    check(vmm_unmap(LAND, BASE, LARGE_PAGES) == OK && stats_of(LAND).charged == empty.charged,
          "U7: all of it returns");
    check(make_large() == OK && is_large(LAND, BASE), "maps a third");
    test_clone(empty.tables); // for the page of touch's code: one of each level
    return 0;
}
