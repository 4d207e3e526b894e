// SPDX-License-Identifier: MIT
#include "kernel/portal.h"

#include "kernel/endpoint.h"
#include "kernel/ipc.h"

static struct portals *portals_of(const struct portal *p)
{
    return (struct portals *)((uintptr_t)p & ~PAGE_MASK);
}

status_t portals_create(uint64_t index)
{
    struct object *object;
    return object_claim(index, OBJECT_PORTALS, sizeof(struct portals), &object);
}

status_t portals_destroy(struct portals *p)
{
    if (p->n_used)
        return E_BUSY;
    p->object.kind = OBJECT_NONE;
    return OK;
}

status_t portal_find(uint64_t number, struct portal **portal)
{
    struct object *object;
    status_t status = object_find(number / PORTALS_PER_FRAME, OBJECT_PORTALS, &object);
    if (status != OK)
        return status;
    *portal = &container_of(object, struct portals, object)->place[number % PORTALS_PER_FRAME];
    return OK;
}

uint64_t portal_number(const struct portal *p)
{
    const struct portals *frame = portals_of(p);
    return (uint64_t)frame->object.index * PORTALS_PER_FRAME + (uint64_t)(p - frame->place);
}

bool portal_is_free(const struct portal *p)
{
    return !p->endpoint && !p->refs && !list_is_linked(&p->link);
}

void portal_begin(struct portal *p, struct endpoint *endpoint, uint64_t badge, uint32_t refs)
{
    p->endpoint = endpoint;
    p->badge = badge;
    p->refs = refs;
    endpoint->n_portals++;
    portals_of(p)->n_used++;
}

status_t portal_mint(struct portal *p, struct endpoint *endpoint, uint64_t badge)
{
    if (portal_is_free(p)) {
        portal_begin(p, endpoint, badge, 1);
        return OK;
    }
    return p->endpoint == endpoint && p->badge == badge ? portal_again(p) : E_STATE;
}

status_t portal_again(struct portal *p)
{
    if (!p->endpoint)
        return E_STATE;
    if (!p->refs)
        list_remove(&p->link); // no longer reported
    return portal_hold(p);
}

static void portal_report(struct portal *p, struct endpoint *to, enum message_kind kind)
{
    p->report = (uint16_t)kind;
    endpoint_report(to, &p->link);
}

status_t portal_status(const struct portal *p)
{
    if (!p->endpoint)
        return p->why;
    return p->endpoint->refs ? OK : E_DEAD;
}

// Cuts the portal off its endpoint.
static inline void portal_kill(struct portal *p)
{
    p->why = p->endpoint->refs ? E_REVOKED : E_DEAD;
    p->endpoint->n_portals--;
    p->endpoint = NULL;
}

// Makes a live portal dead.
static inline void portal_end(struct portal *p)
{
    portal_kill(p);
    if (p->refs)
        return;
    list_remove(&p->link);
    portal_report(p, machine_endpoint, MESSAGE_PORTAL_UNUSED);
}

// What one call may do of it: a portal that somebody has dies at a cost of 1.
#define REVOKE_WORK KERNEL_WORK_MAX
#define REPORT_WORK 2u // nobody has it: a report goes into another queue
#define WAKE_WORK   (REVOKE_WORK / KERNEL_WAKE_MAX)

// Wakes who is queued through a dead portal.
static status_t wake_callers(struct portal *p, unsigned *work)
{
    while (p->refs && list_is_linked(&p->link)) {
        if (*work < WAKE_WORK)
            return E_MORE;
        *work -= WAKE_WORK;
        ipc_cancel(container_of(p->link.next, struct task, via_link), p->why);
    }
    return OK;
}

// Revokes the portals that the bits name, as long as there is work to spare.
static status_t revoke_places(struct portal *place, uint64_t bits, unsigned *work)
{
    for (; bits; bits &= bits - 1) {
        struct portal *p = place + __builtin_ctzll(bits);
        if (p->endpoint) {
            unsigned cost = p->refs ? 1 : REPORT_WORK;
            if (*work < cost)
                return E_MORE;
            *work -= cost;
            portal_end(p);
        }
        if (list_is_linked(&p->link) && wake_callers(p, work) != OK)
            return E_MORE;
    }
    return OK;
}

status_t portals_revoke(uint64_t index, uint64_t low, uint64_t high)
{
    struct object *object;
    unsigned work = REVOKE_WORK;
    if (high >> (PORTALS_PER_FRAME - 64))
        return E_INVAL;
    status_t status = object_find(index, OBJECT_PORTALS, &object);
    if (status != OK)
        return status;
    struct portal *place = container_of(object, struct portals, object)->place;
    status = revoke_places(place, low, &work);
    return status == OK ? revoke_places(place + 64, high, &work) : status;
}

status_t portal_hold(struct portal *p)
{
    if (p->refs == UINT32_MAX)
        return E_LIMIT;
    p->refs++;
    return OK;
}

void portal_release(struct portal *p)
{
    if (--p->refs)
        return;
    if (p->endpoint)
        portal_report(p, p->endpoint, MESSAGE_LAST_REFERENCE);
    else
        portal_report(p, machine_endpoint, MESSAGE_PORTAL_UNUSED);
}

void portal_enqueue(struct portal *p, struct task *t)
{
    t->via = p;
    if (!list_is_linked(&p->link))
        list_init(&p->link);
    list_push_back(&p->link, &t->via_link);
}

void portal_dequeue(struct portal *p, struct task *t)
{
    t->via = NULL;
    list_remove(&t->via_link);
    if (list_is_empty(&p->link))
        p->link = (struct list){0};
    portal_release(p);
}

void portal_heard(struct portal *p)
{
    bool by_machine = !p->endpoint || p->endpoint == machine_endpoint;
    if (p->endpoint)
        portal_kill(p);
    if (by_machine)
        portals_of(p)->n_used--;
    else
        portal_report(p, machine_endpoint, MESSAGE_PORTAL_UNUSED);
}
