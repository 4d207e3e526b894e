// SPDX-License-Identifier: MIT
// What requests cost when there are many spaces, many capabilities to one, many tasks.
#include "ipc/thread.h"
#include "meter.h"

#define CROWD_MAX       1000u
#define SLOTS_AT_A_TIME 250u // that one request gives

// How one more comes to be. They are kept in the slots from CROWD on.
struct crowd {
    const char *name;
    status_t (*add)(slot_t into);
    status_t (*remove)(slot_t slot);
};

static char stack[PAGE_SIZE] __attribute__((aligned(16)));

static void idle(uint64_t argument)
{
    ipc_exit(argument);
}

static status_t add_space(slot_t into)
{
    return vmm_create(SLOT_SELF, 0, into);
}

static status_t add_grant(slot_t into)
{
    return vmm_derive(LAND, 0, 1, RIGHT_QUERY, into);
}

// Ready for ever: who measures is of higher priority, and never waits for long.
static status_t add_task(slot_t into)
{
    const struct thread thread = {
        .space = SLOT_SELF, .entry = idle, .stack_top = stack + sizeof stack, .priority = 0};
    return thread_start(&thread, into);
}

static status_t remove_task(slot_t slot)
{
    status_t status = vmm_kill(slot);
    return status == OK ? ipc_drop(slot) : status;
}

static status_t count_task(uint64_t *cost)
{
    const struct thread thread = {.space = SLOT_SELF,
                                  .entry = idle,
                                  .stack_top = stack + sizeof stack,
                                  .priority = PRIORITY_DEFAULT};
    struct vmm_exit end;
    status_t status;
    COUNT(cost, {
        status = thread_start(&thread, TASK);
        if (status == OK)
            status = thread_end(TASK, &end);
    });
    return status;
}

struct latency {
    uint64_t query, map, touch, unmap, clone, drop, task;
};

static status_t count_requests(struct latency *least)
{
    struct vmm_page page;
    status_t status;
    COUNT(&least->query, status = vmm_query(LAND, BASE, &page));
    if (status == OK)
        COUNT(&least->map, status = vmm_map(SLOT_SELF, BASE, 1, RW, MAP_LAZY));
    if (status == OK)
        COUNT(&least->touch, *(volatile char *)BASE = 1);
    if (status == OK)
        COUNT(&least->unmap, status = vmm_unmap(SLOT_SELF, BASE, 1));
    if (status == OK)
        COUNT(&least->clone, status = vmm_clone(LAND, CLONE_COW, 0, CLONE));
    if (status == OK)
        COUNT(&least->drop, status = ipc_drop(CLONE));
    return status == OK ? count_task(&least->task) : status;
}

static status_t measure(const char *crowd, uint64_t n)
{
    const uint64_t most = UINT64_MAX;
    struct latency least = {most, most, most, most, most, most, most};
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < TRIES; i++)
        status = count_requests(&least);
    if (status != OK)
        return status;
    const struct {
        const char *request;
        uint64_t cost;
    } told[] = {{"query", least.query}, {"map", least.map},     {"touch", least.touch},
                {"unmap", least.unmap}, {"clone", least.clone}, {"drop", least.drop},
                {"task", least.task}};
    for (unsigned i = 0; i < sizeof told / sizeof told[0]; i++)
        log_format("# cost: %s among %s %lu: %lu\n", told[i].request, crowd, n, told[i].cost);
    return OK;
}

static status_t test_crowd(const struct crowd *crowd)
{
    static const unsigned sizes[] = {1, 100, CROWD_MAX};
    unsigned n = 0;
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < sizeof sizes / sizeof sizes[0]; i++) {
        while (status == OK && n < sizes[i])
            status = crowd->add(CROWD + n++);
        if (status == OK)
            status = measure(crowd->name, sizes[i]);
    }
    while (status == OK && n > 0)
        status = crowd->remove(CROWD + --n);
    return status;
}

void test_crowds(void)
{
    static const struct crowd crowds[] = {
        {"spaces", add_space, ipc_drop},
        {"grants", add_grant, ipc_drop},
        {"tasks", add_task, remove_task},
    };
    status_t status = OK;
    for (unsigned n = 0; status == OK && n < CROWD_MAX; n += SLOTS_AT_A_TIME)
        status = vmm_task_slots(SELF);
    check_status(status, OK, "this task has slots for a crowd");
    status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = vmm_map(LAND, BASE, 1, RW, 0);
    check_status(status, OK, "the requests have a space");
    for (unsigned i = 0; i < sizeof crowds / sizeof crowds[0]; i++)
        check_status(test_crowd(&crowds[i]), OK, crowds[i].name);
    check_status(ipc_drop(LAND), OK, "the space goes");
}
