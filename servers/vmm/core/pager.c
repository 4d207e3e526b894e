// SPDX-License-Identifier: MIT
#include "pager.h"

#include "account.h"
#include "frame.h"
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

// How many more an account may have.
static unsigned pagers_left(struct vmm *vm, record_t account)
{
    const struct account *a = account_of(vm, account);
    if (!a->parent)
        return PAGERS_MAX - a->n_pagers;
    unsigned most = pagers_left(vm, a->parent);
    return most > a->n_pagers ? (most - a->n_pagers + 1) / 2 : 0;
}

static void pager_count(struct vmm *vm, record_t account, int n)
{
    for (; account; account = account_of(vm, account)->parent)
        account_of(vm, account)->n_pagers += (uint16_t)n;
}

static status_t pager_create(struct vmm *vm, struct space *s, portal_t portal, record_t *id)
{
    uint16_t fresh;
    unsigned n_chain = s->pagers ? pager_of(vm, s->pagers)->n_chain : 0;
    if (n_chain == PAGERS_OF_SPACE || !pagers_left(vm, s->account))
        return E_LIMIT;
    status_t status = slot_alloc(vm, &fresh);
    if (status != OK)
        return status;
    status = record_alloc(vm, s->account, RECORD_PAGER, id);
    if (status != OK) {
        slot_free(vm, fresh);
        return status;
    }
    struct pager *p = pager_of(vm, *id);
    p->n_chain = (uint8_t)(n_chain + 1);
    p->slot = keep_received(vm, fresh);
    p->portal = portal;
    p->next = s->pagers;
    p->refs = 1;
    s->pagers = *id;
    pager_count(vm, s->account, 1);
    return OK;
}

// A portal that is known may have been lent the last time: what came now takes its place.
status_t pager_find(struct vmm *vm, record_t space, portal_t portal, record_t *id, bool *is_new)
{
    struct space *s = space_of(vm, space);
    for (record_t at = s->pagers; at; at = pager_of(vm, at)->next) {
        struct pager *p = pager_of(vm, at);
        if (p->portal != portal)
            continue;
        vm->ports->drop(vm->context, p->slot);
        p->slot = keep_received(vm, p->slot);
        *id = at;
        *is_new = false;
        return OK;
    }
    *is_new = true;
    return pager_create(vm, s, portal, id);
}

static void pager_end(struct vmm *vm, record_t id)
{
    uint16_t slot = pager_of(vm, id)->slot;
    vm->ports->drop(vm->context, slot);
    slot_free(vm, slot);
    pager_count(vm, frame_of(vm, (pfn_t){id / RECORDS_PER_FRAME})->account, -1);
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
    return vm->ports->forward(vm->context, vm->state->reply_slot, pager_of(vm, id)->slot);
}
