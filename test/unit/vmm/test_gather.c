// SPDX-License-Identifier: MIT
// Invalidations gathered over a request: few calls, and none forgotten.
#include "servers/vmm/core/flush.h"
#include "test/unit/fake/vmm/fake.h"

#define ROOT 0x5000ull

static void expect_one(struct fake *f, paddr_t root, vaddr_t va, uint64_t pages)
{
    unsigned before = f->n_flushes;
    flush_issue(&f->vm);
    assert_int_equal(f->n_flushes, before + 1);
    assert_true(f->last_flush.root == root && f->last_flush.va == va &&
                f->last_flush.pages == pages);
    flush_issue(&f->vm); // issued once
    assert_int_equal(f->n_flushes, before + 1);
}

static void test_neighbours_are_joined(void **state)
{
    struct fake *f = *state;
    for (unsigned i = 0; i < 5; i++)
        flush_pages(&f->vm, ROOT, 0x10000 + i * PAGE_SIZE, 1);
    flush_pages(&f->vm, ROOT, 0x12000, 1); // again
    expect_one(f, ROOT, 0x10000, 5);
    flush_pages(&f->vm, ROOT, 0x10000, 4);
    flush_pages(&f->vm, ROOT, 0xe000, 2);  // up to it
    flush_pages(&f->vm, ROOT, 0x12000, 4); // over its end
    expect_one(f, ROOT, 0xe000, 8);
}

static void test_many_pages_become_all(void **state)
{
    struct fake *f = *state;
    for (unsigned i = 0; i < FLUSH_PAGES_MAX; i++)
        flush_pages(&f->vm, ROOT, i * PAGE_SIZE, 1);
    expect_one(f, ROOT, 0, FLUSH_PAGES_MAX);
    for (unsigned i = 0; i < 500; i++)
        flush_pages(&f->vm, ROOT, i * PAGE_SIZE, 1);
    expect_one(f, ROOT, 0, 0);
    flush_pages(&f->vm, ROOT, 0x10000, FLUSH_PAGES_MAX);
    flush_pages(&f->vm, ROOT, 0xf000, 1);
    expect_one(f, ROOT, 0, 0);
    flush_pages(&f->vm, ROOT, 0, FLUSH_PAGES_MAX + 1);
    expect_one(f, ROOT, 0, 0);
}

// Pages here and there of one space: one call is cheaper than many.
static void test_scattered_pages_become_all(void **state)
{
    struct fake *f = *state;
    unsigned before = f->n_flushes;
    for (unsigned i = 0; i < FLUSH_PARTS_MAX; i++)
        flush_pages(&f->vm, ROOT, i * 0x10000, 1);
    flush_issue(&f->vm);
    assert_int_equal(f->n_flushes, before + FLUSH_PARTS_MAX);
    for (unsigned i = 0; i < 20; i++)
        flush_pages(&f->vm, ROOT, i * 0x10000, 1);
    expect_one(f, ROOT, 0, 0);
}

static void test_all_swallows_pages(void **state)
{
    struct fake *f = *state;
    flush_pages(&f->vm, ROOT, 0x1000, 1);
    flush_pages(&f->vm, ROOT, 0x9000, 1);
    flush_space(&f->vm, ROOT);
    flush_pages(&f->vm, ROOT, 0x20000, 1);
    flush_space(&f->vm, ROOT);
    expect_one(f, ROOT, 0, 0);
}

// Pages of many spaces: each is flushed, however many there are.
static void test_nothing_is_forgotten(void **state)
{
    struct fake *f = *state;
    unsigned before = f->n_flushes;
    for (unsigned i = 0; i < 20; i++)
        flush_pages(&f->vm, ROOT + (i % 10) * PAGE_SIZE, i * 0x10000, 1);
    flush_issue(&f->vm);
    assert_int_equal(f->n_flushes, before + 20);
}

// Tables need any invalidation in their space, so none of their own if there is one.
static void test_tables(void **state)
{
    struct fake *f = *state;
    flush_pages(&f->vm, ROOT, 0x10000, 2);
    flush_tables(&f->vm, ROOT, 0x90000);
    expect_one(f, ROOT, 0x10000, 2);
    flush_tables(&f->vm, ROOT, 0x90000);
    flush_tables(&f->vm, ROOT, 0x40000);
    expect_one(f, ROOT, 0x90000, 1);
    flush_tables(&f->vm, ROOT, 0x90000);
    flush_pages(&f->vm, ROOT, 0x30000, 3);
    expect_one(f, ROOT, 0x30000, 3);
    flush_tables(&f->vm, ROOT, 0x90000);
    flush_pages(&f->vm, ROOT, 0x30000, FLUSH_PAGES_MAX + 1);
    expect_one(f, ROOT, 0, 0);
    flush_space(&f->vm, ROOT);
    flush_tables(&f->vm, ROOT, 0x90000);
    expect_one(f, ROOT, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_neighbours_are_joined),      FAKE_TEST(test_many_pages_become_all),
        FAKE_TEST(test_scattered_pages_become_all), FAKE_TEST(test_all_swallows_pages),
        FAKE_TEST(test_nothing_is_forgotten),       FAKE_TEST(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
