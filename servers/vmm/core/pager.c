// SPDX-License-Identifier: MIT
#include "pager.h"

#include "account.h"
#include "frame.h"
#include "link.h"
#include "pool.h"
#include "slots.h"
#include "space.h"

struct pager *pager_of(const struct vmm *vm, record_t id)
{
    return record_at(vm, id, RECORD_PAGER);
}

// What came with the call stays where it is: another slot takes the next one.
static uint16_t keep_received(struct vmm *vm, uint16_t fresh)
{
    uint16_t kept = vm->state->receive_slot;
    vm->state->receive_slot = fresh;
    return kept;
}

// The records of a new pager: its own, and that of its via.
static status_t pager_alloc(struct vmm *vm, record_t account, portal_t grant, record_t *id)
{
    record_t via;
    status_t status = record_alloc(vm, account, RECORD_PAGER, id);
    if (status != OK)
        return status;
    status = link_reserve(vm, account, 1, &via);
    if (status != OK) {
        record_free(vm, *id);
        return status;
    }
    pager_of(vm, *id)->via = via_add(vm, grant, 0, &via);
    via_of(vm, pager_of(vm, *id)->via)->pager = *id;
    return OK;
}

static status_t pager_create(struct vmm *vm, struct space *s, portal_t grant, portal_t portal,
                             record_t *id)
{
    unsigned n_chain = s->pagers ? pager_of(vm, s->pagers)->n_chain : 0;
    if (n_chain == PAGERS_OF_SPACE)
        return E_LIMIT;
    status_t status = slots_claim(vm, s->account);
    if (status != OK)
        return status;
    status = pager_alloc(vm, s->account, grant, id);
    if (status != OK) {
        slots_unclaim(vm, s->account);
        return status;
    }
    struct pager *p = pager_of(vm, *id);
    p->n_chain = (uint8_t)(n_chain + 1);
    p->slot = keep_received(vm, slot_take(vm));
    p->portal = portal;
    p->next = s->pagers;
    p->refs = 1;
    s->pagers = *id;
    return OK;
}

// A portal that is known may have been lent the last time: what came now takes its place.
status_t pager_find(struct vmm *vm, record_t space, portal_t grant, portal_t portal, record_t *id,
                    bool *is_new)
{
    struct space *s = space_of(vm, space);
    for (record_t at = s->pagers; at; at = pager_of(vm, at)->next) {
        struct pager *p = pager_of(vm, at);
        if (p->portal != portal || !p->via || via_of(vm, p->via)->grant != grant)
            continue;
        vm->ports->drop(vm->context, p->slot);
        p->slot = keep_received(vm, p->slot);
        *id = at;
        *is_new = false;
        return OK;
    }
    *is_new = true;
    return pager_create(vm, s, grant, portal, id);
}

void pager_kill(struct vmm *vm, record_t id)
{
    struct pager *p = pager_of(vm, id);
    vm->ports->drop(vm->context, p->slot);
    slot_free(vm, p->slot);
    slots_unclaim(vm, record_account(vm, id));
    via_of(vm, p->via)->pager = 0;
    via_release(vm, p->via);
    p->via = 0;
}

static void pager_end(struct vmm *vm, record_t id)
{
    if (pager_of(vm, id)->via)
        pager_kill(vm, id);
    record_free(vm, id);
}

void pager_forget(struct vmm *vm, record_t space)
{
    struct space *s = space_of(vm, space);
    record_t id = s->pagers;
    s->pagers = pager_of(vm, id)->next;
    pager_end(vm, id);
}

void pager_hold(struct vmm *vm, record_t id)
{
    if (id)
        pager_of(vm, id)->refs++;
}

void pager_release(struct vmm *vm, record_t id)
{
    while (id && !--pager_of(vm, id)->refs) {
        record_t next = pager_of(vm, id)->next;
        pager_end(vm, id);
        id = next;
    }
}

status_t pager_forward(struct vmm *vm, record_t id)
{
    const struct pager *p = pager_of(vm, id);
    return p->via ? vm->ports->forward(vm->context, vm->state->reply_slot, p->slot) : E_REVOKED;
}
