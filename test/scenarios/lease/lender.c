// SPDX-License-Identifier: MIT
// Lends the capability to its own space for the time of one call.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"

enum { COUNTER = SLOT_FREE };

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct message m = {{0}};
    if (get("counter", COUNTER) != OK)
        return 1;
    check_status(ipc_call_lending(COUNTER, SLOT_SELF, 0, &m).status, OK, "lends and gets a reply");
    struct vmm_stats stats;
    check_status(vmm_stats(SLOT_SELF, &stats), OK, "still has what it lent");
    return 0;
}
