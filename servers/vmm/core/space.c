// SPDX-License-Identifier: MIT
#include "space.h"

#include "account.h"
#include "edit.h"
#include "pool.h"
#include "table.h"

struct space *space_of(const struct vmm *vm, record_t id)
{
    return record_at(vm, id, RECORD_SPACE);
}

pte_t kernel_entry(struct vmm *vm)
{
    struct kernel_space *kernel = &vm->state->kernel;
    if (pte_is_empty(kernel->entry))
        kernel->entry = table_load(vm, vm->state->boot_root, ROOT_ENTRY_KERNEL);
    return kernel->entry;
}

static void space_link(struct vmm *vm, record_t id)
{
    struct space *s = space_of(vm, id);
    s->next = vm->state->spaces;
    if (s->next)
        space_of(vm, s->next)->prev = id;
    vm->state->spaces = id;
}

static void space_unlink(struct vmm *vm, record_t id)
{
    const struct space *s = space_of(vm, id);
    if (s->prev)
        space_of(vm, s->prev)->next = s->next;
    else
        vm->state->spaces = s->next;
    if (s->next)
        space_of(vm, s->next)->prev = s->prev;
}

// A space's record, in all lists but without a root, and its hold on an account.
static status_t space_new(struct vmm *vm, record_t payer, uint64_t quota, record_t *id)
{
    record_t account = payer;
    if (quota) {
        status_t status = account_create(vm, payer, quota, &account);
        if (status != OK)
            return status;
    } else {
        account_hold(vm, payer);
    }
    status_t status = record_alloc(vm, account, RECORD_SPACE, id);
    if (status != OK) {
        account_release(vm, account);
        return status;
    }
    struct space *s = space_of(vm, *id);
    s->account = account;
    s->has_own_account = quota;
    space_link(vm, *id);
    vm->state->kernel.refs++;
    return OK;
}

static void space_forget(struct vmm *vm, record_t id)
{
    record_t account = space_of(vm, id)->account;
    space_unlink(vm, id);
    record_free(vm, id);
    account_release(vm, account);
    vm->state->kernel.refs--;
}

status_t space_create(struct vmm *vm, record_t payer, uint64_t quota, record_t *id)
{
    record_t new;
    pfn_t root;
    status_t status = space_new(vm, payer, quota, &new);
    if (status != OK)
        return status;
    struct space *s = space_of(vm, new);
    status = frame_alloc(vm, s->account, 0, FRAME_TABLE, &root);
    if (status != OK) {
        space_forget(vm, new);
        return status;
    }
    pt_init_root(vm, root, kernel_entry(vm));
    s->root = root;
    *id = new;
    return OK;
}

status_t space_adopt(struct vmm *vm, record_t payer, pfn_t root, record_t *id)
{
    record_t new;
    status_t status = pt_adopt(vm, root, vm->state->levels, payer);
    if (status != OK)
        return status;
    status = space_new(vm, payer, 0, &new);
    if (status != OK)
        return status;
    table_entries(vm, root)[ROOT_ENTRY_KERNEL] = kernel_entry(vm);
    space_of(vm, new)->root = root;
    *id = new;
    return OK;
}

status_t space_clone(struct vmm *vm, record_t source, enum clone_mode mode, uint64_t quota,
                     record_t *id)
{
    record_t new;
    status_t status = space_create(vm, space_of(vm, source)->account, quota, &new);
    if (status != OK)
        return status;
    pfn_t from = space_of(vm, source)->root, to = space_of(vm, new)->root;
    struct edit copy = {
        .kind = EDIT_OWN,
        .account = space_of(vm, new)->account,
        .root = from,
        .last = vm->state->user_pages - 1,
        .is_joint = true,
    };
    if (mode == CLONE_COPY) {
        status = edit_prepare(vm, &copy);
        if (status != OK) {
            space_discard(vm, new);
            return status;
        }
    }
    pt_clone_root(vm, from, to);
    copy.root = to;
    if (mode == CLONE_COPY)
        edit_commit(vm, &copy);
    *id = new;
    return OK;
}

void space_hold(struct vmm *vm, record_t id)
{
    space_of(vm, id)->refs++;
}

void space_discard(struct vmm *vm, record_t id)
{
    pfn_t root = space_of(vm, id)->root;
    flush_space(vm, frame_address(root));
    pt_drop(vm, root, vm->state->levels);
    space_forget(vm, id);
}

void space_release(struct vmm *vm, record_t id)
{
    if (!--space_of(vm, id)->refs)
        space_discard(vm, id);
}
