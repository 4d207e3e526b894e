// SPDX-License-Identifier: MIT
// Spaces and their names: create, clone, drop, list.
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/command.h"

void give_up(slot_t slot)
{
    struct vmm_stats stats;
    (void)!ipc_drop(slot); // E_SLOT: the request that should have filled it failed
    // The kernel's word of the last reference is on its way before this call, and is served first.
    (void)!vmm_stats(SLOT_ACCOUNT, &stats);
}

void space_drop_name(struct shell *shell, struct name *name)
{
    slot_t slots[2];
    unsigned n = name_drop(&shell->names, name, slots);
    for (unsigned i = 0; i < n; i++)
        give_up(slots[i]);
}

// Without a quota: 0, which no account can be asked for.
static status_t read_quota(const struct arguments *a, uint64_t *quota)
{
    const struct argument *word = argument_find(a, 'q');
    *quota = word != NULL ? word[1].number : 0;
    return word != NULL && *quota == 0 ? E_QUOTA : OK; // not even the root of a space fits
}

// The name's capability came, or not.
static status_t settle(struct shell *shell, struct name *name, uint32_t clone_prot, status_t status)
{
    if (status != OK) {
        space_drop_name(shell, name);
        return status;
    }
    name->clone_prot = clone_prot;
    name->prot = name->kind == NAME_SNAPSHOT ? clone_prot & PROT_R : clone_prot;
    name->start = 0;
    name->pages = shell->user_end / PAGE_SIZE;
    return OK;
}

status_t do_create(struct shell *shell, const struct arguments *a)
{
    uint64_t quota;
    struct name *name;
    status_t status = read_quota(a, &quota);
    if (status == OK)
        status = name_add_space(&shell->names, a->at[0].word, NAME_SPACE, "", &name);
    if (status != OK)
        return status;
    status = vmm_create(SLOT_ACCOUNT, quota, name_slot(&shell->names, name));
    return settle(shell, name, PROT_R | PROT_W | PROT_X, status);
}

status_t do_clone(struct shell *shell, const struct arguments *a)
{
    uint64_t quota;
    struct name *name;
    enum clone_mode mode = (enum clone_mode)a->at[2].number;
    const struct name *source = a->at[0].name;
    status_t status = read_quota(a, &quota);
    if (status == OK)
        status = name_add_space(&shell->names, a->at[1].word, NAME_SPACE, source->text, &name);
    if (status != OK)
        return status;
    slot_t from = name_slot(&shell->names, source);
    status = vmm_clone(from, mode, quota, name_slot(&shell->names, name));
    return settle(shell, name, source->clone_prot, status);
}

// A clone that never runs: what is made of it has the rights again that it has not.
status_t do_snapshot(struct shell *shell, const struct arguments *a)
{
    struct name *name;
    const struct name *source = a->at[0].name;
    status_t status =
        name_add_space(&shell->names, a->at[1].word, NAME_SNAPSHOT, source->text, &name);
    if (status != OK)
        return status;
    slot_t from = name_slot(&shell->names, source);
    status = vmm_snapshot(from, 0, name_slot(&shell->names, name));
    return settle(shell, name, source->clone_prot, status);
}

status_t do_drop(struct shell *shell, const struct arguments *a)
{
    space_drop_name(shell, a->at[0].name);
    return OK;
}

static void list_name(const struct shell *shell, const struct name *name)
{
    struct vmm_page page;
    bool is_dead = vmm_query(name_slot(&shell->names, name), name->start, &page) == E_REVOKED;
    const char *revoked = is_dead ? " revoked" : "";
    if (name->kind == NAME_GRANT)
        answer("%s grant of %s 0x%lx-0x%lx %s%s", name->text, name->origin, name->start,
               name->start + name->pages * PAGE_SIZE, prot_text(name->prot), revoked);
    else if (name->kind == NAME_SNAPSHOT)
        answer("%s snapshot of %s%s", name->text, name->origin, revoked);
    else if (name->origin[0] != '\0')
        answer("%s space cloned from %s%s", name->text, name->origin, revoked);
    else
        answer("%s space%s", name->text, revoked);
}

status_t do_list(struct shell *shell, const struct arguments *a)
{
    (void)a;
    for (unsigned i = 0; i < NAMES_MAX; i++) {
        if (shell->names.at[i].kind != NAME_FREE)
            list_name(shell, &shell->names.at[i]);
    }
    return OK;
}
