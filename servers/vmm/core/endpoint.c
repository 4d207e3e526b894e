// SPDX-License-Identifier: MIT
#include "endpoint.h"

#include "arch/layout.h"
#include "pool.h"
#include "window.h"

struct endpoint {
    uint8_t kind; // RECORD_ENDPOINT
    uint8_t reserved[3];
    uint32_t object;  // its window index
    portal_t portals; // that lead here
};

static struct endpoint *endpoint_of(const struct vmm *vm, record_t id)
{
    return record_at(vm, id, RECORD_ENDPOINT);
}

// The record of the endpoint at a window index; 0 if there is none, or it is the VMM's own.
static record_t endpoint_at(const struct vmm *vm, uint64_t object)
{
    pfn_t pfn = object < OBJECT_WINDOW_INDICES ? object_pfn(vm, (uint32_t)object) : PFN_NONE;
    if (!pfn.n || frame_of(vm, pfn)->level != KERNEL_ENDPOINT)
        return 0;
    return frame_of(vm, pfn)->link;
}

status_t endpoint_create(struct vmm *vm, record_t account)
{
    record_t id;
    status_t status = record_alloc(vm, account, RECORD_ENDPOINT, &id);
    if (status != OK)
        return status;
    struct endpoint *e = endpoint_of(vm, id);
    status = object_create(vm, account, KERNEL_ENDPOINT, id, VMM_SLOT_ANSWER, &e->object);
    if (status != OK)
        record_free(vm, id);
    return status;
}

static void portal_attach(struct vmm *vm, struct endpoint *e, portal_t number)
{
    struct portal *p = portal_of(vm, number);
    p->next = e->portals;
    if (p->next)
        portal_of(vm, p->next)->prev = number;
    e->portals = number;
}

static void portal_detach(struct vmm *vm, struct endpoint *e, portal_t number)
{
    const struct portal *p = portal_of(vm, number);
    if (p->prev)
        portal_of(vm, p->prev)->next = p->next;
    else
        e->portals = p->next;
    if (p->next)
        portal_of(vm, p->next)->prev = p->prev;
}

status_t endpoint_portal(struct vmm *vm, record_t account, uint64_t object, uint64_t badge,
                         uint64_t flags)
{
    record_t id = endpoint_at(vm, object);
    portal_t number;
    if (!id)
        return E_SLOT;
    status_t status = portal_alloc(vm, account, PORTAL_FOREIGN, id, &number);
    if (status != OK)
        return status;
    status = vm->ports->portal_mint(vm->context, number, (uint32_t)object, badge, VMM_SLOT_ANSWER,
                                    flags);
    if (status != OK) {
        portal_free(vm, number);
        return status;
    }
    portal_attach(vm, endpoint_of(vm, id), number);
    return OK;
}

void endpoint_drop(struct vmm *vm, uint64_t object)
{
    record_t id = endpoint_at(vm, object);
    invariant(id);
    struct endpoint *e = endpoint_of(vm, id);
    while (e->portals) {
        portal_t number = e->portals;
        portal_detach(vm, e, number);
        portal_kill(vm, number);
    }
    object_destroy(vm, e->object);
    record_free(vm, id);
}

void endpoint_portal_unused(struct vmm *vm, uint64_t number)
{
    const struct portal *p = portal_find(vm, number, PORTAL_FOREIGN);
    if (!p) {
        portal_unused(vm, (portal_t)number);
        return;
    }
    portal_detach(vm, endpoint_of(vm, p->owner), (portal_t)number);
    portal_free(vm, (portal_t)number);
}
