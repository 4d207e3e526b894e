// SPDX-License-Identifier: MIT
// Pages of spaces: map, unmap, protect, share, move.
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/command.h"

status_t do_map(struct shell *shell, const struct arguments *a)
{
    const struct argument *when = argument_find(a, 'l'), *size = argument_find(a, 'z');
    uint64_t flags =
        (when != NULL ? when->number : MAP_LAZY) | (size != NULL ? size->number : MAP_4K);
    slot_t slot = name_slot(&shell->names, a->at[0].name);
    return vmm_map(slot, a->at[1].number, a->at[2].number, a->at[3].prot, (uint32_t)flags);
}

status_t do_unmap(struct shell *shell, const struct arguments *a)
{
    slot_t slot = name_slot(&shell->names, a->at[0].name);
    return vmm_unmap(slot, a->at[1].number, a->at[2].number);
}

status_t do_protect(struct shell *shell, const struct arguments *a)
{
    slot_t slot = name_slot(&shell->names, a->at[0].name);
    return vmm_protect(slot, a->at[1].number, a->at[2].number, a->at[3].prot);
}

status_t do_share(struct shell *shell, const struct arguments *a)
{
    slot_t from = name_slot(&shell->names, a->at[0].name);
    slot_t to = name_slot(&shell->names, a->at[3].name);
    return vmm_share(from, a->at[1].number, a->at[2].number, to, a->at[4].number, a->at[5].prot);
}

status_t do_move(struct shell *shell, const struct arguments *a)
{
    slot_t from = name_slot(&shell->names, a->at[0].name);
    slot_t to = name_slot(&shell->names, a->at[3].name);
    return vmm_move(from, a->at[1].number, a->at[2].number, to, a->at[4].number, a->at[5].prot);
}
