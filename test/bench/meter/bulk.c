// SPDX-License-Identifier: MIT
// Thousands of 4 KiB pages by one request, on frames that are no neighbours: alone, and when all
// tables are shared with a clone just made.
#include "land.h"
#include "rows.h"

enum { CLONE = FREE };

#define PAGES  4096u
#define N      9u
#define BULK   LAND(32)
#define BESIDE (BULK + PAGES * PAGE_SIZE)

static struct row map = {.name = "map_4096", .per = PAGES, .zeroed = PAGES};
static struct row protect = {.name = "protect_4096", .per = PAGES};
static struct row allow = {.name = "allow_4096", .per = PAGES};
static struct row unmap = {.name = "unmap_4096", .per = PAGES};

static struct row map_under = {.name = "map_4096_clone", .per = PAGES, .zeroed = PAGES};
static struct row protect_under = {.name = "protect_4096_clone", .per = PAGES};
static struct row allow_under = {.name = "allow_4096_clone", .per = PAGES};
static struct row unmap_under = {.name = "unmap_4096_clone", .per = PAGES};

// E_FAULT: there are runs of frames, which might make the rows cheaper than they are.
static status_t check_scattered(void)
{
    uint64_t neighbours = 0;
    status_t status = count_neighbours(BULK, PAGES, &neighbours);
    if (status != OK)
        return status;
    log_format("# meter: of %u pages %lu lie behind the one before\n", PAGES, neighbours);
    return neighbours < PAGES / 100 ? OK : E_FAULT;
}

static status_t measure_once(bool checks)
{
    status_t status;
    SAMPLE(&map, status = vmm_map(SLOT_SELF, BULK, PAGES, RW, MAP_4K));
    if (status == OK && checks)
        status = check_scattered();
    if (status == OK)
        SAMPLE(&protect, status = vmm_protect(SLOT_SELF, BULK, PAGES, PROT_R));
    if (status == OK)
        SAMPLE(&allow, status = vmm_protect(SLOT_SELF, BULK, PAGES, RW));
    if (status == OK)
        SAMPLE(&unmap, status = vmm_unmap(SLOT_SELF, BULK, PAGES));
    return status;
}

status_t bulk_rows(void)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < N; i++)
        status = measure_once(i == 0);
    if (status != OK)
        return status;
    row_report(&map);
    row_report(&protect);
    row_report(&allow);
    row_report(&unmap);
    return OK;
}

// All tables are shared from here on.
static status_t clone_afresh(bool drop)
{
    status_t status = drop ? ipc_drop(CLONE) : OK;
    if (status == OK)
        status = vmm_clone(SLOT_SELF, CLONE_COW, 0, CLONE);
    settle();
    return status;
}

static status_t measure_under_clone(void)
{
    status_t status = clone_afresh(false);
    if (status == OK)
        SAMPLE(&protect_under, status = vmm_protect(SLOT_SELF, BULK, PAGES, PROT_R));
    if (status == OK)
        status = clone_afresh(true);
    if (status == OK)
        SAMPLE(&allow_under, status = vmm_protect(SLOT_SELF, BULK, PAGES, RW));
    if (status == OK)
        status = clone_afresh(true);
    if (status == OK)
        SAMPLE(&map_under, status = vmm_map(SLOT_SELF, BESIDE, PAGES, RW, MAP_4K));
    if (status == OK)
        status = vmm_unmap(SLOT_SELF, BESIDE, PAGES);
    if (status == OK)
        status = clone_afresh(true);
    if (status == OK)
        SAMPLE(&unmap_under, status = vmm_unmap(SLOT_SELF, BULK, PAGES));
    return status == OK ? ipc_drop(CLONE) : status;
}

status_t bulk_clone_rows(void)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < N; i++) {
        status = vmm_map(SLOT_SELF, BULK, PAGES, RW, MAP_4K);
        if (status == OK)
            status = measure_under_clone();
    }
    if (status != OK)
        return status;
    row_report(&map_under);
    row_report(&protect_under);
    row_report(&allow_under);
    row_report(&unmap_under);
    return OK;
}
