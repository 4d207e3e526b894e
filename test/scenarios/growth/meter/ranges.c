// SPDX-License-Identifier: MIT
// Requests about ranges of several sizes, in a space and in a clone that nobody has touched.
#include "meter.h"

struct costs {
    uint64_t map, protect, unmap, clone, drop, clone_unmap;
};

static const struct costs most = {UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                  UINT64_MAX, UINT64_MAX, UINT64_MAX};

static status_t count_range(uint64_t n, struct costs *costs)
{
    status_t status;
    COUNT(&costs->map, status = vmm_map(LAND, BASE, n, RW, MAP_4K));
    if (status == OK)
        COUNT(&costs->protect, status = vmm_protect(LAND, BASE, n, PROT_R));
    if (status == OK)
        COUNT(&costs->unmap, status = vmm_unmap(LAND, BASE, n));
    return status;
}

// Twice a clone of what is mapped: dropped as it is, and emptied first.
static status_t count_clone(struct costs *costs)
{
    status_t status;
    COUNT(&costs->clone, status = vmm_clone(LAND, CLONE_COW, 0, CLONE));
    if (status == OK)
        COUNT(&costs->drop, status = ipc_drop(CLONE));
    if (status == OK)
        status = vmm_clone(LAND, CLONE_COW, 0, CLONE);
    if (status == OK)
        COUNT(&costs->clone_unmap, status = vmm_unmap(CLONE, BASE, RANGE));
    return status == OK ? ipc_drop(CLONE) : status;
}

static status_t measure(uint64_t n)
{
    struct costs costs = most;
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < TRIES; i++)
        status = count_range(n, &costs);
    if (status == OK)
        status = vmm_map(LAND, BASE, n, RW, MAP_4K);
    for (unsigned i = 0; status == OK && i < TRIES; i++)
        status = count_clone(&costs);
    if (status != OK)
        return status;
    tell("map", n, costs.map);
    tell("protect", n, costs.protect);
    tell("unmap", n, costs.unmap);
    tell("clone", n, costs.clone);
    tell("drop of a clone", n, costs.drop);
    tell("unmap in a clone", n, costs.clone_unmap);
    return vmm_unmap(LAND, BASE, n);
}

// Each range begins a table: sizes differ in pages, not in where they lie.
void test_ranges(void)
{
    static const uint64_t sizes[] = {1, 16, 256, 1024, 4096};
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    for (unsigned i = 0; status == OK && i < sizeof sizes / sizeof sizes[0]; i++)
        status = measure(sizes[i]);
    if (status == OK)
        status = ipc_drop(LAND);
    check_status(status, OK, "ranges of several sizes are mapped, protected, cloned, unmapped");
}

// `n` pages of those that are mapped, no two of them neighbours, differ between a space and its clone.
static status_t make_differences(uint64_t mapped, uint64_t n)
{
    status_t status = vmm_map(LAND, BASE, mapped, RW, MAP_4K);
    if (status == OK)
        status = vmm_clone(LAND, CLONE_COW, 0, CLONE);
    for (uint64_t i = 0; status == OK && i < n; i++)
        status = vmm_protect(LAND, BASE + 2 * i * PAGE_SIZE, 1, PROT_R);
    return status;
}

static status_t walk(uint64_t *n)
{
    vaddr_t va = 0;
    uint64_t pages = 0;
    status_t status;
    *n = 0;
    do {
        status = vmm_diff(LAND, CLONE, &va, &pages);
        *n += pages;
        va += pages * PAGE_SIZE;
    } while (status == OK && pages != 0);
    return status;
}

static status_t measure_differences(const char *what, uint64_t mapped, uint64_t n)
{
    uint64_t cost = UINT64_MAX, found = 0;
    status_t status = make_differences(mapped, n);
    for (unsigned i = 0; status == OK && i < TRIES; i++)
        COUNT(&cost, status = walk(&found));
    if (status == OK)
        status = ipc_drop(CLONE);
    if (status == OK)
        status = vmm_unmap(LAND, BASE, mapped);
    if (status == OK)
        tell(what, n, cost);
    return status == OK && found != n ? E_FAULT : status;
}

void test_differences(void)
{
    enum { MUCH = 32768 }; // pages, in 64 tables
    static const uint64_t sizes[] = {256, 1024, 4096};
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    for (unsigned i = 0; status == OK && i < sizeof sizes / sizeof sizes[0]; i++)
        status = measure_differences("diff", 2 * sizes[i], sizes[i]);
    for (unsigned i = 0; status == OK && i < 2; i++)
        status = measure_differences("diff in much", MUCH, sizes[i]);
    if (status == OK)
        status = ipc_drop(LAND);
    check_status(status, OK, "a space and its clone differ in more and more pages");
}
