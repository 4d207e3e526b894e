// SPDX-License-Identifier: MIT
// A good server: answers the sum of what it is asked.
#include "ipc/init_client.h"

enum { EAR = SLOT_FREE, CALLER };

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct message m;
    if (get("ear", EAR) != OK)
        return 1;
    struct result result = ipc_receive(EAR, 0, CALLER, &m);
    while (result.status == OK || result.status == E_MORE) {
        if (result.kind == MESSAGE_CALL && result.status == OK) {
            m = (struct message){{m.w[0] + m.w[1]}};
            result = ipc_reply_receive(EAR, 0, 0, CALLER, &m);
        } else {
            result = ipc_receive(EAR, 0, CALLER, &m);
        }
    }
    return 1;
}
