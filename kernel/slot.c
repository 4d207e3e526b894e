// SPDX-License-Identifier: MIT
#include "kernel/slot.h"

#include "kernel/endpoint.h"
#include "kernel/portal.h"
#include "kernel/task.h"

struct slot *slot_far(struct task *t, slot_t number)
{
    number -= TASK_SLOTS_FIRST;
    if (number / SLOTS_PER_FRAME >= t->n_slot_frames)
        return NULL;
    return &t->slot_frames[number / SLOTS_PER_FRAME]->slot[number % SLOTS_PER_FRAME];
}

struct slot *slot_of_type(struct task *t, slot_t number, enum slot_type type)
{
    struct slot *s = slot_at(t, number);
    return s && s->type == type ? s : NULL;
}

status_t slot_check_empty(struct task *t, slot_t number)
{
    if (!number)
        return OK;
    const struct slot *s = slot_at(t, number);
    if (!s)
        return E_SLOT;
    return s->type == SLOT_EMPTY ? OK : E_OCCUPIED;
}

status_t slot_check_send(const struct slot *from, bool move)
{
    if (!from || from->type == SLOT_EMPTY)
        return E_SLOT;
    if (!(from->flags & (move ? SLOT_MOVE : SLOT_COPY)))
        return E_RIGHT;
    if (from->type == SLOT_PORTAL && !from->portal->endpoint)
        return E_REVOKED;
    return OK;
}

// One reference more to what the slot holds.
static status_t slot_hold(const struct slot *s)
{
    switch (s->type) {
    case SLOT_PORTAL:
        return portal_hold(s->portal);
    case SLOT_ENDPOINT:
        return endpoint_hold(s->endpoint);
    default:
        return OK;
    }
}

// Where the capability is now that the task lent; NULL: it has it back.
static void slot_set_loan(uint32_t lender, struct slot *s)
{
    struct object *object;
    if (object_find(lender, OBJECT_TASK, &object) != OK)
        return;
    struct task *t = container_of(object, struct task, object);
    t->lent = s;
    t->special &= ~SPECIAL_LOAN;
    if (s)
        t->special |= SPECIAL_LOAN;
}

status_t slot_transfer(struct slot *from, struct slot *to, bool move, unsigned mask)
{
    if (!move) {
        status_t status = slot_hold(from);
        if (status != OK)
            return status;
    }
    *to = *from;
    to->flags &= (uint8_t)~mask;
    if (move)
        *from = (struct slot){.type = SLOT_EMPTY};
    if (to->type == SLOT_REPLY)
        to->caller->reply_slot = to;
    if (to->lender)
        slot_set_loan(to->lender, to);
    return OK;
}

status_t slot_lend(struct slot *from, struct slot *to, struct task *lender, unsigned mask)
{
    status_t status = slot_transfer(from, to, false, mask | SLOT_COPY | SLOT_MOVE);
    if (status != OK)
        return status;
    to->lender = lender->object.index;
    slot_set_loan(to->lender, to);
    return OK;
}

void slot_drop(struct slot *s)
{
    struct slot old = *s;
    *s = (struct slot){.type = SLOT_EMPTY};
    if (old.lender)
        slot_set_loan(old.lender, NULL);
    switch (old.type) {
    case SLOT_PORTAL:
        portal_release(old.portal);
        break;
    case SLOT_ENDPOINT:
        endpoint_release(old.endpoint);
        break;
    case SLOT_REPLY:
        task_wake_dead(old.caller);
        break;
    default:
        break;
    }
}
