// SPDX-License-Identifier: MIT
#include "account.h"

#include "pool.h"

struct account *account_of(struct vmm *vm, record_t id)
{
    return record_at(vm, id, RECORD_ACCOUNT);
}

static bool account_has(const struct account *a, uint64_t frames)
{
    return frames <= a->quota - a->charged - a->lent;
}

// The root account's quota is the machine's memory.
static status_t account_refusal(const struct vmm *vm, record_t id, uint64_t frames)
{
    return id == vm->state->root_account && frames > vm->state->n_free ? E_NOMEM : E_QUOTA;
}

status_t account_check(struct vmm *vm, record_t id, uint64_t frames)
{
    return account_has(account_of(vm, id), frames) ? OK : account_refusal(vm, id, frames);
}

at_once status_t account_charge(struct vmm *vm, record_t id, uint64_t frames)
{
    struct account *a = account_of(vm, id);
    if (!account_has(a, frames))
        return account_refusal(vm, id, frames);
    a->charged += frames;
    vm->state->n_charged += frames;
    return OK;
}

bool account_is_within(struct vmm *vm, record_t id, record_t ancestor)
{
    while (id && id != ancestor)
        id = account_of(vm, id)->parent;
    return id;
}

// Its record cannot be freed here: this may be called from the freeing of a record.
static void account_bury(struct vmm *vm, record_t id, struct account *a)
{
    if (a->refs || a->charged)
        return;
    a->next = vm->state->dead_accounts;
    vm->state->dead_accounts = id;
    vm->state->is_busy = true;
}

void account_uncharge(struct vmm *vm, record_t id, uint64_t frames)
{
    struct account *a = account_of(vm, id);
    invariant(a->charged >= frames);
    a->charged -= frames;
    vm->state->n_charged -= frames;
    vm->state->is_relieved = true;
    account_bury(vm, id, a);
}

status_t account_create(struct vmm *vm, record_t parent, uint64_t quota, record_t *id)
{
    record_t new;
    unsigned depth = 1;
    for (record_t at = parent; at; at = account_of(vm, at)->parent)
        if (depth++ == ACCOUNTS_DEEP)
            return E_LIMIT;
    status_t status = record_alloc(vm, parent, RECORD_ACCOUNT, &new);
    if (status != OK)
        return status;
    if (!account_has(account_of(vm, parent), quota)) {
        record_free(vm, new);
        return E_QUOTA;
    }
    struct account *a = account_of(vm, new);
    a->parent = parent;
    a->quota = quota;
    a->priority = account_of(vm, parent)->priority;
    a->refs = 1;
    account_of(vm, parent)->lent += quota;
    account_hold(vm, parent);
    *id = new;
    return OK;
}

void account_hold(struct vmm *vm, record_t id)
{
    account_of(vm, id)->refs++;
}

void account_release(struct vmm *vm, record_t id)
{
    struct account *a = account_of(vm, id);
    a->refs--;
    account_bury(vm, id, a);
}

bool account_reap(struct vmm *vm)
{
    record_t id = vm->state->dead_accounts;
    if (!id)
        return false;
    struct account a = *account_of(vm, id);
    vm->state->dead_accounts = a.next;
    account_of(vm, a.parent)->lent -= a.quota;
    record_free(vm, id);
    account_release(vm, a.parent);
    return true;
}
