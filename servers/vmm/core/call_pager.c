// SPDX-License-Identifier: MIT
#include "call.h"
#include "grant.h"
#include "job.h"
#include "link.h"
#include "pager.h"
#include "space.h"
#include "task.h"
#include "transfer.h"
#include "window.h"

status_t serve_set_pager(struct vmm *vm, struct request *c)
{
    uint64_t first, portal = c->carried_value;
    record_t pager;
    bool is_new;
    status_t status = decode_range(vm, c->portal, c->words[1], c->words[2], &first);
    if (status == OK)
        status = decode_prot(c->portal, c->words[3]);
    if (status == OK && c->flags & ~MAP_REPLACE)
        status = E_INVAL;
    if (status == OK && (c->carried != CARRIED_SLOT || !portal))
        status = E_SLOT;
    if (status == OK)
        status =
            pager_find(vm, c->space, badge_portal(c->badge), (portal_t)portal, &pager, &is_new);
    if (status != OK)
        return status;
    struct edit e = make_edit(c, EDIT_MAP, first);
    e.is_lazy = true;
    e.pager = pager;
    return edit_range(vm, c, &e, is_new);
}

status_t serve_task_pager(struct vmm *vm, struct request *c)
{
    const struct task *t = task_of(vm, c->portal->owner);
    bool is_set = c->carried != CARRIED_NONE;
    if (is_set && (c->carried != CARRIED_SLOT || !c->carried_value))
        return E_SLOT;
    if (!t->is_running)
        return E_STATE;
    return vm->ports->task_pager(vm->context, t->object, is_set ? vm->state->receive_slot : 0);
}

// The task in whose fault the call was sent: its reply capability came along.
static status_t decode_fault(const struct vmm *vm, const struct request *c,
                             const struct task **task)
{
    if (c->carried != CARRIED_OBJECT)
        return E_SLOT;
    pfn_t pfn = object_pfn(vm, c->carried_value & ((1u << FAULT_SHIFT) - 1));
    if (!pfn.n || frame_of(vm, pfn)->level != KERNEL_TASK)
        return E_SLOT;
    *task = task_of(vm, frame_of(vm, pfn)->link);
    return OK;
}

// The destination: pages around the fault, with at most the rights of what is paged there.
static status_t decode_place(const struct vmm *vm, const struct request *c, const struct task *task,
                             struct transfer *t)
{
    uint64_t fault = c->carried_value >> FAULT_SHIFT;
    t->to = task->space;
    t->first_to = c->words[3] >> PAGE_SHIFT;
    if (c->words[3] & PAGE_MASK)
        return E_INVAL;
    status_t status = range_check(vm, t->first_to, t->n_pages);
    if (status != OK)
        return status;
    if (fault < t->first_to || fault - t->first_to >= t->n_pages)
        return E_RIGHT;
    struct spot spot = pt_find(vm, space_of(vm, t->to)->root, fault);
    if (!pte_is_paged(spot.pte))
        return E_EXISTS;
    t->pager = pte_pager(spot.pte);
    record_t via = pager_of(vm, t->pager)->via;
    if (!via)
        return E_REVOKED;
    t->to_grant = via_of(vm, via)->grant;
    t->max = pte_max(spot.pte);
    return t->prot & ~pte_prot(spot.pte) ? E_RIGHT : OK;
}

status_t serve_supply(struct vmm *vm, struct request *c)
{
    const struct task *task;
    bool moves = c->flags & SUPPLY_MOVE;
    struct transfer t = {
        .from = c->space, .grant = badge_portal(c->badge), .n_pages = c->words[2], .moves = moves};
    status_t status = decode_range(vm, c->portal, c->words[1], t.n_pages, &t.first);
    if (status == OK && c->flags & ~SUPPLY_MOVE)
        status = E_INVAL;
    if (status == OK && moves && !(c->portal->rights & RIGHT_MAP))
        status = E_RIGHT;
    if (status == OK)
        status = decode_prot(c->portal, c->words[4]);
    if (status == OK)
        status = decode_fault(vm, c, &task);
    if (status != OK)
        return status;
    if (job_help(vm, task->space, false) == E_MORE)
        return call_again(c, 0);
    t.prot = (unsigned)c->words[4];
    status = decode_place(vm, c, task, &t);
    if (status != OK)
        return status;
    t.max &= c->portal->rights;
    if (!moves && !(t.prot & PROT_W))
        t.max &= ~PROT_W; // a read-only share is one for good
    status = transfer_pages(vm, &t);
    return status == E_MORE ? call_again(c, t.token) : status;
}
