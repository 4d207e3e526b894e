// SPDX-License-Identifier: MIT
// Writes where nothing is, and dies of it.
#include "ipc/init_client.h"

uint64_t main(uint64_t argument)
{
    (void)argument;
    log_text("# faulter: writes to address 0x1000\n");
    check(true, "is about to fault");
    *(volatile uint64_t *)0x1000 = 1;
    return 0; // init would see an exit where the manifest promises a fault
}
