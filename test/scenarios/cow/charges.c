// SPDX-License-Identifier: MIT
// C4: after each write to a space or its clone, each account pays for exactly what it took.
// Original and clone have accounts of their own.
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, COPY };

#define FIELD      0x10000000ul
#define PAGES      4ul
#define LAND_QUOTA 256u
#define COPY_QUOTA 64u

static uint64_t charged(slot_t space)
{
    struct vmm_stats stats = {0};
    return vmm_stats(space, &stats) == OK ? stats.charged : 0;
}

// What a write to each side must cost each side.
struct row {
    slot_t space;
    uint64_t page;
    uint64_t land, copy; // frames
    const char *text;
};

static void test_row(const struct row *row)
{
    uint64_t land = charged(LAND), copy = charged(COPY);
    bool ok = touch_writes(row->space, FIELD + row->page * PAGE_SIZE, row->page);
    uint64_t land_pays = charged(LAND) - land, copy_pays = charged(COPY) - copy;
    if (land_pays != row->land || copy_pays != row->copy)
        log_format("# charges: the original pays %ld, the clone %ld\n", (int64_t)land_pays,
                   (int64_t)copy_pays);
    check(ok && land_pays == row->land && copy_pays == row->copy, "C4: %s", row->text);
}

// `levels` of tables, of which the clone has a root of its own already.
static void test_rows(uint64_t levels)
{
    const struct row rows[] = {
        {COPY, 0, 0, levels, "the clone's first write takes the tables of one path and a page"},
        {COPY, 0, 0, 0, "its second write there takes nothing"},
        {COPY, 1, 0, 1, "a write beside it takes a page"},
        {LAND, 0, 0, 0, "the original is the last holder of its page: it takes nothing"},
        {LAND, 1, 0, 0, "nor for the other"},
        {LAND, 2, 1, 0, "where it is the first to write it takes a page"},
        {COPY, 2, 0, 0, "and the clone nothing"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        test_row(&rows[i]);
}

static bool read_all(slot_t space)
{
    bool ok = true;
    for (uint64_t i = 0; i < PAGES; i++)
        ok = ok && touch_reads(space, FIELD + i * PAGE_SIZE, i);
    return ok;
}

// The number of levels: all tables that one page needs.
static uint64_t make_land(void)
{
    struct vmm_stats stats = {0};
    status_t status = vmm_create(SLOT_SELF, LAND_QUOTA, LAND);
    if (status == OK)
        status = vmm_map(LAND, FIELD, PAGES, PROT_R | PROT_W, 0);
    if (status == OK)
        status = vmm_stats(LAND, &stats);
    if (status == OK)
        status = touch_prepare(LAND);
    bool ok = status == OK;
    for (uint64_t i = 0; i < PAGES; i++)
        ok = ok && touch_writes(LAND, FIELD + i * PAGE_SIZE, i);
    return ok ? stats.tables : 0;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    uint64_t mine = charged(SLOT_SELF), levels = make_land(), land = charged(LAND);
    check(levels == 4 || levels == 5, "one page in an empty space takes a table of each level");
    if (!check_status(vmm_clone(LAND, CLONE_COW, COPY_QUOTA, COPY), OK, "clones with a quota"))
        return 1;
    uint64_t copy = charged(COPY);
    check(read_all(LAND) && read_all(COPY) && charged(COPY) == copy,
          "C4: reading a clone takes nothing");
    test_rows(levels);
    check_status(ipc_drop(COPY), OK, "drops the clone");
    check(charged(LAND) == land, "C4: the original pays what it did before");
    if (ipc_drop(LAND) == OK)
        check(charged(SLOT_SELF) == mine, "C4: so does who made it, when it is gone too");
    return 0;
}
