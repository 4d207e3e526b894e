// SPDX-License-Identifier: MIT
// Writes to pages that a clone has too.
#include "land.h"
#include "rows.h"

enum { CLONE = FREE };

#define ROUNDS 8u
#define PAGES  512u // a full table
#define NEXT   16u  // samples a round
#define BASE   LAND(32)

static struct row first = {.name = "write_first", .copied = 0};
static struct row next = {.name = "write_next", .copied = 1};
static struct row sole = {.name = "write_sole"};

// The clone's tables are the parent's until the first write, which copies those on its path; the
// next pages under the same table cost their own copy. When the clone is gone, pages not written yet
// are the parent's alone.
static status_t measure_round(void)
{
    status_t status = vmm_clone(SLOT_SELF, CLONE_COW, 0, CLONE);
    settle();
    if (status != OK)
        return status;
    SAMPLE(&first, touch(BASE));
    for (unsigned i = 1; i <= NEXT; i++)
        SAMPLE(&next, touch(BASE + i * PAGE_SIZE));
    status = ipc_drop(CLONE);
    settle();
    for (unsigned i = NEXT + 1; status == OK && i <= 2 * NEXT; i++)
        SAMPLE(&sole, touch(BASE + i * PAGE_SIZE));
    return status;
}

status_t write_rows(void)
{
    status_t status = vmm_map(SLOT_SELF, BASE, PAGES, RW, MAP_4K);
    for (unsigned i = 0; status == OK && i < ROUNDS; i++)
        status = measure_round();
    if (status != OK)
        return status;
    row_report(&first);
    row_report(&next);
    row_report(&sole);
    return vmm_unmap(SLOT_SELF, BASE, PAGES);
}
