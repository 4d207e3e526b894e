// SPDX-License-Identifier: MIT
// Every access to every protection, as the MMU sees it. A fault tells address, instruction and kind
// (F1).
#include "ipc/init_client.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE };

#define PAGE  0x10000000ul
#define OTHER 0x20000000ul

// What of touch() a protection allows.
static const struct {
    uint32_t prot;
    bool reads, writes, executes;
    const char *name;
} rows[] = {
    {0, false, false, false, "---"},
    {PROT_R, true, false, false, "r--"},
    {PROT_R | PROT_W, true, true, false, "rw-"},
    {PROT_R | PROT_X, true, false, true, "r-x"},
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static void test_row(unsigned i, vaddr_t va)
{
    bool ok = rows[i].reads ? touch_reads(LAND, va, TOUCH_RET) : touch_faults(LAND, TOUCH_READ, va);
    check(ok, "%s: a read %s", rows[i].name, rows[i].reads ? "is allowed" : "faults");
    ok = rows[i].writes ? touch_writes(LAND, va, TOUCH_RET) : touch_faults(LAND, TOUCH_WRITE, va);
    check(ok, "%s: a write %s", rows[i].name, rows[i].writes ? "is allowed" : "faults");
    ok = rows[i].executes ? touch_executes(LAND, va) : touch_faults(LAND, TOUCH_EXECUTE, va);
    check(ok, "%s: a fetch %s", rows[i].name, rows[i].executes ? "is allowed" : "faults");
}

static void test_protect(void)
{
    for (unsigned i = 0; i < N_ROWS; i++) {
        if (check_status(vmm_protect(LAND, PAGE, 1, rows[i].prot), OK, "protects a page"))
            test_row(i, PAGE);
    }
}

static uint32_t error_of(enum touch_kind kind)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = touch(LAND, kind, PAGE, 0, &end);
    return status == OK && end.kind == EXIT_FAULT ? end.error : UINT32_MAX;
}

static void test_contents(void)
{
    status_t status = vmm_protect(LAND, PAGE, 1, PROT_R);
    check(status == OK && error_of(TOUCH_WRITE) == (FAULT_USER | FAULT_WRITE | FAULT_PRESENT) &&
              touch_reads(LAND, PAGE, TOUCH_RET),
          "P1: a refused write says so in its error code, and changes nothing");
    check(error_of(TOUCH_EXECUTE) == (FAULT_USER | FAULT_FETCH | FAULT_PRESENT),
          "P3: a refused fetch says so in its error code");
    status = vmm_protect(LAND, PAGE, 1, 0);
    check(status == OK && touch_faults(LAND, TOUCH_READ, PAGE),
          "P2: --- keeps the page out of reach");
    status = vmm_protect(LAND, PAGE, 1, PROT_R | PROT_W);
    check(status == OK && touch_reads(LAND, PAGE, TOUCH_RET) && touch_writes(LAND, PAGE, 5),
          "P2: raised again it has its contents");
}

static void test_mapped_so(void)
{
    bool ok = true;
    for (unsigned i = 0; i < N_ROWS; i++)
        ok =
            ok && vmm_map(LAND, OTHER + i * PAGE_SIZE, 1, rows[i].prot, i % 2 ? MAP_LAZY : 0) == OK;
    for (unsigned i = 0; i < N_ROWS; i++) {
        vaddr_t va = OTHER + i * PAGE_SIZE;
        ok = ok && (rows[i].reads ? touch_reads(LAND, va, 0) : touch_faults(LAND, TOUCH_READ, va));
        ok = ok && (rows[i].writes || touch_faults(LAND, TOUCH_WRITE, va));
        ok = ok && (rows[i].executes || touch_faults(LAND, TOUCH_EXECUTE, va));
    }
    check(ok, "pages mapped so, at once or lazily, allow the same");
}

static void test_neighbours(void)
{
    status_t status = vmm_protect(LAND, OTHER + 2 * PAGE_SIZE, 1, PROT_R);
    check(status == OK && touch_faults(LAND, TOUCH_WRITE, OTHER + 2 * PAGE_SIZE) &&
              touch_reads(LAND, OTHER + PAGE_SIZE, 0) && touch_faults(LAND, TOUCH_READ, OTHER) &&
              touch_reads(LAND, OTHER + 3 * PAGE_SIZE, 0),
          "protecting one page leaves its neighbours as they are");
    check_status(vmm_protect(LAND, OTHER + 0x100000, 4, PROT_R), OK,
                 "nothing mapped is nothing to protect");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status == OK)
        status = vmm_map(LAND, PAGE, 1, PROT_R | PROT_W, 0);
    check(status == OK && touch_writes(LAND, PAGE, TOUCH_RET), "makes a page of code");
    test_protect();
    test_contents();
    test_mapped_so();
    test_neighbours();
    check_status(ipc_drop(LAND), OK, "drops the space");
    return 0;
}
