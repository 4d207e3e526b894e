// SPDX-License-Identifier: MIT
#include "land.h"

#define CHUNK  4096u // pages mapped by one request
#define MARGIN 64u   // frames for the tables of a chunk and more

static uint64_t n_held; // pages at scatter_memory()'s land

__attribute__((noinline)) void settle(void)
{
    volatile char stack[2 * PAGE_SIZE];
    stack[0] = 0;
    stack[PAGE_SIZE] = 0;
}

static status_t hold_memory(vaddr_t land)
{
    struct vmm_stats stats = {0};
    status_t status = vmm_stats(SLOT_SELF, &stats);
    while (status == OK && stats.free > MARGIN) {
        uint64_t n = stats.free - MARGIN < CHUNK ? stats.free - MARGIN : CHUNK;
        status = vmm_map(SLOT_SELF, land + n_held * PAGE_SIZE, n, PROT_R, MAP_4K);
        if (status == OK)
            n_held += n;
        if (status == OK)
            status = vmm_stats(SLOT_SELF, &stats);
    }
    return status;
}

status_t scatter_memory(vaddr_t land, uint64_t n_frames)
{
    status_t status = hold_memory(land);
    if (status == OK && n_held < 2 * n_frames)
        status = E_NOMEM;
    for (uint64_t i = 0; status == OK && i < 2 * n_frames; i += 2)
        status = vmm_unmap(SLOT_SELF, land + i * PAGE_SIZE, 1);
    return status;
}

status_t gather_memory(vaddr_t land)
{
    status_t status = vmm_unmap(SLOT_SELF, land, n_held);
    if (status == OK)
        n_held = 0;
    return status;
}

status_t count_neighbours(vaddr_t va, uint64_t n_pages, uint64_t *neighbours)
{
    struct vmm_page page = {0};
    paddr_t before = 0;
    uint64_t n = 0;
    status_t status = OK;
    for (uint64_t i = 0; status == OK && i < n_pages; i++) {
        status = vmm_query(SLOT_SELF, va + i * PAGE_SIZE, &page);
        if (i > 0 && page.frame == before + PAGE_SIZE)
            n++;
        before = page.frame;
    }
    if (status == OK)
        *neighbours = n;
    return status;
}
