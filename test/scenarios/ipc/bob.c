// SPDX-License-Identifier: MIT
// Another client: it has a badge of its own, and goes before Alice does.
#include "ipc/init_client.h"
#include "test/scenarios/ipc/service.h"

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct message m = {{ECHO}};
    if (get("service", SLOT_FREE) != OK)
        return 1;
    status_t status = ipc_call(SLOT_FREE, 0, 0, &m).status;
    check(status == OK && m.w[0] == BOB, "the server knows it by another badge");
    check_status(ipc_drop(SLOT_FREE), OK, "drops its portal");
    return 0;
}
