// SPDX-License-Identifier: MIT
// Answers every call with a copy of a capability.
#include "ipc/init_client.h"

enum { EAR = SLOT_FREE, CALLER, GIFT };

uint64_t main(uint64_t argument)
{
    struct message m;
    (void)argument;
    if (get("ear", EAR) != OK)
        return 1;
    struct result call = ipc_receive(EAR, GIFT, CALLER, &m);
    while (call.status == OK)
        call = call.kind == MESSAGE_CALL ? ipc_reply_receive(EAR, SLOT_PARENT, GIFT, CALLER, &m)
                                         : ipc_receive(EAR, GIFT, CALLER, &m);
    return 1;
}
