// SPDX-License-Identifier: MIT
// Receives one message and answers it.
#include "ipc/init_client.h"

enum { EAR = SLOT_FREE, CALLER, GIFT };

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct message m;
    if (get("ear", EAR) != OK)
        return 1;
    struct result r = ipc_receive(EAR, GIFT, CALLER, &m);
    check(r.status == OK && r.badge == 7 && m.w[0] == 42, "a message with badge 7 says 42");
    m.w[0]++;
    return ipc_reply(CALLER, 0, &m) != OK;
}
