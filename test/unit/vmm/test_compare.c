// SPDX-License-Identifier: MIT
// What two trees differ in, and runs of pages alike: MAPS, SNAPSHOT, DIFF, ROLLBACK by requests.
#include "servers/vmm/core/compare.h"

#include <string.h>

#include "servers/vmm/core/account.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA  0x400000ull
#define GIB (1ull << 30)
#define RW  (PROT_R | PROT_W)

static struct fake_cap new_space(struct fake *f)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    return a;
}

static void put(struct fake *f, struct fake_cap a, vaddr_t va, uint8_t byte)
{
    assert_int_equal(fake_write(f, a, va, byte), OK);
}

static void expect(struct fake *f, struct fake_cap a, vaddr_t va, uint8_t wanted)
{
    uint8_t byte;
    assert_int_equal(fake_read(f, a, va, &byte), OK);
    assert_int_equal(byte, wanted);
}

static status_t snapshot(struct fake *f, struct fake_cap a, uint64_t quota, struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SNAPSHOT, 0), quota};
    return fake_call(f, a, words, NULL, got, NULL);
}

static status_t rollback(struct fake *f, struct fake_cap a, struct fake_cap to)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_ROLLBACK, 0)};
    return fake_call(f, a, words, &to, NULL, NULL);
}

// One request: the answer's words 1 and 2.
static status_t diff(struct fake *f, struct fake_cap a, struct fake_cap b, vaddr_t va,
                     uint64_t found[2])
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_DIFF, 0), va};
    uint64_t answer[MESSAGE_WORDS] = {0};
    status_t status = fake_call(f, a, words, &b, NULL, answer);
    found[0] = answer[1];
    found[1] = answer[2];
    return status;
}

static void expect_diff(struct fake *f, struct fake_cap a, struct fake_cap b, vaddr_t va,
                        vaddr_t start, uint64_t pages)
{
    uint64_t found[2];
    assert_int_equal(diff(f, a, b, va, found), OK);
    assert_int_equal(found[1], pages);
    if (pages)
        assert_int_equal(found[0], start);
    assert_int_equal(diff(f, b, a, va, found), OK); // it is symmetric
    assert_int_equal(found[1], pages);
}

static void expect_run(struct fake *f, struct fake_cap a, vaddr_t va, vaddr_t start, uint64_t pages,
                       unsigned attributes)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_MAPS, 0), va};
    uint64_t w[MESSAGE_WORDS], query[MESSAGE_WORDS];
    assert_int_equal(fake_call(f, a, words, NULL, NULL, w), OK);
    assert_int_equal(w[2], pages);
    if (!pages)
        return;
    assert_int_equal(w[1], start);
    assert_int_equal(w[3], attributes);
    assert_int_equal(fake_query(f, a, start, query), OK);
    assert_int_equal(w[4], query[4] + (attributes & PAGE_MAPPED ? start - query[1] : 0));
}

static void test_maps(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b, window;
    vaddr_t end = f->vm.state->user_pages << PAGE_SHIFT;
    expect_run(f, a, 0, 0, 0, 0);
    assert_int_equal(fake_map(f, a, VA, 2, RW, 0), OK);
    assert_int_equal(fake_map(f, a, VA + 0x2000, 2, RW, MAP_LAZY), OK);
    assert_int_equal(fake_map(f, a, VA + 0x4000, 1, PROT_R, 0), OK);
    assert_int_equal(fake_map(f, a, 0x40000000, 512, RW, MAP_2M), OK);
    assert_int_equal(fake_map(f, a, end - 0x1000, 1, 0, 0), OK);
    expect_run(f, a, 0, VA, 2, RW | PAGE_MAPPED);
    expect_run(f, a, VA + 0x1000, VA + 0x1000, 1, RW | PAGE_MAPPED);
    expect_run(f, a, VA + 0x2000, VA + 0x2000, 2, RW | PAGE_LAZY);
    expect_run(f, a, VA + 0x4000, VA + 0x4000, 1, PROT_R | PAGE_MAPPED);
    expect_run(f, a, VA + 0x5000, 0x40000000, 512, RW | PAGE_MAPPED | PAGE_2M);
    expect_run(f, a, 0x40003000, 0x40003000, 509, RW | PAGE_MAPPED | PAGE_2M);
    expect_run(f, a, 0x40200000, end - 0x1000, 1, PAGE_MAPPED);
    expect_run(f, a, end, 0, 0, 0);
    expect_run(f, a, ~0xfffull, 0, 0, 0);
    const uint64_t odd[MESSAGE_WORDS] = {vmm_word0(VMM_MAPS, 0), VA + 1};
    assert_int_equal(fake_call(f, a, odd, NULL, NULL, NULL), E_INVAL);
    // Through a window only what lies in it.
    assert_int_equal(fake_derive(f, a, VA + 0x1000, 3, RIGHT_QUERY, &window), OK);
    expect_run(f, window, 0, VA + 0x1000, 1, RW | PAGE_MAPPED);
    expect_run(f, window, VA + 0x3000, VA + 0x3000, 1, RW | PAGE_LAZY);
    expect_run(f, window, VA + 0x4000, 0, 0, 0);
    fake_drop(f, &window);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    expect_run(f, b, 0, VA, 2, RW | PAGE_MAPPED | PAGE_COW);
    put(f, b, VA + 0x1000, 1);
    expect_run(f, b, 0, VA, 1, RW | PAGE_MAPPED | PAGE_COW);
    expect_run(f, b, VA + 0x1000, VA + 0x1000, 1, RW | PAGE_MAPPED);
    fake_drop(f, &b);
    fake_drop(f, &a);
}

// A run is cut when it gets long, and goes on where it was cut.
static void test_maps_is_bounded(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    const unsigned n = 5000, attributes = PROT_R | PAGE_MAPPED | PAGE_SHARED;
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_MAPS, 0), GIB};
    uint64_t w[MESSAGE_WORDS];
    assert_int_equal(fake_map(f, a, VA, 1, RW, 0), OK);
    for (unsigned i = 0; i < n; i++) // the same page, so that no two make a larger one
        assert_int_equal(fake_share(f, a, VA, 1, a, GIB + i * 0x1000, PROT_R), OK);
    assert_int_equal(fake_call(f, a, words, NULL, NULL, w), OK);
    uint64_t pages = w[2];
    assert_true(pages >= 512 && pages < n);
    expect_run(f, a, GIB + (pages << PAGE_SHIFT), GIB + (pages << PAGE_SHIFT), n - pages,
               attributes);
    fake_drop(f, &a);
}

static void test_diff(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    assert_int_equal(fake_map(f, a, VA, 8, RW, 0), OK);
    assert_int_equal(fake_map(f, a, 1ull << 40, 1 << 18, RW, MAP_LAZY), OK);
    assert_int_equal(fake_map(f, a, 0x40000000, 512, RW, MAP_2M), OK);
    expect_diff(f, a, a, 0, 0, 0);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    expect_diff(f, a, b, 0, 0, 0);
    put(f, b, VA + 0x1000, 1);
    put(f, b, VA + 0x2000, 1);
    put(f, b, VA + 0x4000, 1);
    expect_diff(f, a, b, 0, VA + 0x1000, 2);
    expect_diff(f, a, b, VA + 0x2000, VA + 0x2000, 1);
    expect_diff(f, a, b, VA + 0x3000, VA + 0x4000, 1);
    expect_diff(f, a, b, VA + 0x5000, 0, 0);
    expect_diff(f, a, b, 1ull << 60, 0, 0);
    // First touch of a lazy page, part of a large one, rights, and mapped in one alone.
    put(f, b, (1ull << 40) + 0x5000, 1);
    expect_diff(f, a, b, VA + 0x5000, (1ull << 40) + 0x5000, 1);
    put(f, a, 0x40003000, 1);
    expect_diff(f, a, b, VA + 0x5000, 0x40003000, 1);
    assert_int_equal(fake_protect(f, a, VA + 0x5000, 1, PROT_R), OK);
    assert_int_equal(fake_unmap(f, a, VA + 0x6000, 2), OK);
    expect_diff(f, a, b, VA + 0x5000, VA + 0x5000, 3);
    assert_int_equal(fake_map(f, b, VA + 0x9000, 1, 0, MAP_LAZY), OK); // a guard is something
    expect_diff(f, a, b, VA + 0x8000, VA + 0x9000, 1);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

static void test_diff_in_windows(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b, narrow, low, blind;
    uint64_t found[2];
    assert_int_equal(fake_map(f, a, VA, 8, RW, 0), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COPY, 0, &b), OK);
    assert_int_equal(fake_derive(f, a, VA + 0x2000, 4, RIGHT_QUERY, &narrow), OK);
    assert_int_equal(fake_derive(f, b, VA, 3, RIGHT_QUERY, &low), OK);
    expect_diff(f, a, b, 0, VA, 8);
    expect_diff(f, narrow, b, 0, VA + 0x2000, 4);
    expect_diff(f, narrow, low, 0, VA + 0x2000, 1);
    expect_diff(f, narrow, low, VA + 0x3000, 0, 0);
    assert_int_equal(fake_derive(f, b, VA, 3, RIGHTS_SPACE & ~RIGHT_QUERY, &blind), OK);
    assert_int_equal(diff(f, a, blind, 0, found), E_RIGHT);
    assert_int_equal(diff(f, a, b, 1, found), E_INVAL);
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_DIFF, 0)};
    assert_int_equal(fake_call(f, a, words, NULL, NULL, NULL), E_SLOT);
    fake_drop(f, &narrow);
    fake_drop(f, &low);
    fake_drop(f, &blind);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// Two spaces that agree in many entries without sharing a table: bounded steps, to the end.
static void test_diff_in_steps(void **state)
{
    struct fake *f = *state;
    struct fake_cap s[2] = {new_space(f), new_space(f)};
    uint64_t found[2] = {0};
    for (unsigned i = 0; i < 6000; i++)
        for (unsigned j = 0; j < 2; j++) // rights that differ from page to page
            assert_int_equal(fake_map(f, s[j], GIB + i * 0x1000, 1, i & 1 ? RW : PROT_R, MAP_LAZY),
                             OK);
    assert_int_equal(fake_map(f, s[1], GIB + 6000 * 0x1000, 1, RW, MAP_LAZY), OK);
    f->n_more = 0;
    assert_int_equal(diff(f, s[0], s[1], 0, found), OK);
    assert_true(f->n_more >= 1 && f->n_more < 10);
    assert_int_equal(found[0], GIB + 6000 * 0x1000);
    assert_int_equal(found[1], 1);
    fake_drop(f, &s[0]);
    fake_drop(f, &s[1]);
}

// Nobody runs in a snapshot, maps in it or derives from it; what is cloned from it has all rights.
static void test_snapshot(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), s, again, b, got;
    assert_int_equal(fake_map(f, a, VA, 4, RW, 0), OK);
    put(f, a, VA, 1);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(snapshot(f, a, 0, &s), OK);
    assert_int_equal(before - f->vm.state->n_free, 1); // the root alone
    put(f, a, VA, 2);
    expect(f, s, VA, 1);
    expect_diff(f, a, s, 0, VA, 1);
    assert_int_equal(fake_map(f, s, GIB, 1, PROT_R, 0), E_RIGHT);
    assert_int_equal(fake_unmap(f, s, VA, 1), E_RIGHT);
    assert_int_equal(fake_spawn(f, s, NULL, &got), E_RIGHT);
    assert_int_equal(fake_share(f, s, VA, 1, a, GIB, PROT_R), E_RIGHT);
    assert_int_equal(fake_derive(f, s, VA, 1, RIGHT_READ, &got), E_RIGHT);
    assert_int_equal(rollback(f, s, s), E_RIGHT);
    assert_int_equal(snapshot(f, s, 0, &again), OK); // of a snapshot
    assert_int_equal(fake_clone(f, again, CLONE_COW, 0, &b), OK);
    put(f, b, VA, 3);
    assert_int_equal(fake_map(f, b, GIB, 1, RW, 0), OK);
    expect(f, s, VA, 1);
    fake_drop(f, &a);
    fake_drop(f, &s);
    expect(f, again, VA, 1);
    fake_drop(f, &again);
    fake_drop(f, &b);
    // Whoever took it could not write either.
    a = new_space(f);
    assert_int_equal(fake_derive(f, a, 0, f->vm.state->user_pages, RIGHT_CLONE | RIGHT_READ, &got),
                     OK);
    assert_int_equal(snapshot(f, got, 0, &s), OK);
    assert_int_equal(fake_clone(f, s, CLONE_COW, 0, &b), OK);
    assert_int_equal(fake_map(f, b, VA, 1, PROT_R, 0), E_RIGHT);
    assert_int_equal(rollback(f, a, s), E_RIGHT);
    fake_drop(f, &got);
    fake_drop(f, &s);
    fake_drop(f, &b);
    fake_drop(f, &a);
}

static void test_snapshot_on_a_quota(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, s;
    assert_int_equal(fake_create(f, f->init, 20, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 2, RW, 0), OK);
    assert_int_equal(snapshot(f, a, 15, &s), E_QUOTA);
    assert_int_equal(snapshot(f, a, 7, &s), OK);
    assert_true(space_of(&f->vm, fake_space(f, s))->has_own_account);
    fake_drop(f, &s);
    fake_drop(f, &a);
}

// All that was done since is gone, and what it cost is back; nothing is allocated.
static void test_rollback(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), s;
    uint8_t byte;
    paddr_t root = fake_root(f, a);
    assert_int_equal(fake_map(f, a, VA, 4, RW, 0), OK);
    assert_int_equal(fake_map(f, a, 1ull << 40, 1 << 18, RW, MAP_LAZY), OK);
    put(f, a, VA, 1);
    assert_int_equal(snapshot(f, a, 0, &s), OK);
    uint64_t before = f->vm.state->n_free;
    for (unsigned i = 0; i < 3; i++) {
        put(f, a, VA, 2);
        put(f, a, (1ull << 40) + 0x7000, 3);
        assert_int_equal(fake_unmap(f, a, VA + 0x1000, 1), OK);
        assert_int_equal(fake_map(f, a, 3 * GIB, 16, RW, 0), OK);
        fake_starve(f, 0);
        unsigned flushes = f->n_flushes;
        assert_int_equal(rollback(f, a, s), OK);
        assert_true(f->n_flushes > flushes);
        fake_feed(f);
        assert_int_equal(fake_audit(f), 0);
        assert_int_equal(f->vm.state->n_free, before);
        assert_true(fake_root(f, a) == root); // what its tasks are bound to
        expect_diff(f, a, s, 0, 0, 0);
        expect(f, a, VA, 1);
        expect(f, a, VA + 0x1000, 0);
        assert_int_equal(fake_read(f, a, 3 * GIB, &byte), E_FAULT);
    }
    put(f, a, VA, 9);
    expect(f, s, VA, 1);
    assert_int_equal(rollback(f, a, a), OK); // to what it is
    expect(f, a, VA, 9);
    fake_drop(f, &s);
    put(f, a, VA + 0x1000, 8);
    expect(f, a, VA, 9);
    fake_drop(f, &a);
}

// To another's snapshot, of an empty one, and through weak capabilities.
static void test_rollback_to_something_else(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b = new_space(f), weak, window, empty;
    assert_int_equal(fake_map(f, a, VA, 4, RW, 0), OK);
    assert_int_equal(fake_map(f, b, VA + 0x2000, 4, RW, 0), OK);
    put(f, a, VA, 1);
    put(f, b, VA + 0x2000, 2);
    assert_int_equal(snapshot(f, f->init, 0, &empty), OK);
    fake_drop(f, &empty);
    empty = new_space(f);
    uint64_t pages = f->vm.state->user_pages;
    assert_int_equal(fake_derive(f, b, 0, pages, RIGHTS_SPACE & ~RIGHT_CLONE, &weak), OK);
    assert_int_equal(rollback(f, a, weak), E_RIGHT);
    fake_drop(f, &weak);
    assert_int_equal(fake_derive(f, b, 0, pages, RIGHTS_SPACE & ~RIGHT_WRITE, &weak), OK);
    assert_int_equal(rollback(f, a, weak), E_RIGHT);
    fake_drop(f, &weak);
    assert_int_equal(fake_derive(f, b, 0, pages - 1, RIGHTS_SPACE, &window), OK);
    assert_int_equal(rollback(f, a, window), E_RIGHT);
    assert_int_equal(rollback(f, window, a), E_RIGHT);
    fake_drop(f, &window);
    expect(f, a, VA, 1);
    assert_int_equal(rollback(f, a, b), OK);
    assert_int_equal(fake_audit(f), 0);
    expect(f, a, VA + 0x2000, 2);
    put(f, a, VA + 0x2000, 3);
    put(f, b, VA + 0x3000, 4);
    expect(f, b, VA + 0x2000, 2);
    expect(f, a, VA + 0x3000, 0);
    assert_int_equal(rollback(f, a, empty), OK);
    expect_run(f, a, 0, 0, 0, 0);
    put(f, b, VA + 0x2000, 5);
    fake_drop(f, &a);
    fake_drop(f, &b);
    fake_drop(f, &empty);
}

// Pages shared on purpose stay coherent through a rollback.
static void test_rollback_keeps_shared_pages(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b = new_space(f), s;
    assert_int_equal(fake_map(f, a, VA, 2, RW, 0), OK);
    assert_int_equal(fake_share(f, a, VA, 1, b, VA, RW), OK);
    assert_int_equal(snapshot(f, a, 0, &s), OK);
    put(f, a, VA, 1);
    put(f, a, VA + 0x1000, 1);
    assert_int_equal(rollback(f, a, s), OK);
    expect(f, a, VA, 1); // coherent with b, as always
    expect(f, a, VA + 0x1000, 0);
    put(f, b, VA, 2);
    expect(f, a, VA, 2);
    fake_drop(f, &a);
    fake_drop(f, &b);
    fake_drop(f, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_maps),
        FAKE_TEST(test_maps_is_bounded),
        FAKE_TEST(test_diff),
        FAKE_TEST(test_diff_in_windows),
        FAKE_TEST(test_diff_in_steps),
        FAKE_TEST(test_snapshot),
        FAKE_TEST(test_snapshot_on_a_quota),
        FAKE_TEST(test_rollback),
        FAKE_TEST(test_rollback_to_something_else),
        FAKE_TEST(test_rollback_keeps_shared_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
