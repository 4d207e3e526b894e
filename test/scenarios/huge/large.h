// SPDX-License-Identifier: MIT
// What the tasks of this scenario ask about pages.
#pragma once

#include "ipc/vmm_client.h"

#define LARGE_PAGES 512ul
#define LARGE_BYTES (LARGE_PAGES * PAGE_SIZE)
#define HUGE_PAGES  (512ul * LARGE_PAGES)
#define RW          (PROT_R | PROT_W)

static inline struct vmm_page page_at(slot_t space, vaddr_t va)
{
    struct vmm_page page = {0};
    return vmm_query(space, va, &page) == OK ? page : (struct vmm_page){0};
}

static inline bool is_large(slot_t space, vaddr_t va)
{
    return page_at(space, va).flags & PAGE_2M;
}

static inline struct vmm_stats stats_of(slot_t space)
{
    struct vmm_stats stats = {0};
    return vmm_stats(space, &stats) == OK ? stats : (struct vmm_stats){0};
}
