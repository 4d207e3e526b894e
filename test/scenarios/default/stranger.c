// SPDX-License-Identifier: MIT
// A task that was given nothing: whatever it tries is refused, with a typed error.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/default/land.h"

#define TASK_SLOTS 64u

static bool all_slots_refuse(void)
{
    for (slot_t slot = SLOT_PARENT + 1; slot < TASK_SLOTS; slot++) {
        if (vmm_map(slot, LAND_LEASE, 1, PROT_R, 0) != E_SLOT)
            return false;
    }
    return true;
}

static status_t reset_machine(void)
{
    struct message m = {{0}};
    return sys_invoke(sys_header(SYS_POWER_OFF, SLOT_SELF, 0, 0, 0, 0), &m).status;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    uint64_t frames, errors;
    log_text("# stranger: tries every door\n");
    check_status(get("land", SLOT_FREE), E_NOENT, "has no capability to the land");
    check(all_slots_refuse(), "none of its slots leads anywhere");
    check_status(vmm_audit(SLOT_SELF, &frames, &errors), E_RIGHT, "may not audit the machine");
    check_status(vmm_power_off(SLOT_SELF, 0), E_RIGHT, "may not switch it off");
    check_status(reset_machine(), E_SLOT, "nor ask the kernel to");
    check_status(vmm_map(SLOT_SELF, 0x20000000, 1, PROT_R | PROT_W | PROT_X, 0), E_WX,
                 "may not have memory that it writes and executes");
    return 0;
}
