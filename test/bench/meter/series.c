// SPDX-License-Identifier: MIT
// What requests cost against the number of pages that they are about: the points of a plot. Rows are
// called series_OPERATION_PAGES.
#include "land.h"
#include "rows.h"

enum { SOURCE = FREE, CLONE };

#define N    5u
#define BASE LAND(32)

struct point {
    uint64_t n_pages;
    struct row map, protect, unmap, clone;
};

#define POINT(n)                                                                          \
    {                                                                                     \
        .n_pages = (n), .map = {.name = "series_map_" #n, .zeroed = (n)},                 \
        .protect = {.name = "series_protect_" #n}, .unmap = {.name = "series_unmap_" #n}, \
        .clone = {.name = "series_clone_" #n},                                            \
    }

static struct point points[] = {POINT(1), POINT(16), POINT(256), POINT(4096), POINT(32768)};

static status_t measure(struct point *p)
{
    status_t status;
    SAMPLE(&p->map, status = vmm_map(SOURCE, BASE, p->n_pages, RW, MAP_4K));
    if (status == OK)
        SAMPLE(&p->protect, status = vmm_protect(SOURCE, BASE, p->n_pages, PROT_R));
    if (status == OK)
        SAMPLE(&p->clone, status = vmm_clone(SOURCE, CLONE_COW, 0, CLONE));
    if (status == OK)
        status = ipc_drop(CLONE);
    if (status == OK)
        SAMPLE(&p->unmap, status = vmm_unmap(SOURCE, BASE, p->n_pages));
    return status;
}

static status_t measure_point(struct point *p)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < N; i++)
        status = measure(p);
    if (status != OK)
        return status;
    row_report(&p->map);
    row_report(&p->protect);
    row_report(&p->clone);
    row_report(&p->unmap);
    return OK;
}

status_t series_rows(void)
{
    status_t status = vmm_create(SLOT_SELF, 0, SOURCE);
    if (status == OK)
        status = vmm_map(SOURCE, BASE + (1ul << 30), 1, RW, 0); // the upper tables stay
    for (unsigned i = 0; status == OK && i < sizeof points / sizeof points[0]; i++)
        status = measure_point(&points[i]);
    return status == OK ? ipc_drop(SOURCE) : status;
}
