// SPDX-License-Identifier: MIT
// Maps, touches and asks at every border that user addresses have.
#include "arch/layout.h"
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, OTHER };

#define RW    (PROT_R | PROT_W)
#define PLACE 0x10000000ul // mapped all the time

static bool has_5_levels(void)
{
    struct vmm_page page;
    return vmm_query(LAND, USER_END_5LEVEL - PAGE_SIZE, &page) == OK;
}

// Above 47 bits: in the first and in the last of the root entries that only 5 levels have.
static const vaddr_t high[] = {
    0x0000800000000000,
    0x0001000000000000,
    0x0055555555555000,
    0x00ffffff00000000,
};

static void test_high(bool is_wide)
{
    for (unsigned i = 0; i < sizeof high / sizeof high[0]; i++) {
        status_t status = vmm_map(LAND, high[i], 1, RW, MAP_LAZY);
        bool ok = status == (is_wide ? OK : E_INVAL);
        if (is_wide)
            ok = ok && touch_writes(LAND, high[i], i) && touch_reads(LAND, high[i], i) &&
                 vmm_unmap(LAND, high[i], 1) == OK && touch_faults(LAND, TOUCH_READ, high[i]);
        check(ok, "M7: 0x%lx is %s", high[i], is_wide ? "the user's" : "refused");
    }
}

// A range with pages on both sides of the 47-bit border, which is nothing special with 5 levels.
static void test_across(bool is_wide)
{
    const vaddr_t va = 0x00007ffffffff000;
    status_t status = vmm_map(LAND, va, 2, RW, MAP_LAZY);
    bool ok = status == (is_wide ? OK : E_INVAL);
    if (is_wide)
        ok = ok && touch_writes(LAND, va, 1) && touch_writes(LAND, va + PAGE_SIZE, 2) &&
             touch_reads(LAND, va, 1) && vmm_unmap(LAND, va, 2) == OK;
    check(ok, "M7, M11: a range across bit 47 is %s", is_wide ? "mapped" : "refused");
}

static void test_end(vaddr_t end)
{
    check_status(vmm_map(LAND, end - PAGE_SIZE, 1, RW, 0), OK, "the last page but one is mapped");
    check(touch_writes(LAND, end - 8, 9) && touch_reads(LAND, end - 8, 9), "and used to its end");
    check_status(vmm_map(LAND, end, 1, RW, 0), E_INVAL, "M7: the last page is refused");
    check_status(vmm_map(LAND, end - 2 * PAGE_SIZE, 3, RW, MAP_REPLACE), E_INVAL,
                 "M7: so is a range that ends with it");
    check_status(vmm_unmap(LAND, end - PAGE_SIZE, 2), E_INVAL, "M7: in unmap too");
    check(touch_reads(LAND, end - 8, 9), "M7: nothing is changed by that");
    check(touch_faults(LAND, TOUCH_READ, end) && touch_faults(LAND, TOUCH_WRITE, end),
          "no access to the last page is allowed");
    struct vmm_exit last = {.kind = EXIT_KILLED};
    status_t status = touch(LAND, TOUCH_READ, end + PAGE_SIZE, 0, &last);
    check(status == OK && last.kind == EXIT_FAULT && last.code == VECTOR_PROTECTION,
          "what follows is not canonical");
    check_status(vmm_unmap(LAND, 0, end / PAGE_SIZE), OK, "U1: all of the user half is unmapped");
}

// Not the user's with any number of levels.
static const struct {
    vaddr_t va;
    const char *name;
} never[] = {
    {0x0100000000000000, "a non-canonical address"},
    {0xfeffffffffffe000, "the last non-canonical page"},
    {PHYSMAP_4LEVEL, "physical memory (4 levels)"},
    {PHYSMAP_5LEVEL, "physical memory (5 levels)"},
    {PROBE_4LEVEL, "the probe (4 levels)"},
    {PROBE_5LEVEL, "the probe (5 levels)"},
    {OBJECT_WINDOW, "the kernel's objects"},
    {KERNEL_BASE, "the kernel"},
    {0xfffffffffffff000, "the very last page"},
};

static bool is_refused(vaddr_t va)
{
    struct vmm_page page;
    return vmm_map(LAND, va, 1, RW, 0) == E_INVAL && vmm_unmap(LAND, va, 1) == E_INVAL &&
           vmm_map(LAND, va, 1, RW, MAP_LAZY | MAP_REPLACE) == E_INVAL &&
           vmm_protect(LAND, va, 1, PROT_R) == E_INVAL && vmm_query(LAND, va, &page) == E_INVAL &&
           vmm_share(LAND, va, 1, OTHER, PLACE, PROT_R) == E_INVAL &&
           vmm_share(LAND, PLACE, 1, OTHER, va, PROT_R) == E_INVAL &&
           vmm_move(LAND, PLACE, 1, OTHER, va, PROT_R) == E_INVAL &&
           vmm_derive(LAND, va, 1, RIGHT_READ, TOUCH_SLOT) == E_INVAL;
}

static void test_never(void)
{
    for (unsigned i = 0; i < sizeof never / sizeof never[0]; i++)
        check(is_refused(never[i].va), "M7: every request refuses %s", never[i].name);
}

static void test_arguments(void)
{
    const uint64_t all = 1ul << 52;
    check(vmm_map(LAND, PLACE + 1, 1, RW, 0) == E_INVAL &&
              vmm_unmap(LAND, PLACE + 8, 1) == E_INVAL &&
              vmm_protect(LAND, PLACE + 0x800, 1, PROT_R) == E_INVAL,
          "M6: unaligned addresses are refused");
    check(vmm_map(LAND, PLACE, 0, RW, 0) == E_INVAL && vmm_unmap(LAND, PLACE, 0) == E_INVAL &&
              vmm_share(LAND, PLACE, 0, OTHER, PLACE, PROT_R) == E_INVAL,
          "M6: so are ranges of no pages");
    check(vmm_map(LAND, PLACE, all - 1, RW, MAP_LAZY | MAP_REPLACE) == E_INVAL &&
              vmm_unmap(LAND, PLACE, all) == E_INVAL &&
              vmm_unmap(LAND, PLACE, UINT64_MAX) == E_INVAL &&
              vmm_protect(LAND, PLACE, all - PLACE / PAGE_SIZE, 0) == E_INVAL,
          "M6: and lengths that wrap");
    check(touch_reads(LAND, PLACE, 42), "M6: nothing is changed by that");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = vmm_create(SLOT_SELF, 0, OTHER);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status == OK)
        status = vmm_map(LAND, PLACE, 1, RW, 0);
    if (status != OK || !touch_writes(LAND, PLACE, 42))
        return 1;
    bool is_wide = has_5_levels();
    log_format("# borders: %u levels of page tables\n", is_wide ? 5 : 4);
    test_high(is_wide);
    test_across(is_wide);
    test_never();
    test_arguments();
    check_status(vmm_unmap(OTHER, PLACE, 1), OK, "U1: nothing was mapped in the other space");
    test_end(is_wide ? USER_END_5LEVEL : USER_END_4LEVEL);
    return 0;
}
