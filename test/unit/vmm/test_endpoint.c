// SPDX-License-Identifier: MIT
// Endpoints of tasks, portals into them, and what happens when one of these cannot be had.
#include "servers/vmm/core/endpoint.h"

#include "arch/layout.h"
#include "servers/vmm/core/account.h"
#include "servers/vmm/core/pool.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

static status_t portal(struct fake *f, struct fake_cap a, const struct fake_cap *endpoint,
                       struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_PORTAL, 0), 0xbad9e, SLOT_FLAGS_ALL};
    return fake_call(f, a, words, endpoint, got, NULL);
}

static status_t endpoint(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_ENDPOINT, 0)};
    return fake_call(f, a, words, NULL, got, NULL);
}

// Portals outlive the endpoint, dead, until their last slot drops, in whatever order.
static void test_portals_of_an_endpoint(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, e, p[4], more;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(endpoint(f, a, &e), OK);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(portal(f, a, &e, &p[i]), OK);
    fake_drop(f, &p[3]); // the first of its list, the last, one between
    fake_drop(f, &p[0]);
    fake_drop(f, &p[1]);
    fake_drop(f, &e);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(portal(f, a, &p[2], &more), E_REVOKED); // it is dead
    fake_drop(f, &p[2]);
    assert_int_equal(f->vm.state->n_free, before);
    fake_drop(f, &a);
}

// Window indices with no endpoint of a task's: none can be named by a message, but if it were ...
static void test_strange_objects(void **state)
{
    struct fake *f = *state;
    static const uint64_t objects[] = {VMM_OBJECT_TASK, 100000, OBJECT_WINDOW_INDICES, ~0ull};
    record_t root = f->vm.state->root_account;
    for (unsigned i = 0; i < sizeof objects / sizeof *objects; i++)
        assert_int_equal(endpoint_portal(&f->vm, root, objects[i], 1, 0), E_SLOT);
    // The VMM's own endpoint has no record.
    assert_int_equal(endpoint_portal(&f->vm, root, VMM_OBJECT_ENDPOINT, 1, 0), E_SLOT);
}

// Without quota, memory or the kernel's consent: nothing is left behind.
static void test_failures(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, e, p;
    portal_t filler[PORTALS_IN_FRAME];
    unsigned n = 0;
    assert_int_equal(fake_create(f, f->init, 40, &a), OK);
    assert_int_equal(endpoint(f, a, &e), OK);
    record_t id = space_of(&f->vm, fake_space(f, a))->account;
    struct account *account = account_of(&f->vm, id);
    while (account->portals.n)
        assert_int_equal(portal_alloc(&f->vm, id, PORTAL_FOREIGN, 0, &filler[n++]), OK);
    for (unsigned k = 0; k < 2; k++) {
        account_of(&f->vm, account->parent)->lent -= account->quota;
        account->quota = account->charged + k;
        account_of(&f->vm, account->parent)->lent += account->quota;
        assert_int_equal(portal(f, a, &e, &p), E_QUOTA);
        assert_int_equal(fake_audit(f), 0);
    }
    account_of(&f->vm, account->parent)->lent += 40 - account->quota;
    account->quota = 40;
    for (unsigned call = 1; call <= 2; call++) { // creates the frame of portals, mints
        uint64_t n_free = f->vm.state->n_free;
        f->fail_call = call;
        assert_int_equal(portal(f, a, &e, &p), E_LIMIT);
        assert_int_equal(f->fail_call, 0);
        assert_int_equal(f->vm.state->n_free, n_free);
        assert_int_equal(fake_audit(f), 0);
    }
    assert_int_equal(portal(f, a, &e, &p), OK);
    fake_drop(f, &p);
    while (n)
        portal_free(&f->vm, filler[--n]);
    fake_drop(f, &e);
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_portals_of_an_endpoint),
        FAKE_TEST(test_strange_objects),
        FAKE_TEST(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
