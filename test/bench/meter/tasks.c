// SPDX-License-Identifier: MIT
// Tasks: starting one in a space that is there, what one costs from start to end, and the memory
// that a task in a space of its own takes.
#include "ipc/thread.h"
#include "land.h"
#include "rows.h"

enum { TASK = FREE, SPACES, TASKS = SPACES + 16 };

#define N     64u
#define N_OWN 16u // tasks whose memory is counted

static char stack[PAGE_SIZE] __attribute__((aligned(16)));

static void child(uint64_t argument)
{
    ipc_exit(argument);
}

static const struct thread thread = {
    .space = SLOT_SELF,
    .entry = child,
    .stack_top = stack + sizeof stack,
    .priority = PRIORITY_DEFAULT,
};

static status_t run(void)
{
    struct vmm_exit end;
    status_t status = thread_start(&thread, TASK);
    return status == OK ? thread_end(TASK, &end) : status;
}

static status_t start_and_run(void)
{
    static struct row row = {.name = "spawn"};
    struct vmm_exit end;
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < N; i++) {
        SAMPLE(&row, status = thread_start(&thread, TASK));
        if (status == OK)
            status = thread_end(TASK, &end);
    }
    row_report(&row);
    if (status == OK)
        MEASURE("spawn_exit_wait", N, status |= run());
    return status;
}

// It never runs: its page has no code, and it is gone before the meter waits for anything.
static status_t make_one(unsigned i)
{
    status_t status = vmm_create(SLOT_SELF, 0, SPACES + i);
    if (status == OK)
        status = vmm_map(SPACES + i, LAND(1), 1, RW, 0);
    if (status == OK)
        status = vmm_spawn(SPACES + i, LAND(1), 0, 0, 0, 0, TASKS + i);
    return status;
}

static status_t drop_one(unsigned i)
{
    status_t status = vmm_kill(TASKS + i);
    if (status == OK)
        status = ipc_drop(TASKS + i);
    return status == OK ? ipc_drop(SPACES + i) : status;
}

static status_t memory_of_a_task(void)
{
    struct vmm_stats before = {0}, after = {0}, space = {0};
    status_t status = vmm_stats(SLOT_SELF, &before);
    for (unsigned i = 0; status == OK && i < N_OWN; i++)
        status = make_one(i);
    if (status == OK)
        status = vmm_stats(SLOT_SELF, &after);
    if (status == OK)
        status = vmm_stats(SPACES, &space);
    for (unsigned i = 0; status == OK && i < N_OWN; i++)
        status = drop_one(i);
    if (status != OK)
        return status;
    uint64_t bytes = (before.free - after.free) * PAGE_SIZE / N_OWN;
    row_tell("task_bytes", bytes);
    row_tell("task_own_bytes", bytes - (space.tables + 1) * PAGE_SIZE);
    return OK;
}

status_t task_rows(void)
{
    status_t status = start_and_run();
    return status == OK ? memory_of_a_task() : status;
}
