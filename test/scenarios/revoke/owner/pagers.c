// SPDX-License-Identifier: MIT
// A server that supplies pages through a capability, while one fault is in its hands.
#include "test/scenarios/revoke/owner/owner.h"

enum { SERVED, WAITING };

static void read(uint64_t i)
{
    for (;;) {
        board->seen[i] = *(volatile uint64_t *)VIEW;
        board->n[i]++;
    }
}

static status_t supply(slot_t grant, slot_t fault)
{
    return vmm_supply(grant, FIELD, 1, fault, VIEW, PROT_R, 0);
}

static bool is_fault(slot_t caller)
{
    struct message m;
    struct result r = ipc_receive(EAR, 0, caller, &m);
    return r.status == OK && r.kind == MESSAGE_EXCEPTION && m.w[2] == VIEW;
}

// Two spaces with the same window. Starts a reader in the first.
static status_t start(void)
{
    status_t status = owner_derive();
    if (status == OK)
        status = helper_clone(SERVED);
    if (status == OK)
        status = vmm_set_pager(SPACE + SERVED, VIEW, 4, RW, 0, DOOR);
    if (status == OK)
        status = vmm_clone(SPACE + SERVED, CLONE_COW, 0, SPACE + WAITING);
    return status == OK ? helper_start(SERVED, read) : status;
}

static void check_end(unsigned i, status_t reason, const char *text)
{
    struct vmm_exit end = {.kind = EXIT_NORMAL};
    status_t status = helper_end(i, &end);
    check(status == OK && end.kind == EXIT_FAULT && end.address == VIEW && end.reason == reason &&
              board->seen[i] != SECRET,
          "%s", text);
}

void try_pagers(void)
{
    struct message m = {{0}};
    volatile uint64_t *mine = (volatile uint64_t *)MINE;
    *mine = WORD;
    check(start() == OK && is_fault(CALLER) && supply(GRANT_2, CALLER) == OK &&
              ipc_reply(CALLER, 0, &m) == OK && helpers_work(1, 100),
          "supplies a page through a capability");
    check(helper_start(WAITING, read) == OK && is_fault(CALLER), "has another fault to serve");
    check_status(vmm_revoke(LAND, GRANT), OK, "which is revoked now");
    *mine = SECRET;
    check_status(supply(GRANT_2, CALLER), E_REVOKED, "nothing is supplied through it any more");
    check_status(supply(GRANT_3, CALLER), E_REVOKED, "nor through what was derived from it");
    m = (struct message){{(uint64_t)(int64_t)E_REVOKED}};
    check_status(ipc_reply(CALLER, 0, &m), OK, "says so");
    check_end(SERVED, E_FAULT, "who read what was supplied faults at its next access");
    check_end(WAITING, E_REVOKED, "who waited is told");
    owner_forget();
}
