// SPDX-License-Identifier: MIT
#include "space.h"

#include "account.h"
#include "destroy.h"
#include "device.h"
#include "job.h"
#include "pager.h"
#include "pool.h"
#include "probe_page.h"
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
    destroy_pass_space(vm, id, s->next);
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
    if (destroy_takes(vm, payer))
        return E_REVOKED;
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
    pager_release(vm, space_of(vm, id)->pagers);
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
    status = frame_alloc(vm, s->account, FRAME_TABLE, &root);
    if (status != OK) {
        space_forget(vm, new);
        return status;
    }
    pt_init_root(vm, root, kernel_entry(vm));
    table_entries(vm, root)[ROOT_ENTRY_PROBE] = probe_entry(vm);
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
    table_entries(vm, root)[ROOT_ENTRY_PROBE] = probe_entry(vm);
    space_of(vm, new)->root = root;
    *id = new;
    return OK;
}

// The copying edit, on the tree at `root`.
static struct edit clone_edit(const struct vmm *vm, const struct clone *c, pfn_t root)
{
    return (struct edit){
        .kind = EDIT_OWN,
        .account = space_of(vm, c->space)->account,
        .root = root,
        .last = vm->state->user_pages - 1,
        .falls_back = true,
    };
}

// What is copied in steps is a copy-on-write clone first, whose job makes its pages its own.
static status_t clone_prepare_job(struct vmm *vm, struct clone *c)
{
    struct edit copy = clone_edit(vm, c, space_of(vm, c->space)->root);
    const struct work w = {.account = copy.account,
                           .spaces = {c->space},
                           .clone_of = c->source,
                           .n = 1,
                           .edits = &copy};
    edit_cancel(vm, &c->copy);
    c->is_long = true;
    return job_start(vm, &w);
}

static status_t clone_prepare_copy(struct vmm *vm, struct clone *c)
{
    c->copy = clone_edit(vm, c, space_of(vm, c->source)->root);
    c->copy.is_joint = c->copy.is_unseen = true;
    status_t status = edit_prepare(vm, &c->copy);
    if (status == E_MORE || (status == OK && c->copy.work > vm->left))
        status = clone_prepare_job(vm, c);
    return status;
}

status_t clone_prepare(struct vmm *vm, record_t source, enum clone_mode mode, uint64_t quota,
                       struct clone *c)
{
    *c = (struct clone){.source = source, .mode = mode};
    status_t status = space_create(vm, space_of(vm, source)->account, quota, &c->space);
    if (status != OK)
        return status;
    if (device_is_below(vm, space_of(vm, source)->root))
        status = device_reserve(vm, space_of(vm, source)->root, space_of(vm, c->space)->account,
                                &c->own_tables);
    if (status != OK)
        space_discard(vm, c->space);
    if (status != OK || mode == CLONE_COW)
        return status;
    status = clone_prepare_copy(vm, c);
    if (status != OK) {
        reserve_drop(vm, &c->own_tables);
        space_discard(vm, c->space);
    }
    return status;
}

// What the tree of `from` names, which `to` has now, `to` must know.
static void set_pagers(struct vmm *vm, record_t to, record_t from)
{
    record_t old = space_of(vm, to)->pagers, new = space_of(vm, from)->pagers;
    pager_hold(vm, new);
    space_of(vm, to)->pagers = new;
    pager_release(vm, old);
}

void clone_commit(struct vmm *vm, struct clone *c)
{
    pfn_t from = space_of(vm, c->source)->root, to = space_of(vm, c->space)->root;
    pt_clone_root(vm, from, to);
    set_pagers(vm, c->space, c->source);
    if (device_is_below(vm, from))
        device_leave_out(vm, from, to, &c->own_tables);
    c->copy.root = to;
    if (c->mode == CLONE_COPY && !c->is_long)
        edit_commit_all(vm, &c->copy);
}

void clone_cancel(struct vmm *vm, struct clone *c)
{
    reserve_drop(vm, &c->own_tables);
    if (c->mode == CLONE_COPY && !c->is_long)
        edit_cancel(vm, &c->copy);
}

// Drops all user entries of a root, which hold no pages.
static void root_clear(struct vmm *vm, pfn_t root)
{
    const struct frame f = *frame_of(vm, root);
    for (unsigned i = f.first; f.used && i <= f.last; i++) {
        pte_t e = table_load(vm, root, i);
        if (pte_is_table(e, f.level))
            pt_drop(vm, frame_number(pte_address(e)));
        table_store(vm, root, i, PTE_NONE);
    }
}

// The source may be gone, and its record be another space's by now: what is done to it is right for any.
void space_fail(struct vmm *vm, record_t id, record_t source, status_t status)
{
    struct space *s = space_of(vm, id);
    s->failure = (int8_t)status;
    flush_space(vm, frame_address(s->root));
    root_clear(vm, s->root);
    if (record_exists(vm, source, RECORD_SPACE))
        pt_claim_root(vm, space_of(vm, source)->root);
}

// The snapshot holds what both have, so it can be dropped here first.
void space_rollback(struct vmm *vm, record_t id, record_t snapshot)
{
    pfn_t root = space_of(vm, id)->root;
    if (id == snapshot)
        return;
    flush_space(vm, frame_address(root));
    root_clear(vm, root);
    pt_clone_root(vm, space_of(vm, snapshot)->root, root);
    set_pagers(vm, id, snapshot);
}

void space_hold(struct vmm *vm, record_t id)
{
    space_of(vm, id)->refs++;
}

void space_discard(struct vmm *vm, record_t id)
{
    pfn_t root = space_of(vm, id)->root;
    job_stop(vm, id);
    flush_space(vm, frame_address(root));
    pt_drop(vm, root);
    space_forget(vm, id);
}

void space_release(struct vmm *vm, record_t id)
{
    if (!--space_of(vm, id)->refs)
        space_discard(vm, id);
}
