// SPDX-License-Identifier: MIT
// Pages touched, mapped, protected and unmapped: one, thousands, and against their number.
#include "linux.h"

#define N 256u

static void first_touches(void)
{
    static struct row row = {.name = "touch", .zeroed = 1};
    map_at(REGION, 512, 0);
    touch(REGION);
    for (unsigned i = 1; i <= N; i++)
        SAMPLE(&row, touch(REGION + i * PAGE_BYTES));
    row_report(&row);
    sys_unmap(REGION, 512 * PAGE_BYTES);
}

struct range_rows {
    unsigned long n_pages;
    unsigned n_samples;
    struct row map, protect, allow, unmap;
};

static void measure_range(struct range_rows *rows)
{
    const unsigned long n_bytes = rows->n_pages * PAGE_BYTES;
    for (unsigned i = 0; i < rows->n_samples; i++) {
        SAMPLE(&rows->map, sys_map(BESIDE, n_bytes, AREA | MAP_POPULATE, -1));
        SAMPLE(&rows->protect, sys_protect(BESIDE, n_bytes, PROT_READ));
        SAMPLE(&rows->allow, sys_protect(BESIDE, n_bytes, RW));
        SAMPLE(&rows->unmap, sys_unmap(BESIDE, n_bytes));
    }
    row_report(&rows->map);
    row_report(&rows->protect);
    row_report(&rows->unmap);
}

void page_rows(void)
{
    static struct range_rows one = {.n_pages = 1,
                                    .n_samples = N,
                                    .map = {.name = "map_1", .zeroed = 1},
                                    .protect = {.name = "protect_1"},
                                    .unmap = {.name = "unmap_1"}};
    static struct range_rows many = {
        .n_pages = 4096,
        .n_samples = 9,
        .map = {.name = "map_4096", .per = 4096, .zeroed = 4096},
        .protect = {.name = "protect_4096", .per = 4096},
        .allow = {.name = "allow_4096", .per = 4096},
        .unmap = {.name = "unmap_4096", .per = 4096},
    };
    map_at(ANCHOR, 1, MAP_POPULATE);
    first_touches();
    measure_range(&one);
    measure_range(&many);
    row_report(&many.allow);
}

#define POINT(n)                                                                          \
    {                                                                                     \
        .n_pages = (n), .n_samples = 5, .map = {.name = "series_map_" #n, .zeroed = (n)}, \
        .protect = {.name = "series_protect_" #n}, .unmap = {.name = "series_unmap_" #n}, \
    }

void series_rows(void)
{
    static struct range_rows points[] = {POINT(1), POINT(16), POINT(256), POINT(4096),
                                         POINT(32768)};
    map_at(ANCHOR, 1, MAP_POPULATE);
    for (unsigned i = 0; i < sizeof points / sizeof points[0]; i++)
        measure_range(&points[i]);
}

static void large_touches(void)
{
    enum { PAGES = 16 };
    static struct row row = {.name = "touch_2m", .zeroed = 512};
    write_file("/proc/sys/vm/nr_hugepages", "20");
    need(sys_map(REGION, PAGES * LARGE_BYTES, AREA | MAP_HUGETLB, -1) == REGION, "MAP_HUGETLB");
    for (unsigned i = 0; i < PAGES; i++)
        SAMPLE(&row, touch(REGION + i * LARGE_BYTES));
    row_report(&row);
    sys_unmap(REGION, PAGES * LARGE_BYTES);
    write_file("/proc/sys/vm/nr_hugepages", "0");
}

void large_rows(void)
{
    const unsigned long tebibyte = 1ul << 40;
    run_first();
    map_at(ANCHOR, 1, MAP_POPULATE);
    large_touches();
    need(sys_map(REMOTE, tebibyte, AREA | MAP_NORESERVE, -1) == REMOTE, "mmap");
    sys_unmap(REMOTE, tebibyte);
    MEASURE("lazy_1t", N, {
        sys_map(REMOTE, tebibyte, AREA | MAP_NORESERVE, -1);
        sys_unmap(REMOTE, tebibyte);
    });
}
