// SPDX-License-Identifier: MIT
// The back room: callers come here only by way of the server, who hands them on.
#include "ipc/init_client.h"
#include "test/scenarios/ipc/service.h"

enum { BACKROOM = SLOT_FREE, CALLER };

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct message m;
    if (get("backroom", BACKROOM) != OK)
        return 1;
    struct result call = ipc_receive(BACKROOM, 0, CALLER, &m);
    check(call.kind == MESSAGE_CALL && call.badge == BACK_DOOR && m.w[0] == FORWARD,
          "gets a call as it was sent, with the server's badge");
    m.w[0] = call.badge;
    call = ipc_reply_receive(BACKROOM, 0, 0, CALLER, &m);
    check(call.kind == MESSAGE_LAST_REFERENCE && call.badge == BACK_DOOR,
          "hears that the server is gone");
    return 0;
}
