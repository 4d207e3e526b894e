// SPDX-License-Identifier: MIT
// Drives a timer (HPET) and looks at an interrupt controller (I/O APIC) through windows of device
// memory, in its own space and in another one, of which it makes clones (C10, C11).
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { TIMER = SLOT_FREE, INTERRUPTS, LAND, COPY };

#define TIMER_AT      0xfed00000ul
#define INTERRUPTS_AT 0xfec00000ul
#define WINDOW        0x20000000ul
#define OTHER         0x20001000ul // in the same table
#define RW            (PROT_R | PROT_W)

// Registers of the timer, in words of 32 bits.
enum { TIMER_ID = 0, TIMER_PERIOD = 1, TIMER_CONTROL = 4, TIMER_COUNT = 60 };

static uint32_t timer_read(unsigned reg)
{
    return ((volatile uint32_t *)WINDOW)[reg];
}

static bool timer_ticks(void)
{
    ((volatile uint32_t *)WINDOW)[TIMER_CONTROL] = 1;
    uint32_t first = timer_read(TIMER_COUNT);
    for (unsigned i = 0; i < 1000000; i++)
        if (timer_read(TIMER_COUNT) != first)
            return true;
    return false;
}

static void drive(void)
{
    struct vmm_page page = {0};
    check_status(vmm_share(TIMER, TIMER_AT, 1, SLOT_SELF, WINDOW, RW), OK, "shares the timer");
    check(timer_read(TIMER_ID) >> 16 == 0x8086, "its register says whose it is");
    check(timer_read(TIMER_PERIOD) != 0 && timer_read(TIMER_PERIOD) <= 0x05f5e100,
          "and a period that there can be");
    check(timer_ticks(), "it is started by a write, and no read is from a cache");
    check_status(vmm_query(SLOT_SELF, WINDOW, &page), OK, "the window can be asked about");
    check(page.frame == TIMER_AT && page.flags == (PAGE_MAPPED | PAGE_SHARED | PAGE_DEVICE),
          "it is a device's, at its own address");
}

static void look_at_interrupts(void)
{
    volatile uint32_t *regs = (volatile uint32_t *)OTHER;
    check_status(vmm_share(INTERRUPTS, INTERRUPTS_AT, 1, SLOT_SELF, OTHER, RW), E_RIGHT,
                 "a capability that only reads lets nobody write");
    check_status(vmm_share(INTERRUPTS, INTERRUPTS_AT, 1, SLOT_SELF, OTHER, PROT_R), OK,
                 "shares the interrupt controller");
    check(regs[0] <= 0xff && regs[4] != 0xffffffff, "it answers");
    check(touch_faults(SLOT_SELF, TOUCH_WRITE, OTHER), "a write to it faults");
    check_status(vmm_protect(SLOT_SELF, OTHER, 1, RW), E_RIGHT, "and is not to be had later");
}

static void refuse(void)
{
    check_status(vmm_share(TIMER, TIMER_AT + PAGE_SIZE, 1, SLOT_SELF, OTHER + PAGE_SIZE, RW),
                 E_RIGHT, "nothing beside the window can be had");
    check_status(vmm_move(TIMER, TIMER_AT, 1, SLOT_SELF, OTHER + PAGE_SIZE, RW), E_RIGHT,
                 "a device is not moved");
    check_status(vmm_share(TIMER, TIMER_AT, 1, SLOT_SELF, OTHER + PAGE_SIZE, PROT_R | PROT_X),
                 E_RIGHT, "nor executed");
}

static void clone(enum clone_mode mode, const char *name)
{
    check_status(vmm_clone(LAND, mode, 0, COPY), OK, name);
    check(touch_faults(COPY, TOUCH_READ, WINDOW) && touch_reads(COPY, OTHER, 5),
          "the clone has the page and not the device beside it");
    check(touch_reads(LAND, OTHER, 5) && touch_writes(LAND, WINDOW + 0x10, 1),
          "its original has both");
    check_status(ipc_drop(COPY), OK, "drops the clone");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (get("timer", TIMER) != OK || get("interrupts", INTERRUPTS) != OK)
        return 1;
    drive();
    look_at_interrupts();
    refuse();
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status == OK)
        status = vmm_share(TIMER, TIMER_AT, 1, LAND, WINDOW, RW);
    if (status == OK)
        status = vmm_map(LAND, OTHER, 1, RW, 0);
    if (status != OK || !touch_writes(LAND, OTHER, 5))
        return 1;
    clone(CLONE_COPY, "clones it eagerly");
    clone(CLONE_COW, "clones it copy-on-write");
    return 0;
}
