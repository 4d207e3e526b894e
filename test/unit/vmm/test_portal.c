// SPDX-License-Identifier: MIT
// Portals: places in frames that the kernel has, and the VMM's side of them.
#include "servers/vmm/core/portal.h"

#include <stdlib.h>

#include "servers/vmm/core/account.h"
#include "test/unit/fake/vmm/fake.h"
#include "test/unit/fake/vmm/kernel.h"

#define N 250u

static record_t new_account(struct fake *f, uint64_t quota)
{
    record_t account;
    assert_int_equal(account_create(&f->vm, f->vm.state->root_account, quota, &account), OK);
    return account;
}

static void end_account(struct fake *f, record_t account)
{
    assert_int_equal(account_of(&f->vm, account)->charged, 0);
    account_release(&f->vm, account);
    vmm_settle(&f->vm);
}

// Two frames a hundred, one of them the kernel's; all come back.
static void test_places(void **state)
{
    struct fake *f = *state;
    static portal_t numbers[N];
    record_t account = new_account(f, 20);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(portal_alloc(&f->vm, account, PORTAL_TASK, i + 1, &numbers[i]), OK);
        assert_true(numbers[i] >= PORTALS_IN_FRAME);
    }
    assert_int_equal(account_of(&f->vm, account)->charged, 6);
    for (unsigned i = 0; i < N; i++) {
        const struct portal *p = portal_find(&f->vm, numbers[i], PORTAL_TASK);
        assert_non_null(p);
        assert_int_equal(p->owner, i + 1);
        assert_null(portal_find(&f->vm, numbers[i], PORTAL_GRANT));
    }
    srand(6);
    for (unsigned i = 0; i < N; i++) {
        unsigned j = i + (unsigned)rand() % (N - i);
        portal_free(&f->vm, numbers[j]);
        numbers[j] = numbers[i];
    }
    end_account(f, account);
}

// Numbers that no portal has, as they could come with a message.
static void test_strange_numbers(void **state)
{
    struct fake *f = *state;
    static const uint64_t numbers[] = {
        0, VMM_OBJECT_ENDPOINT * PORTALS_IN_FRAME, 1u << 31, UINT32_MAX, 1ull << 32, ~0ull};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (unsigned kind = PORTAL_FREE; kind <= PORTAL_FOREIGN; kind++)
            assert_null(portal_find(&f->vm, numbers[i], (enum portal_kind)kind));
}

// The same whether the VMM's frame, the kernel's, or the kernel's word is missing.
static void test_failures(void **state)
{
    struct fake *f = *state;
    record_t account = new_account(f, 20);
    portal_t number = 77;
    for (unsigned k = 0; k < 2; k++) {
        account_of(&f->vm, account)->quota = k;
        assert_int_equal(portal_alloc(&f->vm, account, PORTAL_TASK, 1, &number), E_QUOTA);
        vmm_settle(&f->vm);
    }
    account_of(&f->vm, account)->quota = 20;
    f->fail_call = 1;
    assert_int_equal(portal_alloc(&f->vm, account, PORTAL_TASK, 1, &number), E_LIMIT);
    assert_int_equal(number, 77);
    end_account(f, account);
}

// Revoked, it is dead at once; its place is free when the kernel says that nobody refers to it.
static void test_kill(void **state)
{
    struct fake *f = *state;
    record_t account = new_account(f, 20);
    portal_t number;
    uint32_t endpoint;
    uint64_t badge;
    assert_int_equal(portal_alloc(&f->vm, account, PORTAL_TASK, 1, &number), OK);
    assert_int_equal(portal_mint(&f->vm, number, VMM_SLOT_ANSWER), OK);
    assert_true(kernel_portal_info(f, number, &endpoint, &badge));
    assert_int_equal(badge, portal_badge(&f->vm, PORTAL_TASK, number));
    assert_int_equal(badge_kind(badge), PORTAL_TASK);
    assert_int_equal(badge_portal(badge), number);
    portal_kill(&f->vm, number);
    assert_false(kernel_portal_info(f, number, &endpoint, &badge));
    assert_null(portal_find(&f->vm, number, PORTAL_TASK));
    assert_non_null(portal_find(&f->vm, number, PORTAL_DEAD));
    kernel_drop(f, &f->slots[VMM_SLOT_ANSWER]);
    fake_pump(f);
    end_account(f, account);
}

// A request needs a kind and some rights, of whatever first page.
static void test_needs(void **state)
{
    (void)state;
    for (unsigned kind = PORTAL_FREE; kind <= PORTAL_FOREIGN; kind++)
        for (unsigned has = 0; has < 15; has++)
            for (unsigned needs = 0; needs < 15; needs++) {
                const struct portal p = {
                    .kind = kind, .rights = (1u << has) - 1, .first = has * 0x1234567ull};
                bool expected = kind == PORTAL_GRANT && needs < has;
                assert_int_equal(portal_has(&p, portal_need(PORTAL_GRANT, 1u << needs)), expected);
                assert_int_equal(portal_has(&p, portal_need(PORTAL_TASK, 0)), kind == PORTAL_TASK);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_places), FAKE_TEST(test_strange_numbers), FAKE_TEST(test_failures),
        FAKE_TEST(test_kill),   cmocka_unit_test(test_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
