// SPDX-License-Identifier: MIT
#include "kernel/endpoint.h"

#include "kernel/ipc.h"
#include "kernel/portal.h"
#include "kernel/task.h"

struct endpoint *machine_endpoint;

status_t endpoint_create(uint64_t index, struct endpoint **endpoint)
{
    struct object *object;
    status_t status = object_claim(index, OBJECT_ENDPOINT, sizeof(struct endpoint), &object);
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
        if (work == KERNEL_WAKE_MAX)
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

void endpoint_settle(struct endpoint *e)
{
    if (e->standing > STANDING_CROWDED)
        return;
    if (!list_is_empty(&e->receivers) || !list_is_empty(&e->waiters))
        e->standing = STANDING_CROWDED;
    else if (e->is_notified || !list_is_empty(&e->senders) || !list_is_empty(&e->reports))
        e->standing = STANDING_PENDING;
    else
        e->standing = STANDING_IDLE;
}

// The receiver that waits alone, waits in the queue.
static void endpoint_queue_receiver(struct endpoint *e)
{
    if (e->standing > STANDING_CROWDED)
        list_push_back(&e->receivers, &e->receiver->link);
    e->standing = STANDING_CROWDED;
}

void endpoint_add_receiver(struct endpoint *e, struct task *t, bool is_first)
{
    endpoint_settle(e);
    if (e->standing == STANDING_IDLE && !t->special) {
        e->receiver = t;
        return;
    }
    endpoint_queue_receiver(e);
    if (is_first)
        list_push_front(&e->receivers, &t->link);
    else
        list_push_back(&e->receivers, &t->link);
}

struct task *endpoint_take_receiver(struct endpoint *e)
{
    struct task *t = NULL;
    if (e->standing > STANDING_CROWDED)
        t = e->receiver;
    else if (!list_is_empty(&e->receivers))
        t = task_of_link(e->receivers.next);
    if (t)
        endpoint_leave(e, t);
    return t;
}

void endpoint_leave(struct endpoint *e, struct task *t)
{
    if (e->receiver == t)
        e->standing = STANDING_IDLE;
    list_remove(&t->link);
    endpoint_settle(e);
}

void endpoint_add_waiter(struct endpoint *e, struct task *t)
{
    endpoint_queue_receiver(e);
    list_push_back(&e->waiters, &t->link);
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
