// SPDX-License-Identifier: MIT
// Long requests in steps of a few units: what others see and do between them.
#include "servers/vmm/core/job.h"

#include <string.h>

#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA    0x40000000ull
#define RW    (PROT_R | PROT_W)
#define PAGES 40u

static struct fake_cap new_space(struct fake *f, uint64_t quota)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, quota, &a), OK);
    return a;
}

static bool is_locked(struct fake *f, struct fake_cap a)
{
    return space_of(&f->vm, fake_space(f, a))->job.n;
}

static void audit_between(struct fake *f)
{
    assert_int_equal(fake_audit(f), 0);
}

// Every request in steps of every small size: as if it had been done at once, and the books are right
// after each step.
static void test_in_steps(void **state)
{
    struct fake *f = *state;
    f->between = audit_between;
    for (unsigned work = 1; work < 200; work = work * 3 + 1) {
        struct fake_cap a = new_space(f, 0), b = new_space(f, 0), c;
        uint8_t byte = 1;
        f->vm.state->step_work = work;
        f->n_more = 0;
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
        for (unsigned i = 0; i < PAGES; i++)
            assert_int_equal(fake_write(f, a, VA + i * PAGE_SIZE, (uint8_t)i), OK);
        assert_int_equal(fake_clone(f, a, CLONE_COPY, 0, &c), OK);
        assert_int_equal(fake_protect(f, a, VA, PAGES, PROT_R), OK);
        assert_int_equal(fake_write(f, a, VA + 9 * PAGE_SIZE, 1), E_FAULT);
        assert_int_equal(fake_protect(f, a, VA, PAGES, RW), OK);
        assert_int_equal(fake_share(f, c, VA, PAGES, b, VA, RW), OK);
        assert_int_equal(fake_move(f, a, VA, PAGES, b, 2 * VA, RW), OK);
        assert_int_equal(fake_read(f, a, VA, &byte), E_FAULT);
        for (unsigned i = 0; i < PAGES; i++) {
            assert_int_equal(fake_read(f, b, 2 * VA + i * PAGE_SIZE, &byte), OK);
            assert_int_equal(byte, i);
            assert_int_equal(fake_write(f, b, VA + i * PAGE_SIZE, 7), OK);
            assert_int_equal(fake_read(f, c, VA + i * PAGE_SIZE, &byte), OK);
            assert_int_equal(byte, 7);
        }
        assert_int_equal(fake_unmap(f, b, VA, PAGES), OK);
        assert_true(f->n_more > 20);
        f->vm.state->step_work = STEP_WORK;
        fake_drop(f, &a);
        fake_drop(f, &b);
        fake_drop(f, &c);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// The first step of a long map: the space is locked from then on.
static void map_first_step(struct fake *f, struct fake_cap a, uint64_t words[MESSAGE_WORDS])
{
    const uint64_t first[MESSAGE_WORDS] = {vmm_word0(VMM_MAP, MAP_4K), VA, 2000, RW};
    memcpy(words, first, sizeof first);
    assert_int_equal(fake_step(f, a, words, NULL), E_MORE);
    assert_true(is_locked(f, a));
    assert_int_equal(words[1], VA);
    words[0] = first[0];
}

// Who finds a job that has begun to change something finishes it, and its caller is told so when he
// comes back. Others are not concerned.
static void test_others_help(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), b = new_space(f, 0);
    uint64_t words[MESSAGE_WORDS], other[MESSAGE_WORDS] = {vmm_word0(VMM_MAP, 0), VA, 1, RW};
    map_first_step(f, a, words);
    assert_int_equal(words[5] & 1, 1);
    assert_int_equal(fake_step(f, b, other, NULL), OK);
    assert_true(is_locked(f, a));
    assert_int_equal(fake_write(f, a, VA + 1999 * PAGE_SIZE, 3), OK); // a fault helps
    assert_false(is_locked(f, a));
    assert_int_equal(fake_step(f, a, words, NULL), OK);
    assert_int_equal(fake_map(f, a, VA, 1, RW, 0), E_EXISTS);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// A job that has changed nothing yet gives way, and its caller begins anew.
static void test_a_plan_gives_way(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), b = new_space(f, 0);
    uint64_t share[MESSAGE_WORDS] = {vmm_word0(VMM_SHARE, 0), VA, PAGES, VA, RW};
    const uint64_t word0 = share[0];
    assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
    f->vm.state->step_work = 10;
    assert_int_equal(fake_step(f, a, share, &b), E_MORE);
    assert_int_equal(share[5] & 1, 0);
    assert_true(is_locked(f, a) && is_locked(f, b));
    f->vm.state->step_work = STEP_WORK;
    assert_int_equal(fake_unmap(f, a, VA, 1), OK); // it is not shared then
    assert_false(is_locked(f, a) || is_locked(f, b));
    share[0] = word0;
    assert_int_equal(fake_step(f, a, share, &b), E_FAULT);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// A space that goes takes its job along, wherever that is, and the other one is free.
static void test_the_space_goes(void **state)
{
    struct fake *f = *state;
    for (unsigned steps = 1; steps < 60; steps++) {
        struct fake_cap a = new_space(f, 300), b = new_space(f, 0);
        uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_MOVE, 0), VA, PAGES, VA, RW};
        const uint64_t word0 = words[0];
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_LAZY), OK);
        f->vm.state->step_work = 30;
        for (unsigned i = 0; i < steps && fake_step(f, a, words, &b) == E_MORE; i++)
            words[0] = word0;
        f->vm.state->step_work = STEP_WORK;
        fake_drop(f, &a);
        assert_false(is_locked(f, b));
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &b);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// A token is no good in other hands, nor when it is made up.
static void test_tokens(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), d;
    uint64_t words[MESSAGE_WORDS];
    assert_int_equal(fake_derive(f, a, 0, 1 << 20, RIGHTS_SPACE, &d), OK);
    map_first_step(f, a, words);
    words[5] &= ~1ull;                                                    // of a job that gave way
    assert_int_equal(fake_call(f, d, words, NULL, NULL, NULL), E_EXISTS); // helps, and is too late
    words[5] = 0x123456;
    assert_int_equal(fake_call(f, a, words, NULL, NULL, NULL), E_EXISTS);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &d);
    fake_drop(f, &a);
}

// In steps too, what finds no memory or no quota has changed nothing.
static void test_failures_in_steps(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), b = new_space(f, 0);
    assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_LAZY), OK);
    f->vm.state->step_work = 4;
    for (unsigned k = 0;; k++) {
        fake_starve(f, k);
        uint64_t sum = fake_sum(f);
        status_t status = fake_share(f, a, VA, PAGES, b, VA, RW);
        if (status == OK)
            break;
        assert_int_equal(status, E_NOMEM);
        assert_true(fake_sum(f) == sum);
        assert_int_equal(f->vm.state->n_free, k);
        assert_int_equal(fake_audit(f), 0);
    }
    f->vm.state->step_work = STEP_WORK;
    fake_feed(f);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// A capability is revoked whose job shares pages, or is about to: none comes through it after that,
// even if nothing has yet, or somebody helps.
static void test_the_grant_goes(void **state)
{
    struct fake *f = *state;
    for (unsigned steps = 1; steps < 80; steps++) {
        struct fake_cap a = new_space(f, 0), b = new_space(f, 0), parent, leaf;
        uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SHARE, 0), VA, PAGES, VA, RW};
        const uint64_t word0 = words[0];
        assert_int_equal(fake_derive(f, a, 0, 1 << 20, RIGHTS_SPACE, &parent), OK);
        assert_int_equal(fake_derive(f, parent, 0, 1 << 20, RIGHTS_SPACE, &leaf), OK);
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_LAZY), OK);
        f->vm.state->step_work = 30;
        for (unsigned i = 0; i < steps && fake_step(f, leaf, words, &b) == E_MORE; i++)
            words[0] = word0;
        f->vm.state->step_work = STEP_WORK;
        assert_int_equal(fake_revoke(f, a, &parent), OK);
        assert_int_equal(fake_audit(f), 0);
        for (unsigned i = 0; i < PAGES; i++) {
            uint8_t byte;
            assert_int_equal(fake_read(f, b, VA + i * PAGE_SIZE, &byte), E_FAULT);
        }
        assert_false(is_locked(f, a) || is_locked(f, b));
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &leaf);
        fake_drop(f, &parent);
        fake_drop(f, &a);
        fake_drop(f, &b);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// A plan made for a capability that is revoked is none any more: its caller has to show it again.
static void test_the_destination_goes(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), b = new_space(f, 0), to;
    uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SHARE, 0), VA, PAGES, VA, RW};
    const uint64_t word0 = words[0];
    assert_int_equal(fake_derive(f, b, 0, 1 << 20, RIGHTS_SPACE, &to), OK);
    assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
    f->vm.state->step_work = 10;
    assert_int_equal(fake_step(f, a, words, &to), E_MORE);
    assert_int_equal(words[5] & 1, 0);
    f->vm.state->step_work = STEP_WORK;
    assert_int_equal(fake_revoke(f, b, &to), OK);
    words[0] = word0;
    assert_int_equal(fake_step(f, a, words, NULL), E_SLOT);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &to);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_in_steps),         FAKE_TEST(test_others_help),
        FAKE_TEST(test_a_plan_gives_way), FAKE_TEST(test_the_space_goes),
        FAKE_TEST(test_tokens),           FAKE_TEST(test_failures_in_steps),
        FAKE_TEST(test_the_grant_goes),   FAKE_TEST(test_the_destination_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
