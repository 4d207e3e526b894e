// SPDX-License-Identifier: MIT
// What goes in steps: spaces and accounts with all that they have, grants from which many were derived.
#include "servers/vmm/core/destroy.h"

#include <string.h>

#include "servers/vmm/core/account.h"
#include "servers/vmm/core/grant.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA   0x400000ull
#define RW   (PROT_R | PROT_W)
#define MANY 1500u

static status_t step(struct fake *f, struct fake_cap by, enum vmm_request request,
                     uint64_t *under_way)
{
    uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, 0)};
    status_t status = fake_step(f, by, words, NULL);
    *under_way = words[1];
    return status;
}

static unsigned live(struct fake *f, const struct fake_cap *caps, unsigned n)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += f->objects[caps[i].value / PORTALS_IN_FRAME]
                   .portals[caps[i].value % PORTALS_IN_FRAME]
                   .is_dead == 0;
    return sum;
}

// Derives `n` grants: from one, or each from the one before.
static void derive(struct fake *f, struct fake_cap by, struct fake_cap *caps, unsigned n, bool deep)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(
            fake_derive(f, deep && i ? caps[i - 1] : by, VA, 8, RIGHTS_SPACE, &caps[i]), OK);
}

static void drop_all(struct fake *f, struct fake_cap *caps, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        fake_drop(f, &caps[i]);
}

// No message kills many grants, and between any two others are served at once.
static void test_thousands_of_grants(void **state)
{
    struct fake *f = *state;
    for (unsigned deep = 0; deep < 2; deep++) {
        struct fake_cap a, b, caps[MANY];
        unsigned n = deep ? GRANTS_DEEP - 1 : MANY, left = n, steps = 0;
        uint64_t under_way;
        status_t status;
        assert_int_equal(fake_create(f, f->init, 0, &a), OK);
        assert_int_equal(fake_create(f, f->init, 0, &b), OK);
        derive(f, a, caps, n, deep);
        f->vm.state->step_work = 200;
        do {
            status = step(f, a, VMM_SPACE_DESTROY, &under_way);
            unsigned now = live(f, caps, n);
            assert_in_range(left - now, 0, 20);
            assert_int_equal(under_way, status == E_MORE);
            assert_int_equal(fake_map(f, b, VA, 1, RW, MAP_REPLACE), OK);
            left = live(f, caps, n);
            assert_in_range(now - left, 0, 40);
            if (++steps % 10 == 0)
                assert_int_equal(fake_audit(f), 0);
        } while (status == E_MORE);
        assert_true(status == OK || status == E_REVOKED);
        assert_int_equal(left, 0);
        assert_in_range(steps, 5, n);
        f->vm.state->step_work = STEP_WORK;
        drop_all(f, caps, n);
        fake_drop(f, &a);
        fake_drop(f, &b);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// Who asked goes away, or takes his time: it ends all the same, and what he hears is that it did.
static void test_others_end_it(void **state)
{
    struct fake *f = *state;
    for (unsigned drops = 0; drops < 2; drops++) {
        struct fake_cap a, b, part, caps[200];
        uint64_t under_way;
        assert_int_equal(fake_create(f, f->init, 1000, &a), OK);
        assert_int_equal(fake_create(f, f->init, 0, &b), OK);
        assert_int_equal(fake_create(f, a, 100, &part), OK);
        derive(f, part, caps, 100, false);
        derive(f, a, caps + 100, 100, false);
        f->vm.state->step_work = 100;
        assert_int_equal(step(f, a, VMM_SPACE_DESTROY, &under_way), E_MORE);
        assert_int_equal(under_way, 1);
        assert_int_equal(fake_create(f, a, 0, &part), E_REVOKED); // none comes in behind it
        assert_int_equal(step(f, b, VMM_REVOKE, &under_way), E_MORE);
        assert_int_equal(under_way, 0);
        assert_int_equal(step(f, b, VMM_SPACE_DESTROY, &under_way), E_MORE);
        assert_int_equal(under_way, 0);
        if (drops)
            fake_drop(f, &a);
        for (unsigned i = 0; i < 200; i++)
            assert_int_equal(fake_map(f, b, VA, 1, RW, MAP_REPLACE), OK);
        assert_false(destroy_is_pending(&f->vm));
        assert_int_equal(live(f, caps, 200), 0);
        if (!drops)
            assert_int_equal(step(f, a, VMM_SPACE_DESTROY, &under_way), E_REVOKED);
        f->vm.state->step_work = STEP_WORK;
        drop_all(f, caps, 200);
        fake_drop(f, &a);
        fake_drop(f, &part);
        fake_drop(f, &b);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

static void audit_between(struct fake *f)
{
    assert_int_equal(fake_audit(f), 0);
}

// Accounts below accounts with tasks, shares and clones; in steps of every small size.
static void test_a_tree_of_accounts(void **state)
{
    const uint64_t destroy[MESSAGE_WORDS] = {vmm_word0(VMM_SPACE_DESTROY, 0)};
    struct fake *f = *state;
    for (unsigned work = 1; work < 2000; work = work * 3 + 1) {
        struct fake_cap a[6], outside, tasks[6];
        uint8_t byte;
        assert_int_equal(fake_create(f, f->init, 600, &a[0]), OK);
        assert_int_equal(fake_create(f, f->init, 0, &outside), OK);
        for (unsigned i = 0; i < 6; i++) {
            if (i)
                assert_int_equal(i & 1 ? fake_create(f, a[i - 1], 500 - i * 80, &a[i])
                                       : fake_clone(f, a[i - 1], CLONE_COW, 0, &a[i]),
                                 OK);
            assert_int_equal(fake_spawn(f, a[i], NULL, &tasks[i]), OK);
            assert_int_equal(fake_map(f, a[i], VA + (1 + i) * PAGE_SIZE, 1, RW, 0), OK);
            assert_int_equal(fake_share(f, a[i], VA + (1 + i) * PAGE_SIZE, 1, outside,
                                        VA + (1 + i) * PAGE_SIZE, PROT_R),
                             OK);
        }
        f->vm.state->step_work = work;
        f->between = audit_between;
        status_t status = fake_call(f, a[0], destroy, NULL, NULL, NULL);
        f->between = NULL;
        f->vm.state->step_work = STEP_WORK;
        assert_int_equal(status, OK);
        for (unsigned i = 0; i < 6; i++) {
            assert_int_equal(fake_map(f, a[i], VA, 1, RW, 0), E_REVOKED);
            assert_int_equal(fake_read(f, outside, VA + (1 + i) * PAGE_SIZE, &byte), OK);
        }
        drop_all(f, tasks, 6);
        drop_all(f, a, 6);
        fake_drop(f, &outside);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// A grant from which thousands were derived, and through which thousands of pages came, is dropped: they
// become its parent's in steps, and whatever happens meanwhile finds them where they belong.
static void test_a_dropped_grant(void **state)
{
    struct fake *f = *state;
    enum { NOTHING, REVOKE, DESTROY, REVOKE_LEAF, CASES };
    for (unsigned what = NOTHING; what < CASES; what++) {
        struct fake_cap a, b, middle, caps[MANY];
        uint8_t byte;
        uint64_t under_way;
        assert_int_equal(fake_create(f, f->init, 0, &a), OK);
        assert_int_equal(fake_create(f, f->init, 0, &b), OK);
        assert_int_equal(fake_map(f, a, VA, 8, RW, 0), OK);
        assert_int_equal(fake_derive(f, a, VA, 8, RIGHTS_SPACE, &middle), OK);
        derive(f, middle, caps, MANY, false);
        assert_int_equal(fake_share(f, middle, VA, 4, b, VA, RW), OK);
        f->vm.state->step_work = 100;
        fake_drop(f, &middle);
        assert_true(f->vm.state->gone);
        assert_int_equal(fake_audit(f), 0);
        assert_int_equal(fake_read(f, b, VA, &byte), OK);
        if (what == REVOKE_LEAF)
            assert_int_equal(fake_revoke(f, a, &caps[7]), OK);
        if (what == REVOKE)
            assert_int_equal(fake_revoke(f, a, NULL), OK);
        while (what == DESTROY && step(f, a, VMM_SPACE_DESTROY, &under_way) == E_MORE)
            assert_int_equal(fake_audit(f), 0);
        assert_int_equal(live(f, caps, MANY), what == NOTHING       ? MANY
                                              : what == REVOKE_LEAF ? MANY - 1
                                                                    : 0);
        for (unsigned i = 0; i < 2 * MANY && f->vm.state->gone; i++)
            assert_int_equal(fake_unmap(f, b, 2 * VA, 1), OK);
        assert_int_equal(f->vm.state->gone, 0);
        assert_int_equal(fake_audit(f), 0);
        f->vm.state->step_work = STEP_WORK;
        if (what == NOTHING)
            assert_int_equal(fake_revoke(f, a, NULL), OK);
        assert_int_equal(fake_read(f, b, VA, &byte),
                         what == DESTROY || what == REVOKE_LEAF ? OK : E_FAULT);
        drop_all(f, caps, MANY);
        fake_drop(f, &a);
        fake_drop(f, &b);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// Derivations, and accounts, go only so deep.
static void test_depths(void **state)
{
    struct fake *f = *state;
    struct fake_cap caps[GRANTS_DEEP], spaces[ACCOUNTS_DEEP];
    status_t status = OK;
    unsigned n = 0;
    assert_int_equal(fake_create(f, f->init, 1000, &spaces[0]), OK);
    derive(f, spaces[0], caps, GRANTS_DEEP - 1, true);
    assert_int_equal(fake_derive(f, caps[GRANTS_DEEP - 2], VA, 1, 0, &caps[GRANTS_DEEP - 1]),
                     E_LIMIT);
    fake_drop(f, &caps[9]);
    assert_int_equal(fake_derive(f, caps[GRANTS_DEEP - 2], VA, 1, 0, &caps[9]), OK);
    drop_all(f, caps, GRANTS_DEEP - 1);
    while (status == OK && n + 1 < ACCOUNTS_DEEP) {
        n++;
        status = fake_create(f, spaces[n - 1], 1000 - 20 * n, &spaces[n]);
    }
    assert_int_equal(status, E_LIMIT);
    assert_int_equal(n, ACCOUNTS_DEEP - 1);
    drop_all(f, spaces, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_thousands_of_grants),
        FAKE_TEST(test_others_end_it),
        FAKE_TEST(test_a_tree_of_accounts),
        FAKE_TEST(test_a_dropped_grant),
        FAKE_TEST(test_depths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
