// SPDX-License-Identifier: MIT
// Counts what a request costs, from before the system call to behind it; the least of several
// tries, so that neither the timer nor an allocation that must first split a block is counted. Each line:
//
//   # cost: WHAT of SIZE: N
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, SNAP, CLONES };

#define TRIES   16u
#define BASE    0x8000000000ul         // a root entry that holds all sizes
#define CHANGED (BASE + 7 * PAGE_SIZE) // mapped in all of them
#define MIB     (1ul << 20 >> PAGE_SHIFT)
#define GIB     (1ul << 30 >> PAGE_SHIFT)
#define RW      (PROT_R | PROT_W)
#define LARGE   (2 * MIB)

static uint64_t counter(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// The clones stay until all are made: each finds the allocator in another state.
static status_t measure_clone(uint64_t *cost)
{
    status_t status = OK;
    *cost = UINT64_MAX;
    for (unsigned i = 0; status == OK && i < TRIES; i++) {
        uint64_t start = counter();
        status = vmm_clone(LAND, CLONE_COW, 0, CLONES + i);
        *cost = least(*cost, counter() - start);
    }
    for (unsigned i = 0; status == OK && i < TRIES; i++)
        status = ipc_drop(CLONES + i);
    return status;
}

static status_t map_small_pages(uint64_t n_pages)
{
    struct vmm_page page = {0};
    status_t status = n_pages != 0 ? vmm_map(LAND, BASE, n_pages, RW, MAP_4K) : OK;
    if (status == OK)
        status = vmm_query(LAND, BASE, &page);
    return page.flags & (PAGE_2M | PAGE_1G) ? E_INVAL : status;
}

// Of each 2 MiB one page is there: all the tables of `n_pages`, in less memory.
static status_t map_sparse(uint64_t n_pages)
{
    status_t status = OK;
    for (uint64_t done = 0; status == OK && done < n_pages; done += LARGE)
        status = vmm_map(LAND, BASE + (done + 7) * PAGE_SIZE, 1, RW, 0);
    return status;
}

static bool is_there(uint64_t frames)
{
    struct vmm_stats stats = {0};
    return vmm_stats(SLOT_SELF, &stats) == OK && stats.free > frames + frames / 256 + 256;
}

// Steps through all differences from the first page on.
static status_t walk_diff(uint64_t *n_pages)
{
    vaddr_t va = 0;
    uint64_t pages = 0;
    status_t status;
    *n_pages = 0;
    do {
        status = vmm_diff(LAND, SNAP, &va, &pages);
        *n_pages += pages;
        va += pages * PAGE_SIZE;
    } while (status == OK && pages != 0);
    return status;
}

// E_FAULT: diff told something else than that `changed` pages differ.
static status_t measure_diff(uint64_t changed, uint64_t *cost)
{
    status_t status = OK;
    *cost = UINT64_MAX;
    for (unsigned i = 0; status == OK && i < TRIES; i++) {
        uint64_t pages, start = counter();
        status = walk_diff(&pages);
        *cost = least(*cost, counter() - start);
        if (status == OK && pages != changed)
            status = E_FAULT;
    }
    return status;
}

// A page less in the space than in its snapshot, and back.
static status_t measure_change(const char *size)
{
    uint64_t same = 0, changed = 0, start = 0, rollback = 0;
    status_t status = vmm_snapshot(LAND, 0, SNAP);
    if (status == OK)
        status = measure_diff(0, &same);
    if (status == OK)
        status = vmm_unmap(LAND, CHANGED, 1);
    if (status == OK)
        status = measure_diff(1, &changed);
    start = counter();
    if (status == OK)
        status = vmm_rollback(LAND, SNAP);
    rollback = counter() - start;
    if (status == OK)
        status = ipc_drop(SNAP);
    if (status == OK)
        log_format("# cost: diff of nothing in %s: %lu\n# cost: diff of a page in %s: %lu\n", size,
                   same, size, changed);
    if (status == OK)
        log_format("# cost: rollback of a page in %s: %lu\n", size, rollback);
    return status;
}

static void test_space(status_t (*map)(uint64_t), uint64_t n_pages, uint64_t frames,
                       const char *size)
{
    uint64_t cost = 0;
    if (!is_there(frames)) {
        check(true, "space of %s # SKIP there is not so much memory", size);
        return;
    }
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = map(n_pages);
    if (status == OK)
        status = measure_clone(&cost);
    if (status == OK)
        log_format("# cost: clone of %s: %lu\n", size, cost);
    if (status == OK && n_pages != 0)
        status = measure_change(size);
    if (status == OK)
        status = ipc_drop(LAND);
    check_status(status, OK, size);
}

static void test_lazy(uint64_t n_pages, const char *size)
{
    uint64_t map = UINT64_MAX, unmap = UINT64_MAX;
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    for (unsigned i = 0; status == OK && i < TRIES; i++) {
        uint64_t start = counter();
        status = vmm_map(LAND, BASE, n_pages, RW, MAP_LAZY);
        map = least(map, counter() - start);
        start = counter();
        if (status == OK)
            status = vmm_unmap(LAND, BASE, n_pages);
        unmap = least(unmap, counter() - start);
    }
    if (status == OK)
        status = ipc_drop(LAND);
    if (status == OK) {
        log_format("# cost: lazy map of %s: %lu\n", size, map);
        log_format("# cost: lazy unmap of %s: %lu\n", size, unmap);
    }
    check(status == OK, "lazy map and unmap of %s", size);
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    test_space(map_small_pages, 0, 0, "nothing");
    test_space(map_small_pages, MIB, MIB, "1 MiB");
    test_space(map_small_pages, 16 * MIB, 16 * MIB, "16 MiB");
    test_space(map_small_pages, 512 * MIB, 512 * MIB, "512 MiB");
    test_space(map_sparse, 4 * GIB, 4 * GIB / LARGE * 2, "4 GiB, sparse");
    test_lazy(1, "4 KiB");
    test_lazy(GIB, "1 GiB");
    test_lazy(1024 * GIB, "1 TiB");
    test_lazy(64 * 1024 * GIB, "64 TiB");
    return 0;
}
