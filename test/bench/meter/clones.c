// SPDX-License-Identifier: MIT
// Copy-on-write clones of spaces of several sizes; a clone in which a task runs to its end.
#include "ipc/thread.h"
#include "land.h"
#include "rows.h"

enum { SOURCE = FREE, CLONE, CHILD };

#define N     32u
#define PAGES 4096u

static char stack[PAGE_SIZE] __attribute__((aligned(16)));

static status_t clone_of(uint64_t n_pages, struct row *clone, struct row *drop)
{
    status_t status = vmm_create(SLOT_SELF, 0, SOURCE);
    if (status == OK && n_pages != 0)
        status = vmm_map(SOURCE, LAND(32), n_pages, RW, MAP_4K);
    for (unsigned i = 0; status == OK && i < N; i++) {
        SAMPLE(clone, status = vmm_clone(SOURCE, CLONE_COW, 0, CLONE));
        if (status == OK)
            SAMPLE(drop, status = ipc_drop(CLONE));
    }
    if (status != OK)
        return status;
    row_report(clone);
    row_report(drop);
    return ipc_drop(SOURCE);
}

static void child(uint64_t argument)
{
    ipc_exit(argument);
}

static status_t run_in_clone(void)
{
    const struct thread thread = {
        .space = CLONE,
        .entry = child,
        .stack_top = stack + sizeof stack,
        .argument = 7,
        .priority = PRIORITY_DEFAULT,
    };
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = vmm_clone(SLOT_SELF, CLONE_COW, 0, CLONE);
    if (status == OK)
        status = thread_start(&thread, CHILD);
    if (status == OK)
        status = thread_end(CHILD, &end);
    if (status == OK)
        status = ipc_drop(CLONE);
    return status == OK && end.code != 7 ? E_FAULT : status;
}

// As fork(), _exit() and wait() are: the child has all of its parent's memory, and one page each is
// written by both.
static status_t clone_run_exit_wait(void)
{
    status_t status = vmm_map(SLOT_SELF, LAND(32), PAGES, RW, MAP_4K);
    if (status == OK)
        MEASURE("clone_run_4096", N, status |= run_in_clone());
    return status == OK ? vmm_unmap(SLOT_SELF, LAND(32), PAGES) : status;
}

status_t clone_rows(void)
{
    static struct row clones[] = {
        {.name = "clone_0"}, {.name = "clone_4096"}, {.name = "clone_32768"}};
    static struct row drops[] = {{.name = "drop_0"}, {.name = "drop_4096"}, {.name = "drop_32768"}};
    status_t status = clone_of(0, &clones[0], &drops[0]);
    if (status == OK)
        status = clone_of(4096, &clones[1], &drops[1]);
    if (status == OK)
        status = clone_of(32768, &clones[2], &drops[2]);
    return status == OK ? clone_run_exit_wait() : status;
}
