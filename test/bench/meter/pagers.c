// SPDX-License-Identifier: MIT
// Faults that come to this task: as a task's pager, and as that of a window of its space, through the
// VMM. Answered as they are, so that the task faults again, and answered with a page.
#include "ipc/thread.h"
#include "land.h"
#include "rows.h"

enum { SPACE = FREE, EAR, WAY, TASK, FAULT };

#define N     64u
#define PAGES 512u
#define PAGED LAND(32) // there
#define STOCK LAND(34) // here: what is supplied

static char stack[PAGE_SIZE] __attribute__((aligned(16)));

static void touch_all(uint64_t n_pages)
{
    for (uint64_t i = 0; i < n_pages; i++)
        touch(PAGED + i * PAGE_SIZE);
    ipc_exit(0);
}

static status_t start(void)
{
    const struct thread thread = {
        .space = SPACE,
        .entry = touch_all,
        .stack_top = stack + sizeof stack,
        .argument = 2 * N + 1,
        .priority = PRIORITY_DEFAULT,
    };
    status_t status = vmm_clone(SLOT_SELF, CLONE_COW, 0, SPACE);
    if (status == OK)
        status = vmm_endpoint(SLOT_SELF, EAR);
    if (status == OK)
        status = vmm_portal(SLOT_SELF, EAR, 1, SLOT_ALL, WAY);
    if (status == OK)
        status = vmm_set_pager(SPACE, PAGED, PAGES, RW, 0, WAY);
    if (status == OK)
        status = vmm_map(SLOT_SELF, STOCK, PAGES, RW, MAP_4K);
    return status == OK ? thread_start(&thread, TASK) : status;
}

// Answers the fault and waits for the next one.
static status_t answer(void)
{
    struct message m = {{(uint64_t)OK}};
    struct result r = ipc_reply_receive(EAR, 0, 0, FAULT, &m);
    return r.status == OK && r.kind != MESSAGE_EXCEPTION ? E_INVAL : r.status;
}

static status_t supply(unsigned i)
{
    const uint64_t at = i * PAGE_SIZE;
    status_t status = vmm_supply(SLOT_SELF, STOCK + at, 1, FAULT, PAGED + at, RW, 0);
    return status == OK ? answer() : status;
}

// N faults without a page, then N with one, from page `first` on.
static status_t measure(struct row *alone, struct row *with_page, unsigned first)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < N; i++)
        SAMPLE(alone, status = answer());
    for (unsigned i = 0; status == OK && i < N; i++)
        SAMPLE(with_page, status = supply(first + i));
    row_report(alone);
    row_report(with_page);
    return status;
}

static status_t serve(void)
{
    static struct row window = {.name = "pager_window"}, own = {.name = "pager"},
                      window_page = {.name = "pager_window_supply"},
                      own_page = {.name = "pager_supply"};
    const uint64_t last = 2 * N * PAGE_SIZE;
    struct message m;
    status_t status = ipc_receive(EAR, 0, FAULT, &m).status;
    if (status == OK)
        status = measure(&window, &window_page, 0);
    if (status == OK)
        status = vmm_task_pager(TASK, WAY);
    if (status == OK)
        status = answer(); // what waits came through the VMM
    if (status == OK)
        status = measure(&own, &own_page, N);
    if (status == OK)
        status = vmm_supply(SLOT_SELF, STOCK + last, 1, FAULT, PAGED + last, RW, 0);
    return status == OK ? ipc_reply(FAULT, 0, &(struct message){{(uint64_t)OK}}) : status;
}

static status_t end(void)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = thread_end(TASK, &end);
    for (slot_t slot = SPACE; status == OK && slot <= WAY; slot++)
        status = ipc_drop(slot);
    if (status == OK)
        status = vmm_unmap(SLOT_SELF, STOCK, PAGES);
    return status == OK && end.kind != EXIT_NORMAL ? E_FAULT : status;
}

status_t pager_rows(void)
{
    status_t status = start();
    if (status == OK)
        status = serve();
    return status == OK ? end() : status;
}
