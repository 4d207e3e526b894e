// SPDX-License-Identifier: MIT
#include "destroy.h"

#include "account.h"
#include "grant.h"
#include "job.h"
#include "link.h"
#include "space.h"
#include "task.h"

// What one thing costs in units.
#define SPACE_WORK 4
#define VIA_WORK   8
#define GRANT_WORK 40
#define TASK_WORK  1024 // with all its slots

void destroy_start(struct vmm *vm, record_t space, portal_t by)
{
    const struct space *s = space_of(vm, space);
    bool is_of_all = s->has_own_account;
    space_hold(vm, space);
    grant_uproot(vm, by);
    vm->state->destroy = (struct destroy){.space = space,
                                          .by = by,
                                          .account = is_of_all ? s->account : 0,
                                          .at = is_of_all ? vm->state->spaces : 0};
    vm->state->is_busy = true;
}

static void kill_grant(struct vmm *vm, record_t space, portal_t number, struct portal_set *dead)
{
    job_leave(vm, space, number, 0);
    if (portal_of(vm, number)->kind == PORTAL_GRANT)
        portal_set_add(vm, dead, number);
    grant_bury(vm, number);
}

// The first grant on the space goes; what was derived from it comes before it. Answers what it cost, 0 if
// there is nothing left but the grant that is kept. The space may be gone.
static unsigned kill_one(struct vmm *vm, record_t space, portal_t kept, struct portal_set *dead)
{
    portal_t number = space_of(vm, space)->grants;
    if (number && number == kept && !portal_of(vm, number)->child && portal_of(vm, number)->next)
        number = portal_of(vm, number)->next;
    const struct portal *grant = number ? portal_of(vm, number) : NULL;
    if (grant && grant->child) {
        grant_uproot(vm, grant->child);
        return GRANT_WORK;
    }
    if (grant && grant->link) {
        via_pass(vm, number, 0);
        return VIA_WORK;
    }
    if (grant && number != kept) {
        kill_grant(vm, space, number, dead);
        return GRANT_WORK;
    }
    if (!space_of(vm, space)->tasks)
        return 0;
    task_end(vm, space_of(vm, space)->tasks, &(struct task_end){.exit_kind = EXIT_KILLED});
    return TASK_WORK;
}

// The other spaces of the account, one after the other.
static unsigned step_spaces(struct vmm *vm, struct destroy *d, struct portal_set *dead)
{
    record_t id = d->at;
    unsigned cost = 0;
    if (id != d->space && account_is_within(vm, space_of(vm, id)->account, d->account))
        cost = kill_one(vm, id, 0, dead);
    if (!cost)
        d->at = space_of(vm, id)->next;
    return cost + SPACE_WORK;
}

status_t destroy_step(struct vmm *vm, int64_t units)
{
    struct destroy *d = &vm->state->destroy;
    struct portal_set dead = {.index = 0};
    unsigned cost = 1;
    for (; cost && units > 0; units -= cost)
        cost = d->at ? step_spaces(vm, d, &dead) : kill_one(vm, d->space, d->by, &dead);
    if (!cost && d->by)
        kill_grant(vm, d->space, d->by, &dead);
    portal_set_kill(vm, &dead);
    if (cost)
        return E_MORE;
    space_release(vm, d->space);
    *d = (struct destroy){.space = 0};
    return OK;
}

bool destroy_takes(struct vmm *vm, record_t account)
{
    record_t going = vm->state->destroy.account;
    return going && account_is_within(vm, account, going);
}

void destroy_pass_space(struct vmm *vm, record_t space, record_t next)
{
    if (vm->state->destroy.at == space)
        vm->state->destroy.at = next;
}

void destroy_pass_grant(struct vmm *vm, portal_t number)
{
    if (vm->state->destroy.by == number)
        vm->state->destroy.by = 0;
}
