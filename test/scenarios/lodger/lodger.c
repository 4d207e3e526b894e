// SPDX-License-Identifier: MIT
// lodger.c: serves one call
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"

enum { EAR = SLOT_FREE, CALLER, FIELD };

#define VIEW 0x10000000ul

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct message m;
    if (get("ear", EAR) != OK)
        return 1; // init counts another exit code as a failure
    // The words land in m, a capability that comes with them in FIELD, the right to answer in CALLER.
    struct result r = ipc_receive(EAR, FIELD, CALLER, &m);
    check(r.status == OK && r.kind == MESSAGE_CALL && r.badge == 7 && r.got_cap, "a page is lent");
    // Here and there it is the same frame.
    check_status(vmm_share(FIELD, m.w[0], 1, SLOT_SELF, VIEW, PROT_R), OK, "maps it here");
    m = (struct message){{*(volatile uint64_t *)VIEW}};
    return ipc_reply(CALLER, 0, &m) != OK;
}
