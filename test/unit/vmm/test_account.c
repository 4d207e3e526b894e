// SPDX-License-Identifier: MIT
// Who pays: charges, carved quotas, accounts that outlive their spaces.
#include "servers/vmm/core/account.h"

#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA 0x400000ull
#define RW (PROT_R | PROT_W)

static struct account *account(struct fake *f, struct fake_cap a)
{
    return account_of(&f->vm, space_of(&f->vm, fake_space(f, a))->account);
}

// C4: what each request adds to the charge.
static void test_charges(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b;
    assert_int_equal(fake_create(f, f->init, 100, &a), OK);
    uint64_t base = account(f, a)->charged;
    assert_int_equal(base, 4); // root, records, portals and the VMM's side of them
    assert_int_equal(fake_map(f, a, VA, 5, RW, 0), OK);
    assert_int_equal(account(f, a)->charged, base + 5 + f->info.levels - 1);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 50, &b), OK);
    assert_int_equal(account(f, a)->lent, 50);
    assert_int_equal(account(f, b)->charged, 4);
    assert_int_equal(fake_write(f, b, VA, 1), OK); // the writer pays
    assert_int_equal(account(f, b)->charged, 4 + 1 + f->info.levels - 1);
    assert_int_equal(account(f, a)->charged, base + 5 + f->info.levels - 1);
    fake_drop(f, &b);
    assert_int_equal(account(f, a)->lent, 0);
    fake_drop(f, &a);
}

// An account lives on while others use its frames.
static void test_account_outlives_its_space(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b;
    uint8_t byte;
    assert_int_equal(fake_create(f, f->init, 100, &a), OK);
    assert_int_equal(fake_create(f, f->init, 100, &b), OK);
    assert_int_equal(fake_map(f, a, VA, 2, RW, 0), OK);
    assert_int_equal(fake_write(f, a, VA, 8), OK);
    assert_int_equal(fake_share(f, a, VA, 2, b, VA, RW), OK);
    struct account *root = account_of(&f->vm, f->vm.state->root_account);
    assert_int_equal(root->lent, 200);
    fake_drop(f, &a);
    assert_int_equal(root->lent, 200);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_read(f, b, VA, &byte), OK);
    assert_int_equal(byte, 8);
    assert_int_equal(fake_unmap(f, b, VA, 1), OK);
    assert_int_equal(root->lent, 200);
    assert_int_equal(fake_unmap(f, b, VA, 2), OK);
    assert_int_equal(root->lent, 100); // the last frame of it is gone
    fake_drop(f, &b);
}

// Accounts in accounts: none can take what another was promised.
static void test_nested_accounts(void **state)
{
    struct fake *f = *state;
    struct fake_cap a[8];
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_create(f, f->init, 100, &a[0]), OK);
    for (unsigned i = 1; i < 8; i++)
        assert_int_equal(fake_create(f, a[i - 1], 100 - 10 * i, &a[i]), OK);
    assert_int_equal(fake_map(f, a[0], VA, 5, RW, 0), E_QUOTA);
    assert_int_equal(fake_map(f, a[7], VA, 5, RW, 0), OK);
    assert_int_equal(fake_map(f, a[7], 0, 1, RW, MAP_LAZY), OK);
    assert_int_equal(fake_audit(f), 0);
    for (unsigned i = 0; i < 8; i++) { // the parents' accounts stay until the last goes
        assert_true(f->vm.state->n_free < before);
        fake_drop(f, &a[i]);
        assert_int_equal(fake_audit(f), 0);
    }
    assert_int_equal(f->vm.state->n_free, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_charges),
        FAKE_TEST(test_account_outlives_its_space),
        FAKE_TEST(test_nested_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
