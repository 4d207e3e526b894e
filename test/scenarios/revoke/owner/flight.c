// SPDX-License-Identifier: MIT
// Capabilities on their way: in calls that wait for their receiver, and lent to one who keeps them.
#include "test/scenarios/revoke/owner/owner.h"

enum { COPIED, LENT, N_SENDERS };
enum { SHOP = SLOT_FREE }; // a helper's slot

static void send(uint64_t i)
{
    struct message m = {{i}};
    struct vmm_page page;
    struct result r = ipc_call(SLOT_PARENT, 0, SHOP, &m);
    if (r.status == OK) {
        while (!board->goes)
            ipc_yield();
        board->n[i]++;
        r = i == LENT ? ipc_call_lending(SLOT_PARENT, SHOP, 0, &m)
                      : ipc_call(SLOT_PARENT, SHOP, 0, &m);
    }
    board->seen[i] = (uint64_t)(int64_t)r.status;
    board->status[i] = vmm_query(SHOP, FIELD, &page);
    ipc_exit(0);
}

// Each has a capability, and calls with it.
static status_t start_senders(void)
{
    struct message m;
    status_t status = owner_derive();
    for (unsigned i = 0; status == OK && i < N_SENDERS; i++) {
        status = helper_clone(i);
        if (status == OK)
            status = helper_start(i, send);
        if (status == OK)
            status = ipc_receive(EAR, 0, CALLER, &m).status;
        if (status == OK)
            status = ipc_reply(CALLER, GRANT_2, &m);
    }
    return status;
}

// Whether no call is there, when those that failed are passed over.
static bool is_quiet(void)
{
    struct result r;
    do {
        struct message m = {{0}};
        r = sys_invoke(sys_header(SYS_REPLY_RECV, EAR, 0, CAME, CALLER, SYS_POLL), &m);
    } while (r.status == E_MORE);
    return r.status == E_BUSY;
}

static void check_sender(unsigned i, status_t answer, const char *text)
{
    struct vmm_exit end;
    status_t status = helper_end(i, &end);
    check(status == OK && (int64_t)board->seen[i] == answer && board->status[i] == E_REVOKED, "%s",
          text);
}

// Both calls wait when it is revoked.
static void queued(void)
{
    check(start_senders() == OK, "two have a capability");
    board->goes = true;
    for (unsigned turn = 0; turn < PATIENCE && !(board->n[COPIED] && board->n[LENT]); turn++)
        ipc_yield();
    ipc_yield(); // into their calls
    check_status(vmm_revoke(LAND, GRANT), OK, "revokes it while two calls with it wait (R4)");
    check(is_quiet(), "neither arrives");
    check_sender(COPIED, E_REVOKED, "who sends it hears why, and has nothing");
    check_sender(LENT, E_REVOKED, "so does who lends it");
    owner_forget();
}

// Calls are received, and then it is revoked: what was lent and what was copied dies in its receiver's
// hands.
static void kept(void)
{
    struct message m = {{0}};
    struct vmm_page page = {0};
    status_t status = start_senders();
    board->goes = true;
    struct result a = ipc_receive(EAR, CAME, CALLER, &m);
    struct result b = ipc_receive(EAR, CAME_2, CALLER_2, &m);
    check(status == OK && a.got_cap && b.got_cap && vmm_query(CAME, FIELD, &page) == OK &&
              vmm_query(CAME_2, FIELD, &page) == OK,
          "receives both, and they work");
    check_status(vmm_revoke(LAND, GRANT), OK, "revokes what they came from");
    check(vmm_query(CAME, FIELD, &page) == E_REVOKED &&
              vmm_query(CAME_2, FIELD, &page) == E_REVOKED,
          "neither works");
    check(ipc_reply(CALLER, 0, &m) == OK && ipc_reply(CALLER_2, 0, &m) == OK, "answers both");
    check_sender(COPIED, OK, "who sent it has nothing");
    check_sender(LENT, OK, "nor has who lent it");
    (void)!ipc_drop(CAME_2);
    owner_forget();
}

void try_flights(void)
{
    queued();
    kept();
}
