// SPDX-License-Identifier: MIT
// A pager. Its pages lie at LAND, one for each of the window. With an argument it ends by its first
// fault.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/lib/touch.h"
#include "test/scenarios/pager/window.h"

enum { FAULTS = SLOT_FREE, CALLER, NEXT_CALLER, NOTHING };

#define LAND 0x30000000ul
#define RW   (PROT_R | PROT_W)

static slot_t caller = CALLER;
static unsigned n_twice;
static bool is_refused = true; // what must be

static status_t supply(unsigned page, uint64_t pages, uint32_t prot, uint32_t flags)
{
    return vmm_supply(SLOT_SELF, LAND + page * PAGE_SIZE, pages, caller, WINDOW + page * PAGE_SIZE,
                      prot, flags);
}

// With as many rights as there may be.
static status_t supply_most(unsigned page, uint32_t flags)
{
    status_t status = supply(page, 1, RW, flags);
    return status == E_RIGHT ? supply(page, 1, PROT_R, flags) : status;
}

// None of these may do anything.
static void supply_too_much(unsigned page)
{
    vaddr_t from = LAND + page * PAGE_SIZE, to = WINDOW + page * PAGE_SIZE;
    is_refused &= vmm_supply(SLOT_SELF, from, 1, caller, to + PAGE_SIZE, RW, 0) == E_RIGHT;
    is_refused &= vmm_supply(SLOT_SELF, from, WINDOW_PAGES, caller, to, RW, 0) == E_FAULT;
    is_refused &= vmm_supply(SLOT_SELF, from, 1, caller, to, PROT_R | PROT_X, 0) == E_RIGHT;
    is_refused &= vmm_supply(SLOT_SELF, from, 1, NOTHING, to, RW, 0) == E_SLOT; // no fault
    is_refused &= ipc_forward(caller, SLOT_SELF, &(struct message){{0}}) == E_INVAL;
}

// Serves a fault; answers what the task is told.
static status_t serve(unsigned page)
{
    switch (page) {
    case PAGE_BOTH:
        return supply(page, 2, RW, SUPPLY_MOVE);
    case PAGE_REFUSE:
        return E_RIGHT;
    case PAGE_TWICE:
        return n_twice++ ? supply(page, 1, RW, 0) : OK;
    case PAGE_READ:
        return supply(page, 1, PROT_R, 0);
    case PAGE_TOO_MUCH:
        supply_too_much(page);
        return supply(page, 1, RW, 0);
    default:
        return supply_most(page, page < PAGE_MOVE ? 0 : SUPPLY_MOVE);
    }
}

// True if the fault is to be answered with m's words. Who is never answered is kept where it is.
static bool handle(struct message *m)
{
    unsigned page = (unsigned)((m->w[2] - WINDOW) / PAGE_SIZE);
    if (page == PAGE_FORGET)
        return ipc_drop(caller) != OK;
    if (page == PAGE_NEVER)
        caller = NEXT_CALLER;
    else
        *m = (struct message){{(uint64_t)(int64_t)serve(page)}};
    return page != PAGE_NEVER;
}

// F1: the message says everything of the fault.
static bool is_fault(const struct result *r, const struct message *m)
{
    return r->kind == MESSAGE_EXCEPTION && r->badge == BADGE && m->w[0] == VECTOR_PAGE &&
           (m->w[1] & ~FAULT_WRITE) == FAULT_USER && m->w[2] >= WINDOW && m->w[2] < WINDOW_END &&
           m->w[3] != 0 && m->w[5] == 0;
}

static bool make_pages(void)
{
    status_t status = vmm_map(SLOT_SELF, LAND, WINDOW_PAGES, RW, 0);
    for (unsigned i = 0; status == OK && i < WINDOW_PAGES; i++)
        *(volatile uint64_t *)(LAND + i * PAGE_SIZE) = PAGE_WORD(i);
    return status == OK && get("faults", FAULTS) == OK;
}

// Until nobody can fault here any more. Answers the number of faults.
static unsigned serve_all(void)
{
    struct message m;
    unsigned n_faults = 0;
    struct result r = ipc_receive(FAULTS, 0, caller, &m);
    for (; r.status == OK && is_fault(&r, &m); n_faults++)
        r = handle(&m) ? ipc_reply_receive(FAULTS, 0, 0, caller, &m)
                       : ipc_receive(FAULTS, 0, caller, &m);
    return r.status == OK && r.kind == MESSAGE_LAST_REFERENCE ? n_faults : 0;
}

uint64_t main(uint64_t is_mortal)
{
    struct message m;
    bool is_ready = make_pages();
    if (!is_mortal) {
        check(is_ready, "has pages to give");
        check(serve_all() > 8, "hears of all faults, and that there can be no more");
        check(is_refused, "supplies nothing but what was asked for");
        return 0;
    }
    struct result r = ipc_receive(FAULTS, 0, CALLER, &m);
    check(is_ready && r.status == OK && is_fault(&r, &m), "has a fault, and dies with it");
    return 0;
}
