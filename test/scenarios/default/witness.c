// SPDX-License-Identifier: MIT
// Waits for the end of another task, learns how it ended, and is none the worse for it.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"

#define VECTOR_PAGE_FAULT 14u

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = get("faulter", SLOT_FREE);
    if (status == OK)
        status = vmm_wait(SLOT_FREE, &end);
    if (!check_status(status, OK, "waits for the end of the faulter"))
        return 1;
    log_format("# witness: vector %lu, address 0x%lx, rip 0x%lx\n", end.code, end.address, end.rip);
    check(end.kind == EXIT_FAULT && end.code == VECTOR_PAGE_FAULT && end.address == 0x1000,
          "it died of its own page fault");
    return 0;
}
