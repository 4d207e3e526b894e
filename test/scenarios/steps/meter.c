// SPDX-License-Identifier: MIT
// Tells what the longest message of a request costs, and the longest of a neighbour's small requests in
// between, in instructions:
//
//   # cost: longest step of WHAT: N
//   # cost: longest wait beside WHAT: N
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/bench/lib/counter.h"

enum { SELF = SLOT_FREE, LAND, OTHER, CLONE, SMALL, MIDDLE, PART, CROWD = 64 };

#define BASE       0x8000000000ul
#define MIB        (1ul << 20 >> PAGE_SHIFT)
#define RW         (PROT_R | PROT_W)
#define RANGE      (1ul << 39 >> PAGE_SHIFT)
#define CROWD_MAX  1900u
#define SPACES     60u
#define AFTERWARDS 200u // small requests that find what was left for later

static uint64_t longest_step, longest_wait, n_steps;

static void keep_longest(uint64_t *longest, uint64_t cost)
{
    if (cost > *longest)
        *longest = cost;
}

static void wait_beside(void)
{
    struct message m = {{vmm_word0(VMM_QUERY, 0), BASE}};
    uint64_t start = counter();
    (void)ipc_call(SMALL, 0, 0, &m);
    keep_longest(&longest_wait, counter() - start);
}

static status_t one_step(slot_t grant, slot_t send, slot_t into, struct message *m, bool *got_cap)
{
    uint64_t start = counter();
    struct result result = ipc_call(grant, send, into, m);
    keep_longest(&longest_step, counter() - start);
    n_steps++;
    *got_cap = result.got_cap;
    return result.status != OK ? result.status : (status_t)m->w[0];
}

// What the VMM does when it hears of that is done before this goes on, as it is of higher priority.
static status_t drop(slot_t slot)
{
    uint64_t start = counter();
    status_t status = ipc_drop(slot);
    keep_longest(&longest_step, counter() - start);
    n_steps++;
    return status;
}

// As a client of the VMM has to, but the neighbour has his turn after each step.
static status_t request(slot_t grant, slot_t send, slot_t into, struct message m)
{
    const uint64_t word0 = m.w[0];
    const bool repeats = (word0 & 0xffff) == VMM_REVOKE || (word0 & 0xffff) == VMM_SPACE_DESTROY;
    bool got_cap, was_begun = false;
    for (;;) {
        status_t status = one_step(grant, send, into, &m, &got_cap);
        was_begun |= repeats && status == E_MORE && m.w[1];
        if (status == E_MORE && got_cap)
            return request(into, 0, 0, (struct message){{vmm_word0(VMM_SETTLE, 0)}});
        if (status != E_MORE)
            return status == E_REVOKED && was_begun ? OK : status;
        wait_beside();
        m.w[0] = word0;
        if (repeats)
            m = (struct message){{word0}};
    }
}

static bool tell(status_t status, const char *what)
{
    for (unsigned i = 0; i < AFTERWARDS; i++)
        wait_beside();
    log_format("# cost: longest step of %s: %lu\n# cost: longest wait beside %s: %lu\n", what,
               longest_step, what, longest_wait);
    log_format("# %s: %lu steps\n", what, n_steps);
    longest_step = longest_wait = n_steps = 0;
    return check_status(status, OK, what);
}

static status_t range(enum vmm_request opcode, uint32_t flags, uint64_t pages, uint64_t w3)
{
    return request(LAND, 0, 0, (struct message){{vmm_word0(opcode, flags), BASE, pages, w3}});
}

// Differences are told one by one: all of them.
static status_t walk_diff(void)
{
    struct message m = {{vmm_word0(VMM_DIFF, 0)}};
    status_t status;
    bool got_cap;
    do {
        m.w[0] = vmm_word0(VMM_DIFF, 0);
        status = one_step(LAND, CLONE, 0, &m, &got_cap);
        if (status == OK)
            m.w[1] += m.w[2] * PAGE_SIZE;
        wait_beside();
    } while (status == E_MORE || (status == OK && m.w[2]));
    return status;
}

static void test_pages(void)
{
    const uint64_t n = 128 * MIB;
    tell(range(VMM_MAP, 0, 512 * MIB, RW), "map of 512 MiB");
    tell(range(VMM_UNMAP, 0, 512 * MIB, 0), "unmap of 512 MiB");
    tell(range(VMM_MAP, MAP_4K, n, RW), "map of 128 MiB in small pages");
    tell(range(VMM_PROTECT, 0, n, PROT_R), "protect of 128 MiB");
    tell(request(LAND, 0, CLONE, (struct message){{vmm_word0(VMM_SPACE_CLONE, 0), CLONE_COPY}}),
         "clone of 128 MiB");
    tell(walk_diff(), "diff of 128 MiB");
    tell(drop(CLONE), "drop of 128 MiB");
    tell(
        request(LAND, OTHER, 0, (struct message){{vmm_word0(VMM_SHARE, 0), BASE, n, BASE, PROT_R}}),
        "share of 128 MiB");
    tell(request(LAND, 0, 0, (struct message){{vmm_word0(VMM_REVOKE, 0)}}), "revoke of 128 MiB");
}

static status_t derive_crowd(slot_t from)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < CROWD_MAX; i++)
        status = vmm_derive(from, BASE, 1, RIGHT_QUERY, CROWD + i);
    return status;
}

static status_t drop_crowd(void)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < CROWD_MAX; i++)
        status = drop(CROWD + i);
    return status;
}

static void test_grants(void)
{
    status_t status = vmm_derive(OTHER, BASE, RANGE, RIGHTS_SPACE, MIDDLE);
    if (status == OK)
        status = derive_crowd(MIDDLE);
    if (status == OK)
        status = request(OTHER, MIDDLE, 0, (struct message){{vmm_word0(VMM_REVOKE, 0)}});
    tell(status, "revoke of 1900 capabilities");
    status = drop_crowd();
    if (status == OK)
        status = ipc_drop(MIDDLE);
    if (status == OK)
        status = vmm_derive(OTHER, BASE, RANGE, RIGHTS_SPACE, MIDDLE);
    if (status == OK)
        status = derive_crowd(MIDDLE);
    if (status == OK)
        status = drop(MIDDLE);
    tell(status, "drop of a capability with 1900 derived");
    status = request(OTHER, 0, 0, (struct message){{vmm_word0(VMM_SPACE_DESTROY, 0)}});
    tell(status, "destroy of a space with 1900 capabilities");
    status = drop_crowd();
    if (status == OK)
        status = ipc_drop(OTHER);
    tell(status, "drop of 1900 dead capabilities");
}

// A space with an account, on which others draw, each with pages and a table path of its own.
static void test_account(void)
{
    status_t status = vmm_create(SLOT_SELF, 4000, PART);
    for (unsigned i = 0; status == OK && i < SPACES; i++) {
        status = vmm_create(PART, i & 1 ? 50 : 0, CROWD + i);
        if (status == OK)
            status = vmm_map(CROWD + i, BASE, 20, RW, MAP_4K);
    }
    if (status == OK)
        status = request(PART, 0, 0, (struct message){{vmm_word0(VMM_SPACE_DESTROY, 0)}});
    for (unsigned i = 0; status == OK && i < SPACES; i++)
        status = ipc_drop(CROWD + i);
    tell(status, "destroy of 60 spaces");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    status_t status = get("self", SELF);
    for (unsigned i = 0; status == OK && i < CROWD_MAX; i += 250)
        status = vmm_task_slots(SELF);
    if (status == OK)
        status = vmm_create(SLOT_SELF, 0, LAND);
    if (status == OK)
        status = vmm_create(SLOT_SELF, 0, OTHER);
    if (status == OK)
        status = vmm_create(SLOT_SELF, 0, SMALL);
    if (status != OK)
        return 1;
    wait_beside();
    longest_wait = 0;
    test_pages();
    test_grants();
    test_account();
    return 0;
}
