// SPDX-License-Identifier: MIT
// Pages mapped, touched, unmapped and shared one at a time, and ranges that are one entry.
#include "land.h"
#include "rows.h"

#define N     64u
#define PAGES 512u // of one table

static status_t map_one_by_one(vaddr_t land)
{
    static struct row map = {.name = "map_1", .zeroed = 1}, unmap = {.name = "unmap_1"};
    status_t status = vmm_map(SLOT_SELF, land, 1, RW, 0); // the tables stay
    for (unsigned i = 1; status == OK && i <= N; i++)
        SAMPLE(&map, status = vmm_map(SLOT_SELF, land + i * PAGE_SIZE, 1, RW, 0));
    for (unsigned i = 1; status == OK && i <= N; i++)
        SAMPLE(&unmap, status = vmm_unmap(SLOT_SELF, land + i * PAGE_SIZE, 1));
    if (status != OK)
        return status;
    row_report(&map);
    row_report(&unmap);
    return vmm_unmap(SLOT_SELF, land, 1);
}

static status_t first_touches(vaddr_t land)
{
    static struct row row = {.name = "touch", .zeroed = 1};
    status_t status = vmm_map(SLOT_SELF, land, PAGES, RW, MAP_LAZY);
    if (status != OK)
        return status;
    touch(land);
    for (unsigned i = 1; i <= N; i++)
        SAMPLE(&row, touch(land + i * PAGE_SIZE));
    row_report(&row);
    return vmm_unmap(SLOT_SELF, land, PAGES);
}

static status_t large_pages(vaddr_t land)
{
    static struct row row = {.name = "map_2m", .zeroed = PAGES};
    struct vmm_page page = {0};
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < 9; i++) {
        SAMPLE(&row, {
            status = vmm_map(SLOT_SELF, land, PAGES, RW, MAP_2M);
            touch(land);
        });
        if (status == OK)
            status = vmm_query(SLOT_SELF, land, &page);
        if (status == OK && !(page.flags & PAGE_2M))
            status = E_INVAL;
        if (status == OK)
            status = vmm_unmap(SLOT_SELF, land, PAGES);
    }
    if (status == OK)
        row_report(&row);
    return status;
}

static status_t tebibyte(vaddr_t land)
{
    const uint64_t pages = 1ul << 40 >> PAGE_SHIFT;
    status_t status = OK;
    MEASURE("lazy_1t", N, {
        status |= vmm_map(SLOT_SELF, land, pages, RW, MAP_LAZY);
        status |= vmm_unmap(SLOT_SELF, land, pages);
    });
    return status;
}

static status_t share_one_by_one(vaddr_t land)
{
    enum { OTHER = FREE };
    static struct row row = {.name = "share"};
    status_t status = vmm_create(SLOT_SELF, 0, OTHER);
    if (status == OK)
        status = vmm_map(SLOT_SELF, land, PAGES, RW, MAP_4K);
    if (status == OK)
        status = vmm_share(SLOT_SELF, land, 1, OTHER, land, RW);
    for (unsigned i = 1; status == OK && i <= N; i++) {
        vaddr_t va = land + i * PAGE_SIZE;
        SAMPLE(&row, status = vmm_share(SLOT_SELF, va, 1, OTHER, va, RW));
    }
    if (status != OK)
        return status;
    row_report(&row);
    status = ipc_drop(OTHER);
    return status == OK ? vmm_unmap(SLOT_SELF, land, PAGES) : status;
}

status_t page_rows(void)
{
    status_t status = map_one_by_one(LAND(2));
    if (status == OK)
        status = first_touches(LAND(3));
    if (status == OK)
        status = large_pages(LAND(4));
    if (status == OK)
        status = tebibyte(LAND(6));
    return status == OK ? share_one_by_one(LAND(8)) : status;
}
