// SPDX-License-Identifier: MIT
// Yields as often as it is told to.
#include "ipc/init_client.h"

enum { EAR = SLOT_FREE, CALLER };

uint64_t main(uint64_t argument)
{
    struct message m;
    (void)argument;
    if (get("ear", EAR) != OK)
        return 1;
    while (ipc_receive(EAR, 0, CALLER, &m).kind == MESSAGE_CALL) {
        uint64_t n = m.w[0];
        if (ipc_reply(CALLER, 0, &m) != OK)
            break;
        while (n-- > 0)
            ipc_yield();
    }
    return 1;
}
