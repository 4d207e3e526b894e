// SPDX-License-Identifier: MIT
// Beginning and end of a scenario: everything that the manifest names is created, the tasks are
// started, and what is left is dropped.
#include "servers/init/scenario.h"

#include "arch/layout.h"
#include "ipc/vmm_client.h"
#include "servers/init/loader.h"
#include "servers/init/modules.h"
#include "servers/init/slots.h"

static status_t complain(status_t status, const char *kind, const char *name, const char *step)
{
    if (status != OK)
        log_format("init: %s \"%s\": %s: %s, %s\n", kind, name, step, status_name(status),
                   status_text(status));
    return status;
}

static status_t create_spaces(const struct manifest *m)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < m->n_spaces; i++)
        status = complain(vmm_create(SLOT_SELF, m->spaces[i].quota, SLOT_SPACES + i), "space",
                          m->spaces[i].name, "create");
    return status;
}

static status_t create_endpoints(const struct manifest *m)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < m->n_endpoints; i++)
        status = complain(vmm_endpoint(SLOT_SELF, SLOT_ENDPOINTS + i), "endpoint",
                          m->endpoints[i].name, "create");
    return status;
}

// How many pages a space can have: only the VMM knows the depth of the tables.
static uint64_t all_pages(void)
{
    struct vmm_page page;
    bool is_wide = vmm_query(SLOT_SELF, USER_END_5LEVEL - PAGE_SIZE, &page) == OK;
    return (is_wide ? USER_END_5LEVEL : USER_END_4LEVEL) / PAGE_SIZE;
}

// The capability that is given away. A portal keeps all its flags here, or it could not be moved to
// its task: the answer to get() masks them. The right to receive is the endpoint's own slot, a
// task's capability comes when it starts: both exist without being made here.
static status_t make_give(const struct manifest_give *give, slot_t into)
{
    switch (give->kind) {
    case GIVE_SPACE:
        return vmm_derive(SLOT_SPACES + give->object, give->start,
                          give->pages != 0 ? give->pages : all_pages(), (uint32_t)give->rights,
                          into);
    case GIVE_PORTAL:
        return vmm_portal(SLOT_SELF, SLOT_ENDPOINTS + give->object, give->badge, SLOT_ALL, into);
    case GIVE_DEVICES:
        return vmm_derive(SLOT_DEVICES, give->start, give->pages, (uint32_t)give->rights, into);
    case GIVE_ACCOUNT:
        return vmm_derive(SLOT_SELF, 0, all_pages(), (uint32_t)give->rights, into);
    default:
        return OK;
    }
}

static status_t make_gives(const struct manifest *m)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < m->n_gives; i++)
        status =
            complain(make_give(&m->gives[i], SLOT_GIVES + i), "give", m->gives[i].name, "make");
    return status;
}

// The capabilities that the tasks get were derived: init keeps none that would keep a space or an
// endpoint alive behind their back.
static status_t drop_spaces(const struct manifest *m)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < m->n_spaces; i++)
        status = complain(ipc_drop(SLOT_SPACES + i), "space", m->spaces[i].name, "drop");
    return status;
}

static status_t start_program(const struct manifest_task *task, unsigned index,
                              const struct program *program)
{
    const uint32_t flags = SLOT_CALL | SLOT_COPY | SLOT_MOVE; // its threads may report too
    status_t status = vmm_portal(SLOT_SELF, SLOT_SERVICE, index, flags, SLOT_NEW_PORTAL);
    if (status != OK)
        return status;
    status = vmm_spawn(SLOT_NEW_SPACE, program->entry, program->stack, task->argument,
                       (uint32_t)task->priority, SLOT_NEW_PORTAL, SLOT_TASKS + index);
    // The task's own reference must be the only one: its end is the end of the portal.
    status_t dropped = ipc_drop(SLOT_NEW_PORTAL);
    return status != OK ? status : dropped;
}

static status_t start_task(const struct manifest_task *task, unsigned index)
{
    struct program program;
    const struct module_entry *module = module_find(task->elf);
    if (module == NULL)
        return complain(E_NOENT, "module", task->elf, "find it");
    status_t status = vmm_create_limited(SLOT_SELF, task->quota, task->most, SLOT_NEW_SPACE);
    if (status != OK)
        return complain(status, "task", task->name, "create its space");
    status = load_program(module, SLOT_NEW_SPACE, &program);
    if (status != OK)
        return complain(status, "module", task->elf, "load it");
    status = start_program(task, index, &program);
    if (status == OK)
        status = ipc_drop(SLOT_NEW_SPACE);
    return complain(status, "task", task->name, "start");
}

status_t scenario_start(struct scenario *scenario)
{
    const struct manifest *m = &scenario->manifest;
    status_t status = create_spaces(m);
    if (status == OK)
        status = create_endpoints(m);
    if (status == OK)
        status = make_gives(m);
    if (status == OK)
        status = drop_spaces(m);
    for (unsigned i = 0; status == OK && i < m->n_tasks; i++)
        status = start_task(&m->tasks[i], i);
    return status;
}

void scenario_drop(const struct scenario *scenario)
{
    const struct manifest *m = &scenario->manifest;
    for (unsigned i = 0; i < m->n_tasks; i++)
        (void)!ipc_drop(SLOT_TASKS + i);
    for (unsigned i = 0; i < m->n_endpoints; i++)
        (void)!ipc_drop(SLOT_ENDPOINTS + i);
    for (unsigned i = 0; i < m->n_gives; i++)
        (void)!ipc_drop(SLOT_GIVES + i);
}
