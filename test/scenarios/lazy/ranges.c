// SPDX-License-Identifier: MIT
// Huge lazy ranges, first touches, and what unmap gives back. What they cost in instructions is
// measured by the scenario `cost`.
#include "ipc/init_client.h"
#include "ipc/rt.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE };

#define TERABYTE (1ul << 40 >> PAGE_SHIFT) // in pages
#define START    0x10000001000ul           // aligned to nothing but a page
#define FAR_PAGE (START + 0x8012345000ul)
#define PLACE    0x30000000ul // in this task's own space
#define HANDFUL  8u
#define N_DIRTY  256u

static struct vmm_stats stats_of(slot_t space)
{
    struct vmm_stats stats = {0};
    return vmm_stats(space, &stats) == OK ? stats : (struct vmm_stats){0};
}

static bool is_lazy(vaddr_t va)
{
    struct vmm_page page = {0};
    return vmm_query(LAND, va, &page) == OK && page.flags == PAGE_LAZY &&
           page.prot == (PROT_R | PROT_W);
}

static bool is_unmapped(slot_t space, vaddr_t va)
{
    struct vmm_page page = {.flags = PAGE_MAPPED};
    return vmm_query(space, va, &page) == OK && page.flags == 0 && page.prot == 0;
}

static void test_map(void)
{
    struct vmm_stats before = stats_of(LAND);
    check_status(vmm_map(LAND, START, TERABYTE, PROT_R | PROT_W, MAP_LAZY), OK,
                 "maps a terabyte lazily");
    struct vmm_stats after = stats_of(LAND);
    log_format("# ranges: a terabyte takes %lu frames\n", after.charged - before.charged);
    check(after.charged - before.charged <= HANDFUL && after.pages == before.pages,
          "it takes a handful of frames for tables and no page");
    check(is_lazy(START) && is_lazy(FAR_PAGE) && is_lazy(START + (TERABYTE - 1) * PAGE_SIZE),
          "all of it is lazy");
    check(is_unmapped(LAND, START - PAGE_SIZE) && is_unmapped(LAND, START + TERABYTE * PAGE_SIZE),
          "what lies before and behind is not mapped");
    check_status(vmm_map(LAND, FAR_PAGE, 1, PROT_R, 0), E_EXISTS, "M3: it is not mapped over");
}

static void test_touch(void)
{
    struct vmm_stats before = stats_of(LAND);
    check(touch_reads(LAND, FAR_PAGE, 0), "the first touch reads zero");
    struct vmm_stats after = stats_of(LAND);
    check(after.pages == before.pages + 1 && after.charged - before.charged <= HANDFUL,
          "it takes one page and the tables to it");
    before = after;
    check(touch_writes(LAND, FAR_PAGE, 77) && touch_reads(LAND, FAR_PAGE, 77) &&
              touch_reads(LAND, FAR_PAGE + 8, 0),
          "the page can be written");
    check(stats_of(LAND).charged == before.charged, "which takes nothing more");
    check(is_lazy(FAR_PAGE - PAGE_SIZE) && is_lazy(FAR_PAGE + PAGE_SIZE),
          "its neighbours are untouched");
    check(touch_writes(LAND, FAR_PAGE + PAGE_SIZE, 78) &&
              stats_of(LAND).charged == before.charged + 1,
          "a touch beside it takes one page");
}

static void test_unmap(uint64_t charged)
{
    check_status(vmm_unmap(LAND, START, TERABYTE), OK, "U1: unmaps the terabyte");
    check(stats_of(LAND).charged == charged && stats_of(LAND).pages == 1,
          "U7: pages and tables have returned");
    check(touch_faults(LAND, TOUCH_READ, FAR_PAGE) && is_unmapped(LAND, FAR_PAGE),
          "U2: what was there faults");
    check_status(vmm_unmap(LAND, START, TERABYTE), OK, "U1: nothing mapped is nothing to unmap");
}

// In this task's own space, with whatever its own accesses left in the TLB.
static void test_reuse(void)
{
    volatile uint64_t *word = (volatile uint64_t *)PLACE;
    status_t status = vmm_map(SLOT_SELF, PLACE, 1, PROT_R | PROT_W, 0);
    *word = 0xa;
    if (status == OK)
        status = vmm_unmap(SLOT_SELF, PLACE, 1);
    if (status == OK)
        status = vmm_map(SLOT_SELF, PLACE, 1, PROT_R | PROT_W, MAP_LAZY);
    check(status == OK && *word == 0, "U3: another page at the same address is read as it is");
    *word = 0xb;
    status = vmm_map(SLOT_SELF, PLACE, 1, PROT_R | PROT_W, MAP_REPLACE);
    check(status == OK && *word == 0, "U3, M4: so is one that replaces it");
    status = vmm_unmap(SLOT_SELF, PLACE, 1);
    struct vmm_exit end = {.kind = EXIT_KILLED};
    if (status == OK)
        status = touch(SLOT_SELF, TOUCH_WRITE, PLACE, 0, &end);
    check(status == OK && end.kind == EXIT_FAULT && end.address == PLACE &&
              end.error == (FAULT_USER | FAULT_WRITE),
          "U2: after unmap a write faults on what is not present");
}

static paddr_t frame_at(vaddr_t va)
{
    struct vmm_page page = {0};
    return vmm_query(SLOT_SELF, va, &page) == OK ? page.frame : 0;
}

// How many of the pages at PLACE have one of the frames; 0 if one of them is not zero.
static unsigned count_reused(const paddr_t *frames)
{
    unsigned reused = 0;
    for (unsigned i = 0; i < N_DIRTY; i++) {
        const volatile uint64_t *words = (const volatile uint64_t *)(PLACE + i * PAGE_SIZE);
        for (unsigned j = 0; j < PAGE_SIZE / sizeof words[0]; j++) {
            if (words[j] != 0)
                return 0;
        }
        paddr_t frame = frame_at(PLACE + i * PAGE_SIZE);
        for (unsigned j = 0; j < N_DIRTY; j++)
            reused += frames[j] == frame;
    }
    return reused;
}

// Frames that were full of something come back as zero, at once and lazily.
static void test_zero(uint32_t flags, const char *how)
{
    static paddr_t frames[N_DIRTY];
    status_t status = vmm_map(SLOT_SELF, PLACE, N_DIRTY, PROT_R | PROT_W, MAP_4K);
    if (status == OK)
        memset((void *)PLACE, 0xee, N_DIRTY * PAGE_SIZE);
    for (unsigned i = 0; i < N_DIRTY; i++)
        frames[i] = frame_at(PLACE + i * PAGE_SIZE);
    if (status == OK)
        status = vmm_unmap(SLOT_SELF, PLACE, N_DIRTY);
    if (status == OK)
        status = vmm_map(SLOT_SELF, PLACE, N_DIRTY, PROT_R | PROT_W, flags);
    unsigned reused = status == OK ? count_reused(frames) : 0;
    log_format("# ranges: %u of %u frames were used before\n", reused, N_DIRTY);
    check(reused > 0, "frames that were in use come back as zero, %s", how);
    check_status(vmm_unmap(SLOT_SELF, PLACE, N_DIRTY), OK, "U1: unmaps them");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    status_t status = vmm_create(SLOT_SELF, 128, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status != OK)
        return 1;
    uint64_t charged = stats_of(LAND).charged;
    test_map();
    test_touch();
    test_unmap(charged);
    test_reuse();
    test_zero(MAP_4K, "at once");
    test_zero(MAP_LAZY, "lazily");
    check_status(vmm_map(LAND, START, TERABYTE, PROT_R, 0), E_QUOTA,
                 "M9: a terabyte at once is refused at once");
    return 0;
}
