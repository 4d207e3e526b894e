// SPDX-License-Identifier: MIT
// Capabilities made of capabilities: derive, revoke.
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/command.h"

// PROT says what may be done to the memory; all other rights are as the source's.
status_t do_derive(struct shell *shell, const struct arguments *a)
{
    const uint32_t other_rights = RIGHTS_SPACE & ~(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE);
    struct name *name;
    const struct name *source = a->at[0].name;
    uint32_t prot = a->at[3].prot;
    if (prot & PROT_W && prot & PROT_X)
        return E_WX;
    status_t status = name_add_grant(&shell->names, a->at[4].word, source, &name);
    if (status != OK)
        return status;
    name->prot = name->clone_prot = prot;
    name->start = a->at[1].number;
    name->pages = a->at[2].number;
    status = vmm_derive(name_slot(&shell->names, source), name->start, name->pages,
                        other_rights | prot, name_slot(&shell->names, name));
    if (status != OK)
        space_drop_name(shell, name);
    return status;
}

// The names stay until they are dropped; the kernel refuses what is asked through them. Of a snapshot
// nothing is derived or shared: all that can be taken back is itself.
status_t do_revoke(struct shell *shell, const struct arguments *a)
{
    slot_t slot = name_slot(&shell->names, a->at[0].name);
    return a->at[0].name->kind == NAME_SNAPSHOT ? vmm_destroy(slot) : vmm_revoke(slot, 0);
}
