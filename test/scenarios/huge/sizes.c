// SPDX-License-Identifier: MIT
// Which size of page a request gets: what it asks for, what the VMM chooses, and what a CPU without
// pages of 1 GiB, or a machine without so much memory, falls back to.
#include "ipc/init_client.h"
#include "test/scenarios/huge/large.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE };

#define PLACE 0x40000000ul   // aligned to 1 GiB
#define HUGE  0x8000000000ul // aligned to 1 GiB, in another table

static bool cpu_has_1g(void)
{
    uint32_t eax = 0x80000001, ebx, ecx, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return edx & 1u << 26;
}

static void test_asked(void)
{
    check_status(vmm_map(LAND, PLACE + PAGE_SIZE, LARGE_PAGES, RW, MAP_2M), E_INVAL,
                 "M6: 2 MiB at an unaligned address are refused");
    check_status(vmm_map(LAND, PLACE, LARGE_PAGES - 1, RW, MAP_2M), E_INVAL,
                 "M6: so is a part of 2 MiB");
    struct vmm_stats before = stats_of(LAND);
    check(vmm_map(LAND, PLACE, LARGE_PAGES, RW, MAP_2M | MAP_LAZY) == OK &&
              stats_of(LAND).pages == before.pages,
          "2 MiB, lazily, take no page");
    check(touch_reads(LAND, PLACE + 5 * PAGE_SIZE, 0) && is_large(LAND, PLACE) &&
              stats_of(LAND).pages == before.pages + LARGE_PAGES,
          "M2: the first touch takes all of them, in one page");
    check(vmm_unmap(LAND, PLACE, LARGE_PAGES) == OK && stats_of(LAND).charged == before.charged,
          "U7: all of it returns");
}

static void test_chosen(void)
{
    struct vmm_stats before = stats_of(LAND);
    check(vmm_map(LAND, PLACE - PAGE_SIZE, LARGE_PAGES + 2, RW, 0) == OK && is_large(LAND, PLACE) &&
              !is_large(LAND, PLACE - PAGE_SIZE) && !is_large(LAND, PLACE + LARGE_BYTES),
          "M2: where size and address allow, a page of 2 MiB is chosen");
    check(touch_writes(LAND, PLACE - 8, 1) && touch_writes(LAND, PLACE, 2) &&
              touch_writes(LAND, PLACE + LARGE_BYTES, 3) && touch_reads(LAND, PLACE - 8, 1) &&
              touch_reads(LAND, PLACE, 2),
          "M11: and used, with what lies before and behind");
    check(vmm_unmap(LAND, PLACE - PAGE_SIZE, LARGE_PAGES + 2) == OK &&
              stats_of(LAND).charged == before.charged,
          "U7: all of it returns");
}

// Whether the page at the address has the largest size that there can be.
static bool is_best(vaddr_t va, bool has_memory)
{
    uint32_t flags = page_at(LAND, va).flags & (PAGE_2M | PAGE_1G);
    return flags == (cpu_has_1g() && has_memory ? PAGE_1G : flags & PAGE_2M);
}

static void test_huge(void)
{
    struct vmm_stats before = stats_of(LAND);
    status_t status = vmm_map(LAND, HUGE, HUGE_PAGES, RW, MAP_1G | MAP_LAZY);
    bool ok = status == OK && touch_writes(LAND, HUGE + 0x12345678, 7);
    bool has_memory = page_at(LAND, HUGE + 0x12345000).flags & PAGE_1G;
    log_format("# sizes: CPU %s 1 GiB pages, memory %s\n", cpu_has_1g() ? "has" : "has no",
               has_memory ? "too" : "or CPU has not");
    check(ok && is_best(HUGE + 0x12345000, has_memory),
          "M2: 1 GiB, lazily, is there with its first touch, in the largest page that can be had");
    check(vmm_unmap(LAND, HUGE + 0x12346000, 1) == OK && touch_reads(LAND, HUGE + 0x12345678, 7) &&
              touch_faults(LAND, TOUCH_READ, HUGE + 0x12346000) &&
              touch_reads(LAND, HUGE + 0x12347000, 0) && touch_reads(LAND, HUGE, 0) &&
              touch_reads(LAND, HUGE + (HUGE_PAGES - 1) * PAGE_SIZE, 0),
          "U5: a page unmapped out of it leaves its neighbours intact");
    check(vmm_unmap(LAND, HUGE, HUGE_PAGES) == OK && stats_of(LAND).charged == before.charged,
          "U7: all of it returns");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    // A quota of its own, so that nobody else's frames show in what it is charged.
    status_t status = vmm_create(SLOT_SELF, HUGE_PAGES + 2 * LARGE_PAGES, LAND);
    if (status == E_QUOTA)
        status = vmm_create(SLOT_SELF, 2 * LARGE_PAGES, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status != OK)
        return 1;
    test_asked();
    test_chosen();
    test_huge();
    return 0;
}
