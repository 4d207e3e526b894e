// SPDX-License-Identifier: MIT
// One page at a time: what is done at once, and what is left to the edit, unchanged. That both come
// to the same is what the model's random operations look at.
#include "servers/vmm/core/leaf.h"

#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define PAGE 0x400ull // all of a table
#define VA   (PAGE << PAGE_SHIFT)
#define RW   (PROT_R | PROT_W)

static struct fake_cap new_space(struct fake *f, uint64_t n_pages, unsigned flags)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, VA, n_pages, RW, flags), OK);
    return a;
}

static const struct space *space(struct fake *f, struct fake_cap a)
{
    return space_of(&f->vm, fake_space(f, a));
}

static bool map(struct fake *f, struct fake_cap a, uint64_t page)
{
    return leaf_map(&f->vm, space(f, a)->account, space(f, a)->root, page, RW);
}

static bool unmap(struct fake *f, struct fake_cap a, uint64_t page)
{
    return leaf_unmap(&f->vm, space(f, a)->root, page);
}

static bool own(struct fake *f, struct fake_cap a, uint64_t page)
{
    struct leaf leaf;
    return leaf_find(&f->vm, space(f, a)->root, page, &leaf) &&
           leaf_own(&f->vm, space(f, a)->account, space(f, a)->root, &leaf);
}

static void expect_unchanged(struct fake *f, uint64_t sum, bool was_done)
{
    assert_false(was_done);
    assert_true(sum == fake_sum(f));
}

static void test_map_and_unmap(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 1, 0);
    uint64_t sum = fake_sum(f), n_free = f->vm.state->n_free;
    expect_unchanged(f, sum, map(f, a, PAGE));       // something is there
    expect_unchanged(f, sum, map(f, a, PAGE + 512)); // there is no table
    expect_unchanged(f, sum, unmap(f, a, PAGE + 512));
    expect_unchanged(f, sum, unmap(f, a, PAGE)); // the table would be empty
    assert_true(map(f, a, PAGE + 5));
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(f->vm.state->n_free, n_free - 1);
    unsigned n_flushes = f->n_flushes;
    assert_true(unmap(f, a, PAGE + 5));
    assert_int_equal(f->n_flushes, n_flushes + 1);
    assert_int_equal(f->vm.state->n_free, n_free);
    assert_true(sum == fake_sum(f));
    fake_starve(f, 0);
    expect_unchanged(f, sum, map(f, a, PAGE + 5));
    fake_feed(f);
    fake_drop(f, &a);
}

// The last page of a table may make it one entry.
static void test_the_last_page_of_a_table(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 511, 0);
    uint64_t sum = fake_sum(f);
    expect_unchanged(f, sum, map(f, a, PAGE + 511));
    assert_int_equal(fake_map(f, a, VA + 511 * PAGE_SIZE, 1, RW, 0), OK);
    fake_drop(f, &a);
}

static void test_lazy_pages(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 4, MAP_LAZY), b = new_space(f, 512, MAP_LAZY | MAP_2M);
    uint64_t sum = fake_sum(f), n_free = f->vm.state->n_free;
    uint8_t byte = 1;
    expect_unchanged(f, sum, own(f, b, PAGE));
    assert_true(own(f, a, PAGE + 1));
    assert_int_equal(f->vm.state->n_free, n_free - 1);
    assert_int_equal(fake_read(f, a, VA + PAGE_SIZE, &byte), OK);
    assert_int_equal(byte, 0);
    sum = fake_sum(f);
    fake_starve(f, 0);
    expect_unchanged(f, sum, own(f, a, PAGE + 2));
    fake_feed(f);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

static void test_copy_on_write(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 8, 0), b;
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    uint64_t sum = fake_sum(f);
    expect_unchanged(f, sum, own(f, a, PAGE)); // the tables are still joint
    expect_unchanged(f, sum, unmap(f, a, PAGE));
    assert_int_equal(fake_write(f, a, VA, 7), OK);
    uint64_t n_free = f->vm.state->n_free;
    unsigned n_flushes = f->n_flushes;
    assert_true(own(f, a, PAGE + 1));
    assert_int_equal(f->vm.state->n_free, n_free - 1);
    assert_int_equal(f->n_flushes, n_flushes + 1);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &b);
    n_free = f->vm.state->n_free;
    n_flushes = f->n_flushes;
    assert_true(own(f, a, PAGE + 2)); // nobody else has it any more
    assert_int_equal(f->vm.state->n_free, n_free);
    assert_int_equal(f->n_flushes, n_flushes);
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_map_and_unmap),
        FAKE_TEST(test_the_last_page_of_a_table),
        FAKE_TEST(test_lazy_pages),
        FAKE_TEST(test_copy_on_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
