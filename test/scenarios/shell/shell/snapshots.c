// SPDX-License-Identifier: MIT
// Spaces compared and put back: diff, rollback.
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/command.h"

static void answer_changed(vaddr_t start, vaddr_t end)
{
    if (start < end)
        answer("0x%lx-0x%lx changed", start, end);
}

status_t do_diff(struct shell *shell, const struct arguments *a)
{
    const struct name *name = a->at[0].name;
    slot_t slot = name_slot(&shell->names, name);
    slot_t other = name_slot(&shell->names, a->at[1].name);
    vaddr_t at = name->start, window_end = name->start + name->pages * PAGE_SIZE;
    vaddr_t start = 0, end = 0; // of the run that is not answered yet
    while (at < window_end) {
        uint64_t pages;
        status_t status = vmm_diff(slot, other, &at, &pages);
        if (status != OK)
            return status;
        if (pages == 0)
            break;
        if (at != end) {
            answer_changed(start, end);
            start = at;
        }
        at += pages * PAGE_SIZE;
        end = at;
    }
    answer_changed(start, end);
    return OK;
}

status_t do_rollback(struct shell *shell, const struct arguments *a)
{
    slot_t slot = name_slot(&shell->names, a->at[0].name);
    return vmm_rollback(slot, name_slot(&shell->names, a->at[1].name));
}
