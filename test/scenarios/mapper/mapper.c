// SPDX-License-Identifier: MIT
// Maps pages of every kind in a space and, for the space and a clone of it, prints what the VMM
// says of it, and lets a task run in it, so that its tables are the ones loaded:
//
//   # space NAME: RIP                      of the task's code, 16 bytes
//   # page VA -> FRAME PROT PAGES FLAGS    in hex but for PROT; a run of pages that are alike
//   # explain VA ACCESS OUTCOME DENIES PROT MAX   what EXPLAIN says of an access, for some of them
//   # level VA ACCESS LEVEL ENTRY PROT            and of each level
//   # ready
//
// A byte on the serial line within a second of "# waiting" makes it stop at each "# ready" until
// another byte comes. Without, it goes on.
#include "ipc/init_client.h"
#include "ipc/thread.h"
#include "test/scenarios/lib/touch.h"

enum { LAND = SLOT_FREE, COPY, RUNNER, CONSOLE, DEVICES, EAR, DOOR };

#define SMALL      0x10000000ul
#define SHARED     0x11000000ul
#define WINDOW     0x20000000ul // in this task's space
#define LAZY       0x12000000ul
#define PAGED      0x13000000ul // by nobody who answers
#define DEVICE     0x11002000ul // beside the shared ones
#define DEVICE_AT  0xfec00000ul
#define LARGE      0x40000000ul // 2 MiB each
#define HUGE       0x80000000ul // aligned to 1 GiB
#define HIGH       0x0055000000000000ul
#define HIGH_4     0x0000550000000000ul // where 4 levels end before that
#define RW         (PROT_R | PROT_W)
#define RX         (PROT_R | PROT_X)
#define L_PAGES    512ul
#define PATIENCE   100u // time slices
#define LEVELS_MAX 5u

static status_t map_small(void)
{
    static const uint32_t prots[] = {RW, PROT_R, RX, 0, RW};
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < 5; i++)
        status = vmm_map(LAND, SMALL + i * PAGE_SIZE, 1, prots[i], 0);
    if (status == OK)
        status = vmm_map(LAND, LAZY, 3, RW, MAP_LAZY);
    if (status == OK && !touch_writes(LAND, LAZY + PAGE_SIZE, 1))
        status = E_FAULT;
    return status;
}

static status_t map_large(void)
{
    status_t status = vmm_map(LAND, LARGE, L_PAGES, RW, MAP_2M);
    if (status == OK)
        status = vmm_map(LAND, LARGE + 2 * L_PAGES * PAGE_SIZE, L_PAGES, RX, MAP_2M);
    if (status == OK)
        status = vmm_map(LAND, LARGE + 4 * L_PAGES * PAGE_SIZE, L_PAGES, RW, MAP_2M);
    if (status == OK) // split
        status = vmm_unmap(LAND, LARGE + (4 * L_PAGES + 100) * PAGE_SIZE, 1);
    // 1 GiB where the machine has it, and what the first touch gets where it has not.
    if (status == OK)
        status = vmm_map(LAND, HUGE, L_PAGES * L_PAGES, RW, MAP_1G | MAP_LAZY);
    if (status == OK && !touch_writes(LAND, HUGE + PAGE_SIZE, 1))
        status = E_FAULT;
    return status;
}

static status_t map_high(void)
{
    status_t status = vmm_map(LAND, HIGH, 2, RW, 0);
    return status == E_INVAL ? vmm_map(LAND, HIGH_4, 2, RW, 0) : status;
}

static status_t map_shared(void)
{
    status_t status = vmm_map(SLOT_SELF, WINDOW, 2, RW, 0);
    if (status == OK)
        status = vmm_share(SLOT_SELF, WINDOW, 1, LAND, SHARED, RW);
    if (status == OK)
        status = vmm_share(SLOT_SELF, WINDOW + PAGE_SIZE, 1, LAND, SHARED + PAGE_SIZE, PROT_R);
    return status;
}

static status_t map_device(void)
{
    status_t status = get("devices", DEVICES);
    return status == OK ? vmm_share(DEVICES, DEVICE_AT, 1, LAND, DEVICE, RW) : status;
}

static status_t map_paged(void)
{
    status_t status = vmm_endpoint(SLOT_SELF, EAR);
    if (status == OK)
        status = vmm_portal(SLOT_SELF, EAR, 0, SLOT_ALL, DOOR);
    return status == OK ? vmm_set_pager(LAND, PAGED, 2, RW, 0, DOOR) : status;
}

// The clone writes to some, so that there are pages that are shared, copied and neither.
static status_t clone_it(void)
{
    status_t status = vmm_clone(LAND, CLONE_COW, 0, COPY);
    if (status == OK && !(touch_writes(COPY, SMALL, 5) && touch_writes(COPY, LARGE, 6)))
        status = E_FAULT;
    return status;
}

static void print_run(const struct vmm_page *run)
{
    if (run->pages != 0)
        log_format("# page %lx -> %lx %c%c%c %lx %x\n", run->start, run->frame,
                   run->prot & PROT_R ? 'r' : '-', run->prot & PROT_W ? 'w' : '-',
                   run->prot & PROT_X ? 'x' : '-', run->pages, run->flags);
}

static bool is_continued(const struct vmm_page *run, const struct vmm_page *page)
{
    uint64_t bytes = run->pages * PAGE_SIZE;
    return run->pages != 0 && page->start == run->start + bytes && page->prot == run->prot &&
           page->flags == run->flags && page->frame == (run->frame == 0 ? 0 : run->frame + bytes);
}

// All of the space, in the order of addresses.
static void print_space(slot_t space)
{
    struct vmm_page run = {0}, page;
    vaddr_t va = 0;
    for (; vmm_query(space, va, &page) == OK; va = page.start + page.pages * PAGE_SIZE) {
        if (page.flags == 0)
            continue;
        if (is_continued(&run, &page)) {
            run.pages += page.pages;
            continue;
        }
        print_run(&run);
        run = page;
    }
    print_run(&run);
}

static void explain(slot_t space, vaddr_t va, uint32_t access)
{
    struct message m;
    if (vmm_explain(space, va, access, 0, &m) != OK)
        return;
    log_format("# explain %lx %u %lu %lu %lx %lx\n", va, access, m.w[1] & 0xff, m.w[1] >> 8, m.w[2],
               m.w[3]);
    for (unsigned level = LEVELS_MAX; level > 0; level--)
        if (vmm_explain(space, va, access, level, &m) == OK)
            log_format("# level %lx %u %u %lx %lx\n", va, access, level, m.w[1], m.w[2]);
}

// The first and the last page of what is mapped apart, and what is before and behind it.
static void explain_space(slot_t space)
{
    struct vmm_page run;
    for (vaddr_t va = 0; vmm_maps(space, va, &run) == OK && run.pages != 0;) {
        va = run.start + run.pages * PAGE_SIZE;
        const vaddr_t at[] = {run.start - PAGE_SIZE, run.start, va - PAGE_SIZE, va};
        for (unsigned i = 0; i < sizeof at / sizeof *at; i++)
            for (uint32_t access = PROT_R; access <= PROT_X; access <<= 1)
                explain(space, at[i], access);
    }
}

static bool has_input(void)
{
    struct message m = {{0}};
    return sys_invoke(sys_header(SYS_CONSOLE_READ, CONSOLE, 0, 0, 0, 0), &m).badge != 0;
}

// Lets the task in the space run until a byte comes, but not for more than `slices`.
static bool wait_for_input(uint64_t slices)
{
    for (; slices > 0; slices--) {
        if (has_input())
            return true;
        ipc_yield();
    }
    return false;
}

static status_t start_runner(slot_t space)
{
    return touch_start(space, TOUCH_AWAIT, SMALL + PAGE_SIZE, 1, RUNNER);
}

static status_t stop_runner(void)
{
    struct vmm_exit end;
    status_t status = vmm_kill(RUNNER);
    return status == OK ? thread_end(RUNNER, &end) : status;
}

static bool is_watched(void)
{
    log_text("# waiting\n");
    if (start_runner(LAND) != OK)
        return false;
    bool is_so = wait_for_input(PATIENCE);
    return stop_runner() == OK && is_so;
}

static void show(slot_t space, const char *name, bool waits)
{
    log_format("# space %s: %lx\n", name, touch_code(TOUCH_AWAIT));
    print_space(space);
    explain_space(space);
    status_t status = start_runner(space);
    log_text("# ready\n");
    wait_for_input(waits ? UINT64_MAX : 1);
    if (status == OK)
        status = stop_runner();
    check_status(status, OK, name);
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    status_t status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = touch_prepare(LAND);
    if (status == OK)
        status = map_small();
    if (status == OK)
        status = map_large();
    check_status(status, OK, "maps small and large pages");
    status = map_high();
    if (status == OK)
        status = map_shared();
    if (status == OK)
        status = map_device();
    if (status == OK)
        status = map_paged();
    check_status(status, OK, "maps high, shared, device and paged ones");
    if (get("console", CONSOLE) != OK)
        return 1;
    bool waits = is_watched();
    show(LAND, "original", waits);
    check_status(clone_it(), OK, "clones the space");
    show(LAND, "cloned", waits);
    show(COPY, "clone", waits);
    return 0;
}
