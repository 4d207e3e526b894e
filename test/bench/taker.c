// SPDX-License-Identifier: MIT
// Takes a capability with each call, drops it, and answers how many have come.
#include "ipc/init_client.h"

enum { EAR = SLOT_FREE, CALLER, GIFT };

uint64_t main(uint64_t argument)
{
    struct message m;
    uint64_t n = 0;
    (void)argument;
    if (get("ear", EAR) != OK)
        return 1;
    struct result call = ipc_receive(EAR, GIFT, CALLER, &m);
    while (call.status == OK) {
        if (call.got_cap && ipc_drop(GIFT) == OK)
            n++;
        m.w[0] = n;
        call = call.kind == MESSAGE_CALL ? ipc_reply_receive(EAR, 0, GIFT, CALLER, &m)
                                         : ipc_receive(EAR, GIFT, CALLER, &m);
    }
    return 1;
}
