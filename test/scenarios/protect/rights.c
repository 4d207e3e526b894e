// SPDX-License-Identifier: MIT
// W^X in every request, and rights that never grow: not by protect, not by sharing, not by cloning.
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, OTHER, READER, COPY };

#define PAGE   0x10000000ul
#define LARGE  0x20000000ul // aligned to 2 MiB
#define HUGE   0x40000000ul // aligned to 1 GiB
#define TARGET 0x60000000ul
#define RW     (PROT_R | PROT_W)
#define RX     (PROT_R | PROT_X)
#define RWX    (PROT_R | PROT_W | PROT_X)

static void test_wx(void)
{
    check_status(vmm_map(LAND, PAGE + PAGE_SIZE, 1, RWX, 0), E_WX, "P4: rwx is refused at map");
    check_status(vmm_map(LAND, PAGE + PAGE_SIZE, 1, RWX, MAP_LAZY), E_WX, "P4: lazy too");
    check_status(vmm_map(LAND, LARGE, 512, RWX, MAP_2M), E_WX, "P4: for 2 MiB pages too");
    check_status(vmm_map(LAND, HUGE, 512 * 512, RWX, MAP_1G | MAP_LAZY), E_WX,
                 "P4: for 1 GiB pages too");
    check_status(vmm_protect(LAND, PAGE, 1, RWX), E_WX, "P4: rwx is refused at protect");
    check_status(vmm_share(LAND, PAGE, 1, OTHER, TARGET, RWX), E_WX, "P4: at share");
    check_status(vmm_move(LAND, PAGE, 1, OTHER, TARGET, RWX), E_WX, "P4: at move");
    check_status(vmm_map(LAND, PAGE + PAGE_SIZE, 1, PROT_W, 0), E_INVAL, "there is no -w-");
    check_status(vmm_protect(LAND, PAGE, 1, PROT_X), E_INVAL, "there is no --x");
    check(touch_reads(LAND, PAGE, TOUCH_RET) && touch_writes(LAND, PAGE, TOUCH_RET) &&
              touch_faults(LAND, TOUCH_READ, PAGE + PAGE_SIZE),
          "P4: nothing is changed by that");
    check_status(vmm_protect(LAND, PAGE, 1, RX), OK, "P4: rw- to r-x is allowed");
    check(touch_executes(LAND, PAGE) && touch_faults(LAND, TOUCH_WRITE, PAGE),
          "P4: what was written is executed");
    check_status(vmm_protect(LAND, PAGE, 1, RW), OK, "P4: and back");
}

// Through a capability that may map, but not write or execute.
static void test_capability(void)
{
    const uint32_t rights = RIGHT_READ | RIGHT_MAP | RIGHT_SHARE | RIGHT_QUERY;
    check_status(vmm_derive(LAND, PAGE, 16, rights, READER), OK, "derives a window for reading");
    check_status(vmm_map(READER, PAGE + PAGE_SIZE, 1, RW, 0), E_RIGHT, "P8: it cannot map rw-");
    check_status(vmm_map(READER, PAGE + PAGE_SIZE, 1, RX, 0), E_RIGHT, "P8: nor r-x");
    check_status(vmm_protect(READER, PAGE, 1, RX), E_RIGHT, "P8: nor protect so");
    check_status(vmm_share(READER, PAGE, 1, OTHER, TARGET, RW), E_RIGHT, "P8: nor share so");
    check_status(vmm_map(READER, PAGE + 16 * PAGE_SIZE, 1, PROT_R, 0), E_RIGHT,
                 "M12: nor map beyond its window");
    check_status(vmm_map(READER, PAGE + 15 * PAGE_SIZE, 2, PROT_R, 0), E_RIGHT,
                 "M12: nor across its end");
}

// What was shared for reading stays so, whatever capability asks.
static void test_share(void)
{
    check_status(vmm_share(READER, PAGE, 1, OTHER, TARGET, PROT_R), OK, "P8: it can share r--");
    check_status(vmm_protect(OTHER, TARGET, 1, RW), E_RIGHT, "P8: which is never protected up");
    status_t status = vmm_clone(OTHER, CLONE_COW, 0, COPY);
    check(status == OK && vmm_protect(COPY, TARGET, 1, RW) == E_RIGHT, "P8: nor in a clone");
    check(touch_reads(OTHER, TARGET, TOUCH_RET) && touch_faults(OTHER, TOUCH_WRITE, TARGET),
          "P8: it is read, and not written");
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
        status = touch_prepare(OTHER);
    if (status == OK)
        status = vmm_map(LAND, PAGE, 1, RW, 0);
    if (status != OK || !touch_writes(LAND, PAGE, TOUCH_RET))
        return 1;
    test_wx();
    test_capability();
    test_share();
    return 0;
}
