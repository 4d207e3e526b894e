// SPDX-License-Identifier: MIT
// Who holds a capability and uses it, without pause, for short requests and for long ones.
#include "test/scenarios/revoke/owner/owner.h"

enum { SHOP = SLOT_FREE, DERIVED }; // a helper's slots

#define SHOP_PAGES 2048ul // of a request that takes several steps
#define PLOT       (FIELD + 16 * PAGE_SIZE)

static status_t use_query(void)
{
    struct vmm_page page;
    return vmm_query(SHOP, FIELD, &page);
}

static status_t use_map(void)
{
    status_t status = vmm_map(SHOP, PLOT, SHOP_PAGES, RW, MAP_4K);
    return status == OK ? vmm_unmap(SHOP, PLOT, SHOP_PAGES) : status;
}

static status_t use_share(void)
{
    status_t status = vmm_share(SHOP, FIELD, 1, SLOT_SELF, VIEW, PROT_R);
    return status == OK ? vmm_unmap(SLOT_SELF, VIEW, 1) : status;
}

static status_t use_derive(void)
{
    status_t status = vmm_derive(SHOP, FIELD, 1, RIGHT_QUERY, DERIVED);
    return status == OK ? ipc_drop(DERIVED) : status;
}

// It may be in the other's hands: moved in by its holder's share.
static status_t use_as_destination(void)
{
    status_t status = vmm_share(SLOT_SELF, BOARD, 1, SHOP, PLOT - PAGE_SIZE, PROT_R);
    return status == OK ? vmm_unmap(SHOP, PLOT - PAGE_SIZE, 1) : status;
}

static const struct {
    const char *name;
    status_t (*use)(void);
} uses[] = {{"asks", use_query},
            {"maps, in many steps", use_map},
            {"shares", use_share},
            {"derives", use_derive},
            {"shares into it", use_as_destination}};
#define N_USES (sizeof uses / sizeof *uses)

static void hold(uint64_t i)
{
    struct message m = {{0}};
    status_t status = ipc_call(SLOT_PARENT, 0, SHOP, &m).status;
    for (; status == OK; status = uses[i].use())
        board->n[i]++;
    board->status[i] = status;
    ipc_exit(0);
}

// Each gets a copy of one of them.
static status_t start_holders(void)
{
    struct message m = {{0}};
    status_t status = owner_derive();
    for (unsigned i = 0; status == OK && i < N_USES; i++) {
        status = helper_clone(i);
        if (status == OK)
            status = helper_start(i, hold);
        if (status == OK)
            status = ipc_receive(EAR, 0, CALLER, &m).status;
        if (status == OK)
            status = ipc_reply(CALLER, GRANT + i % 3, &m);
    }
    return status;
}

// What had been done when REVOKE answered may not be counted yet.
void try_holders(void)
{
    uint64_t n[N_USES];
    struct vmm_exit end;
    check_status(start_holders(), OK, "hands out capabilities");
    check(helpers_work(N_USES, 3), "all of them are used");
    status_t status = vmm_revoke(LAND, GRANT);
    for (unsigned i = 0; i < N_USES; i++)
        n[i] = board->n[i];
    check_status(status, OK, "revokes them while they are");
    for (unsigned i = 0; i < N_USES; i++) {
        status = helper_end(i, &end);
        check(status == OK && board->status[i] == E_REVOKED && board->n[i] <= n[i] + 1,
              "who %s hears E_REVOKED, and nothing more is done", uses[i].name);
    }
    struct vmm_page page = {0};
    check(vmm_query(LAND, FIELD, &page) == OK && vmm_query(GRANT, FIELD, &page) == E_REVOKED &&
              vmm_query(GRANT_3, FIELD, &page) == E_REVOKED,
          "the owner keeps the one that it derived them from");
    (void)!vmm_unmap(LAND, PLOT - PAGE_SIZE, SHOP_PAGES + 1);
    owner_forget();
}
