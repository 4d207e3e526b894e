// SPDX-License-Identifier: MIT
// Sends one message and looks at the answer.
#include "ipc/init_client.h"

enum { EAR = SLOT_FREE };

uint64_t main(uint64_t argument)
{
    (void)argument;
    check(get("ear", EAR) == OK, "init gives the way to the listener");
    struct message m = {{42}};
    struct result r = ipc_call(EAR, 0, 0, &m);
    check(r.status == OK && m.w[0] == 43, "the listener answers 43");
    return 0;
}
