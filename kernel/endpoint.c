// SPDX-License-Identifier: MIT
#include "kernel/endpoint.h"

#include "kernel/ipc.h"
#include "kernel/portal.h"
#include "kernel/task.h"

struct endpoint *machine_endpoint;

status_t endpoint_create(uint64_t index, struct endpoint **endpoint)
{
    struct object *object;
    status_t status = object_claim(index, OBJECT_ENDPOINT, &object);
    if (status != OK)
        return status;
    struct endpoint *e = container_of(object, struct endpoint, object);
    list_init(&e->senders);
    list_init(&e->receivers);
    list_init(&e->waiters);
    list_init(&e->reports);
    e->refs = 1;
    *endpoint = e;
    return OK;
}

status_t endpoint_destroy(struct endpoint *e)
{
    if (e->refs || e->n_portals || e == machine_endpoint)
        return E_BUSY;
    for (unsigned work = 0; !list_is_empty(&e->senders); work++) {
        if (work == KERNEL_WORK_MAX)
            return E_MORE;
        ipc_cancel(task_of_link(e->senders.next), E_DEAD);
    }
    list_remove(&e->link);
    e->object.kind = OBJECT_NONE;
    return OK;
}

status_t endpoint_hold(struct endpoint *e)
{
    if (e->refs == UINT32_MAX)
        return E_LIMIT;
    e->refs++;
    return OK;
}

void endpoint_release(struct endpoint *e)
{
    if (--e->refs == 0)
        endpoint_report(machine_endpoint, &e->link);
}

void endpoint_report(struct endpoint *e, struct list *link)
{
    list_push_back(&e->reports, link);
    ipc_serve(e);
}

void endpoint_notify(struct endpoint *e, uint64_t badge)
{
    e->word |= badge;
    e->is_notified = true;
    ipc_serve(e);
}
