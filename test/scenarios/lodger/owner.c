// SPDX-License-Identifier: MIT
// owner.c: has land, lends some, and counts what requests cost
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"

enum { LODGER = SLOT_FREE, LAND, FIELD };

#define VA   0x400000ul   // in the land
#define HERE 0x10000000ul // the same page in this task's own space
#define RW   (PROT_R | PROT_W)

static uint64_t counter(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static void measure(uint64_t pages)
{
    status_t status = OK;
    uint64_t start = counter();
    status = vmm_map(LAND, VA + PAGE_SIZE, pages, RW, 0);
    uint64_t mapped = counter();
    status_t unmapped = vmm_unmap(LAND, VA + PAGE_SIZE, pages);
    uint64_t end = counter();
    check(status == OK && unmapped == OK, "maps %lu pages, and unmaps them", pages);
    log_format("# map %lu, unmap %lu\n", mapped - start, end - mapped);
}

uint64_t main(uint64_t argument)
{
    check_status(get("lodger", LODGER), OK, "gets what the manifest gives it");
    check_status(vmm_create(SLOT_SELF, 64, LAND), OK, "creates a space with a quota of 64 frames");
    status_t status = vmm_map(LAND, VA, 1, RW, 0);
    if (status == OK)
        status = vmm_share(LAND, VA, 1, SLOT_SELF, HERE, RW);
    check_status(status, OK, "maps a page there, and sees it here");
    *(volatile uint64_t *)HERE = 42;

    const uint32_t rights = RIGHT_READ | RIGHT_SHARE;
    check_status(vmm_derive(LAND, VA, 1, rights, FIELD), OK, "derives a capability to that page");
    struct message m = {{VA}};
    struct result r = ipc_call_lending(LODGER, FIELD, 0, &m);
    check(r.status == OK && m.w[0] == 42, "the lodger has read it");
    measure(argument);
    return 0;
}
