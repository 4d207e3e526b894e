// SPDX-License-Identifier: MIT
#include "portal.h"

#include "account.h"
#include "arch/layout.h"
#include "window.h"

// The object's frame names the VMM's frame of the portals.
static pfn_t portals_frame(const struct vmm *vm, portal_t number)
{
    pfn_t object = object_pfn(vm, number / PORTALS_IN_FRAME);
    return (pfn_t){frame_of(vm, object)->link};
}

struct portal *portal_of(const struct vmm *vm, portal_t number)
{
    struct portal *places = frame_at(vm, portals_frame(vm, number));
    return &places[number % PORTALS_IN_FRAME];
}

struct portal *portal_find(const struct vmm *vm, uint64_t number, enum portal_kind kind)
{
    if (number > UINT32_MAX)
        return NULL;
    pfn_t object = object_pfn(vm, (uint32_t)number / PORTALS_IN_FRAME);
    if (!object.n || frame_of(vm, object)->level != KERNEL_PORTALS)
        return NULL;
    struct portal *p = portal_of(vm, (portal_t)number);
    return p->kind == kind ? p : NULL;
}

_Static_assert((uint64_t)OBJECT_WINDOW_INDICES *PORTALS_IN_FRAME <=
                   1ull << (BADGE_KIND_SHIFT - BADGE_NUMBER_SHIFT),
               "a portal's number fits a badge");

uint64_t portal_badge(const struct vmm *vm, enum portal_kind kind, portal_t number)
{
    uint64_t address = (uintptr_t)portal_of(vm, number) - vm->offset;
    return (uint64_t)kind << BADGE_KIND_SHIFT | (uint64_t)number << BADGE_NUMBER_SHIFT |
           address / 8;
}

// A frame of portals stays as long as the kernel knows one of them.
at_once struct portal *badge_find(const struct vmm *vm, uint64_t badge)
{
    paddr_t address = (badge & ((1ull << BADGE_NUMBER_SHIFT) - 1)) * 8;
    struct portal *p = (struct portal *)(vm->offset + address);
    return frame_of(vm, frame_number(address))->kind == FRAME_PORTALS &&
                   p->kind == badge_kind(badge)
               ? p
               : NULL;
}

static status_t portals_create(struct vmm *vm, record_t account)
{
    pfn_t pfn;
    uint32_t index;
    status_t status = frame_alloc(vm, account, FRAME_PORTALS, &pfn);
    if (status != OK)
        return status;
    status = object_create(vm, account, KERNEL_PORTALS, pfn.n, 0, &index);
    if (status != OK) {
        frame_free(vm, pfn);
        return status;
    }
    frame_zero(vm, pfn);
    frame_of(vm, pfn)->link = index;
    frame_list(vm, &account_of(vm, account)->portals, pfn);
    return OK;
}

static void portals_destroy(struct vmm *vm, pfn_t pfn)
{
    const struct frame *f = frame_of(vm, pfn);
    frame_unlist(vm, &account_of(vm, f->account)->portals, pfn);
    object_destroy(vm, f->link);
    frame_free(vm, pfn);
}

// A place of the frame that was given back, or the first that was never taken.
static unsigned portal_take(const struct portal *places, struct frame *f)
{
    f->used++;
    if (!f->refs)
        return f->first++;
    unsigned place = f->refs % PORTALS_IN_FRAME;
    f->refs = places[place].next;
    return place;
}

status_t portal_alloc(struct vmm *vm, record_t account, enum portal_kind kind, record_t owner,
                      portal_t *number)
{
    struct account *a = account_of(vm, account);
    if (!a->portals.n) {
        status_t status = portals_create(vm, account);
        if (status != OK)
            return status;
    }
    pfn_t pfn = a->portals;
    struct frame *f = frame_of(vm, pfn);
    struct portal *places = frame_at(vm, pfn);
    unsigned place = portal_take(places, f);
    if (f->used == PORTALS_IN_FRAME)
        frame_unlist(vm, &a->portals, pfn);
    places[place] = (struct portal){.kind = kind, .owner = owner};
    *number = f->link * PORTALS_IN_FRAME + place;
    return OK;
}

void portal_free(struct vmm *vm, portal_t number)
{
    pfn_t pfn = portals_frame(vm, number);
    struct frame *f = frame_of(vm, pfn);
    *portal_of(vm, number) = (struct portal){.next = f->refs};
    f->refs = number;
    if (f->used-- == PORTALS_IN_FRAME)
        frame_list(vm, &account_of(vm, f->account)->portals, pfn);
    if (!f->used)
        portals_destroy(vm, pfn);
}

void portal_set_kill(struct vmm *vm, struct portal_set *set)
{
    if (!set->index)
        return;
    status_t status =
        vm->ports->portals_revoke(vm->context, set->index, set->places[0], set->places[1]);
    invariant(status == OK);
    *set = (struct portal_set){.index = 0};
}

void portal_kill(struct vmm *vm, portal_t number)
{
    struct portal_set set = {.index = 0};
    portal_set_add(vm, &set, number);
    portal_set_kill(vm, &set);
    *portal_of(vm, number) = (struct portal){.kind = PORTAL_DEAD};
}

void portal_unused(struct vmm *vm, portal_t number)
{
    struct portal *p = portal_of(vm, number);
    invariant(p->kind == PORTAL_DEAD || p->kind == PORTAL_DOOMED);
    if (p->kind == PORTAL_DEAD) {
        portal_free(vm, number);
    } else {
        p->kind = PORTAL_GONE;
        p->n_pages = 0; // not in the list of those that were dropped
    }
}

status_t portal_mint(struct vmm *vm, portal_t number, uint32_t slot)
{
    return vm->ports->portal_mint(vm->context, number, VMM_OBJECT_ENDPOINT,
                                  portal_badge(vm, portal_of(vm, number)->kind, number), slot,
                                  SLOT_FLAGS_ALL);
}
