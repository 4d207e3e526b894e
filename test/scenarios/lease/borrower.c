// SPDX-License-Identifier: MIT
// Uses what it is lent, and tries to keep it beyond the reply.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"

enum { COUNTER = SLOT_FREE, CALLER, LOAN, COPY };

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct message m;
    struct vmm_stats stats;
    if (get("counter", COUNTER) != OK)
        return 1;
    struct result r = ipc_receive(COUNTER, LOAN, CALLER, &m);
    check(r.status == OK && r.got_cap, "is lent a capability");
    check_status(vmm_stats(LOAN, &stats), OK, "may use it");
    check_status(ipc_call(SLOT_PARENT, LOAN, COPY, &m).status, E_RIGHT, "may not pass it on");
    check_status(ipc_reply(CALLER, 0, &m), OK, "replies");
    check_status(vmm_stats(LOAN, &stats), E_SLOT, "has it no longer");
    return 0;
}
