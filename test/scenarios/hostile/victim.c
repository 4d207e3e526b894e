// SPDX-License-Identifier: MIT
// Trusts a task that it should not trust, and calls it: it must hear at last that no answer comes.
#include "ipc/init_client.h"

enum { DOOR = SLOT_FREE };

#define ROUNDS 2u // of the attacks: one by one, and all at once

uint64_t main(uint64_t argument)
{
    (void)argument;
    unsigned heard = 0;
    if (!check_status(get("door", DOOR), OK, "gets the way to one that holds replies back"))
        return 1;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct message m = {{i}};
        heard += ipc_call(DOOR, 0, 0, &m).status == E_DEAD;
    }
    check(heard == ROUNDS, "hears E_DEAD when the reply is dropped");
    return 0;
}
