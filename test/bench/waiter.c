// SPDX-License-Identifier: MIT
// Runs as soon as it is notified, for its priority is the higher one; tells the next caller when
// that was.
#include "ipc/init_client.h"
#include "test/bench/lib/counter.h"

enum { EAR = SLOT_FREE, CALLER };

uint64_t main(uint64_t argument)
{
    uint64_t word;
    (void)argument;
    if (get("ear", EAR) != OK)
        return 1;
    while (ipc_wait(EAR, &word) == OK) {
        struct message m;
        uint64_t now = counter();
        if (ipc_receive(EAR, 0, CALLER, &m).kind != MESSAGE_CALL)
            break;
        m.w[0] = now;
        if (ipc_reply(CALLER, 0, &m) != OK)
            break;
    }
    return 1;
}
