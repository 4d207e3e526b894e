// SPDX-License-Identifier: MIT
// Holds no capability to any space but its own, until a letter brings one. Maps memory in it,
// writes there through a window, tries more than it may, and gives the lease back.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/default/land.h"

enum { COURIER = SLOT_FREE, LEASE, SENDER, NOTHING };

#define WINDOW 0x20000000ul

static void work_on_lease(const struct message *letter)
{
    vaddr_t va = letter->w[LETTER_VA];
    uint64_t pages = letter->w[LETTER_PAGES];
    check_status(vmm_map(LEASE, va, pages, PROT_R | PROT_W, 0), OK, "maps memory in the lease");
    status_t status = vmm_share(LEASE, va, pages, SLOT_SELF, WINDOW, PROT_R | PROT_W);
    if (status == OK) {
        *(volatile uint64_t *)WINDOW = letter->w[LETTER_WORD];
        status = vmm_unmap(SLOT_SELF, WINDOW, pages);
    }
    check_status(status, OK, "writes there through a window of its own");
    status = vmm_map(LEASE, va + LEASE_PAGES * PAGE_SIZE, 1, PROT_R, 0);
    check_status(status, E_RIGHT, "is refused beyond the lease");
    status = vmm_derive(LEASE, va, 1, RIGHT_READ, NOTHING);
    check_status(status, E_RIGHT, "is refused what the lease does not say");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct message m;
    check_status(get("land", LEASE), E_NOENT, "has no capability to the land");
    if (get("courier", COURIER) != OK)
        return 1;
    struct result result = ipc_receive(COURIER, LEASE, SENDER, &m);
    log_text("# keeper: a letter came\n");
    check(result.status == OK && result.badge == BUILDER_BADGE && result.got_cap,
          "gets a letter from the builder with a lease");
    work_on_lease(&m);
    m = (struct message){{(uint64_t)(int64_t)ipc_drop(LEASE)}};
    result = ipc_reply_receive(COURIER, 0, 0, SENDER, &m);
    check(result.kind == MESSAGE_LAST_REFERENCE && result.badge == BUILDER_BADGE,
          "hears that nobody can write to it any more");
    return 0;
}
