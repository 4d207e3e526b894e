// SPDX-License-Identifier: MIT
// Pages of 2 MiB and 1 GiB: chosen, split, joined, copied, shared and moved.
#include <string.h>

#include "servers/vmm/core/edit.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"
#include "test/unit/fake/vmm/walker.h"

#define VA  0x40000000ull
#define VB  0x80000000ull
#define RW  (PROT_R | PROT_W)
#define MIB 0x100000ull

static struct fake_cap new_space(struct fake *f)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    return a;
}

static unsigned size_shift(struct fake *f, struct fake_cap a, vaddr_t va)
{
    struct walk w = walk_user(f->memory, fake_root(f, a), f->info.levels, va, WALK_READ);
    return w.is_allowed ? w.size_shift : 0;
}

static bool is_writable(struct fake *f, struct fake_cap a, vaddr_t va)
{
    return walk_user(f->memory, fake_root(f, a), f->info.levels, va, WALK_WRITE).is_allowed;
}

static void expect(struct fake *f, struct fake_cap a, vaddr_t va, uint8_t expected)
{
    uint8_t byte;
    assert_int_equal(fake_read(f, a, va, &byte), OK);
    assert_int_equal(byte, expected);
}

// Leaves no two free frames in a row: every second page of a space that has all of them.
static struct fake_cap new_fragments(struct fake *f)
{
    struct fake_cap all = new_space(f);
    uint64_t n = f->vm.state->n_free - f->vm.state->n_free / PTE_ENTRIES - f->info.levels - 1;
    assert_int_equal(fake_map(f, all, 1ull << 40, n, RW, MAP_4K), OK);
    fake_starve(f, 0);
    for (uint64_t i = 0; i < n; i += 2)
        assert_int_equal(fake_unmap(f, all, (1ull << 40) + i * PAGE_SIZE, 1), OK);
    return all;
}

static void drop_fragments(struct fake *f, struct fake_cap *all)
{
    fake_feed(f);
    fake_drop(f, all);
}

// M2: as large as range and alignment allow, unless 4 KiB are asked for.
static void test_size_is_chosen(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_map(f, a, VA, 512, RW, 0), OK);
    assert_int_equal(before - f->vm.state->n_free, 512 + f->info.levels - 2);
    assert_int_equal(size_shift(f, a, VA + 1 * MIB), 21);
    assert_int_equal(fake_map(f, a, VB - 0x1000, 514, RW, 0), OK);
    assert_int_equal(size_shift(f, a, VB - 0x1000), 12);
    assert_int_equal(size_shift(f, a, VB), 21);
    assert_int_equal(size_shift(f, a, VB + 2 * MIB), 12);
    assert_int_equal(fake_map(f, a, VB + 16 * MIB, 512, RW, MAP_4K), OK);
    assert_int_equal(size_shift(f, a, VB + 16 * MIB), 12);
    assert_int_equal(fake_map(f, a, VB + 32 * MIB, 512, RW, MAP_LAZY), OK);
    assert_int_equal(fake_write(f, a, VB + 32 * MIB, 1), OK);
    assert_int_equal(size_shift(f, a, VB + 32 * MIB), 12);
    // Over what is there: a table goes for a large page, and a large page for a table.
    assert_int_equal(fake_map(f, a, VB + 16 * MIB, 512, RW, MAP_REPLACE), OK);
    assert_int_equal(size_shift(f, a, VB + 16 * MIB), 21);
    assert_int_equal(fake_map(f, a, VA + 0x1000, 3, PROT_R, MAP_REPLACE), OK);
    assert_int_equal(size_shift(f, a, VA + 0x4000), 12);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
}

// Where no block is free, smaller pages do; not if the size was asked for.
static void test_size_falls_back(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), all = new_fragments(f);
    uint64_t sum = fake_sum(f), before = f->vm.state->n_free;
    assert_true(before > 1100);
    assert_int_equal(fake_map(f, a, VA, 512, RW, MAP_2M), E_NOMEM);
    assert_true(fake_sum(f) == sum);
    assert_int_equal(fake_map(f, a, VA, 1024, RW, 0), OK);
    assert_int_equal(size_shift(f, a, VA + 3 * MIB), 12);
    assert_int_equal(before - f->vm.state->n_free, 1024 + f->info.levels);
    for (unsigned i = 0; i < 1024; i += 93)
        expect(f, a, VA + i * PAGE_SIZE, 0);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_unmap(f, a, VA, 1024), OK);
    assert_int_equal(f->vm.state->n_free, before);
    // Enough for the pages, not for the tables that small ones need.
    sum = fake_sum(f);
    fake_starve(f, 512 + f->info.levels - 2);
    assert_int_equal(fake_map(f, a, VA, 512, RW, 0), E_NOMEM);
    assert_true(fake_sum(f) == sum);
    drop_fragments(f, &all);
    fake_drop(f, &a);
}

// U5, and back: what was split is joined when all of its parts are alike again.
static void test_split_and_join(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint64_t before;
    assert_int_equal(fake_map(f, a, VA, 512, RW, 0), OK);
    before = f->vm.state->n_free;
    assert_int_equal(fake_write(f, a, VA + 0x5000, 5), OK);
    assert_int_equal(fake_protect(f, a, VA + 0x5000, 2, PROT_R), OK);
    assert_int_equal(size_shift(f, a, VA), 12);
    assert_false(is_writable(f, a, VA + 0x5000));
    assert_true(is_writable(f, a, VA + 0x7000)); // the neighbours
    assert_int_equal(before - f->vm.state->n_free, 1);
    assert_int_equal(fake_protect(f, a, VA + 0x5000, 1, RW), OK);
    assert_int_equal(size_shift(f, a, VA), 12);
    unsigned flushes = f->n_flushes;
    assert_int_equal(fake_protect(f, a, VA + 0x6000, 1, RW), OK);
    assert_int_equal(size_shift(f, a, VA), 21);
    assert_int_equal(f->n_flushes, flushes + 1);
    assert_true(!f->last_flush.pages); // the small translations must not outlive their table
    assert_int_equal(f->vm.state->n_free, before);
    assert_true(is_writable(f, a, VA));
    expect(f, a, VA + 0x5000, 5);
    // Out of reach and back: the entries in between are not present.
    assert_int_equal(fake_protect(f, a, VA, 511, 0), OK);
    assert_int_equal(fake_protect(f, a, VA + 511 * PAGE_SIZE, 1, 0), OK);
    assert_int_equal(size_shift(f, a, VA), 0);
    assert_int_equal(f->vm.state->n_free, before);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_protect(f, a, VA, 512, RW), OK);
    assert_int_equal(size_shift(f, a, VA), 21);
    expect(f, a, VA + 0x5000, 5);
    fake_drop(f, &a);
}

// The sizes of what is cached for an address must not be mixed, though no right is lost (SDM 3A,
// 4.10.2.3).
static void test_split_is_flushed(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    assert_int_equal(fake_map(f, a, VA, 512, PROT_R, 0), OK);
    unsigned flushes = f->n_flushes;
    assert_int_equal(fake_protect(f, a, VA + 0x5000, 1, RW), OK);
    assert_int_equal(f->n_flushes, flushes + 1);
    assert_true(f->last_flush.pages == 1 && f->last_flush.va == VA + 0x5000);
    fake_drop(f, &a);
}

// Not alike: other frames, other rights, an address that does not fit.
static void test_no_join(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b = new_space(f);
    assert_int_equal(fake_map(f, a, VA, 512, RW, 0), OK);
    assert_int_equal(fake_map(f, b, VA, 3, RW, 0), OK);
    assert_int_equal(fake_unmap(f, a, VA + 0x3000, 1), OK);
    assert_int_equal(fake_move(f, b, VA, 1, a, VA + 0x3000, RW), OK); // another frame
    assert_int_equal(fake_protect(f, a, VA, 512, PROT_R), OK);
    assert_int_equal(size_shift(f, a, VA), 12);
    assert_int_equal(fake_audit(f), 0);
    // In a row, but one page too far.
    assert_int_equal(fake_map(f, a, VB, 1024, RW, MAP_2M), OK);
    assert_int_equal(fake_move(f, a, VB, 1024, b, VB + 0x1000, RW), OK);
    assert_int_equal(fake_protect(f, b, VB, 2048, PROT_R), OK);
    assert_int_equal(size_shift(f, b, VB + 2 * MIB), 12);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// Lazy ranges go back to the level at which they were.
static void test_lazy_join(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    assert_int_equal(fake_map(f, a, 1ull << 39, 1ull << 27, RW, MAP_LAZY), OK);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_protect(f, a, (1ull << 39) + 0x123000, 1, PROT_R), OK);
    assert_int_equal(before - f->vm.state->n_free, 3);
    unsigned flushes = f->n_flushes;
    assert_int_equal(fake_protect(f, a, (1ull << 39) + 0x123000, 1, RW), OK);
    assert_int_equal(f->vm.state->n_free, before);
    assert_int_equal(f->n_flushes, flushes + 1); // of tables only
    assert_int_equal(f->last_flush.pages, 1);
    assert_int_equal(fake_unmap(f, a, (1ull << 39) + 0x123000, 1), OK);
    assert_int_equal(fake_map(f, a, (1ull << 39) + 0x123000, 1, RW, MAP_LAZY), OK);
    assert_int_equal(f->vm.state->n_free, before);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
}

// C9: clones share a large page until one writes, who copies 4 KiB; the other's stays large.
static void test_copy_on_write(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    assert_int_equal(fake_map(f, a, VA, 512, RW, 0), OK);
    assert_int_equal(fake_write(f, a, VA + 0x5000, 5), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_write(f, b, VA + 0x5000, 6), OK);
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 1 + 1);
    assert_int_equal(size_shift(f, b, VA), 12);
    assert_int_equal(size_shift(f, a, VA), 21);
    expect(f, a, VA + 0x5000, 5);
    expect(f, b, VA + 0x5000, 6);
    assert_int_equal(fake_audit(f), 0);
    // The last holder copies nothing, though parts were held by others for a while.
    fake_drop(f, &b);
    before = f->vm.state->n_free;
    assert_int_equal(fake_write(f, a, VA + 0x6000, 6), OK);
    assert_int_equal(f->vm.state->n_free, before);
    assert_int_equal(size_shift(f, a, VA), 21);
    // The other way round: the whole goes, what is left are parts.
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    assert_int_equal(fake_protect(f, b, VA, 256, PROT_R), OK);
    assert_int_equal(fake_unmap(f, b, VA + 300 * PAGE_SIZE, 100), OK);
    assert_int_equal(fake_audit(f), 0);
    before = f->vm.state->n_free;
    assert_int_equal(fake_unmap(f, a, VA, 512), OK);
    assert_true(f->vm.state->n_free - before >= 100);
    assert_int_equal(fake_audit(f), 0);
    before = f->vm.state->n_free;
    assert_int_equal(fake_write(f, b, VA + 500 * PAGE_SIZE, 6), OK);
    assert_int_equal(f->vm.state->n_free, before);
    expect(f, b, VA + 0x5000, 5);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// A joint block: one side splits and joins, the other never sees it.
static void test_join_of_a_joint_block(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b = new_space(f);
    assert_int_equal(fake_map(f, a, VA, 512, RW, 0), OK);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_share(f, a, VA, 512, b, VB, RW), OK);
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 2); // tables, but the last
    assert_int_equal(size_shift(f, b, VB), 21);
    assert_int_equal(size_shift(f, a, VA), 21);
    before = f->vm.state->n_free;
    assert_int_equal(fake_protect(f, a, VA + 0x3000, 1, PROT_R), OK);
    assert_int_equal(size_shift(f, a, VA), 12);
    assert_int_equal(size_shift(f, b, VB), 21);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_protect(f, a, VA + 0x3000, 1, RW), OK);
    assert_int_equal(size_shift(f, a, VA), 21);
    assert_int_equal(f->vm.state->n_free, before);
    assert_int_equal(fake_write(f, b, VB + 0x3000, 3), OK);
    expect(f, a, VA + 0x3000, 3);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

static void test_move(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b = new_space(f), c;
    uint8_t byte;
    assert_int_equal(fake_map(f, a, VA, 1024, RW, 0), OK);
    assert_int_equal(fake_write(f, a, VA + 0x3000, 3), OK);
    assert_int_equal(fake_move(f, a, VA, 512, b, VB, RW), OK);
    assert_int_equal(size_shift(f, b, VB), 21);
    assert_true(is_writable(f, b, VB));
    assert_int_equal(fake_read(f, a, VA, &byte), E_FAULT);
    // A lazy range of large pages becomes real, and large there.
    assert_int_equal(fake_map(f, a, VB, 512, RW, MAP_2M | MAP_LAZY), OK);
    assert_int_equal(fake_move(f, a, VB, 512, b, VB + 2 * MIB, RW), OK);
    assert_int_equal(size_shift(f, b, VB + 2 * MIB), 21);
    // To where it does not fit it goes in small ones.
    assert_int_equal(fake_move(f, b, VB, 512, a, VA + 0x3000 - 2 * MIB, RW), OK);
    assert_int_equal(size_shift(f, a, VA + 0x3000 - 2 * MIB), 12);
    expect(f, a, VA + 0x6000 - 2 * MIB, 3);
    // Out of a clone it is copied: whole if there is a block, else in small pages.
    assert_int_equal(fake_clone(f, b, CLONE_COW, 0, &c), OK);
    assert_int_equal(fake_move(f, c, VB + 2 * MIB, 512, a, VB, RW), OK);
    assert_int_equal(size_shift(f, a, VB), 21);
    assert_int_equal(fake_unmap(f, a, VB, 512), OK);
    fake_drop(f, &c);
    assert_int_equal(fake_clone(f, b, CLONE_COW, 0, &c), OK);
    struct fake_cap all = new_fragments(f);
    assert_int_equal(fake_move(f, c, VB + 2 * MIB, 512, a, VB, RW), OK);
    assert_int_equal(size_shift(f, a, VB), 12);
    assert_int_equal(size_shift(f, b, VB + 2 * MIB), 21);
    assert_int_equal(fake_audit(f), 0);
    drop_fragments(f, &all);
    fake_drop(f, &c);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// Nothing is copied below a table that others have too for a range in which nothing is.
static void test_holes_in_joint_tables(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b, c;
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    fake_starve(f, 0);
    uint64_t sum = fake_sum(f);
    assert_int_equal(fake_unmap(f, b, VA + 0x3000, 9), OK);
    assert_int_equal(fake_protect(f, b, VA + 0x3000, 9, PROT_R), OK);
    assert_int_equal(fake_unmap(f, b, VA - 4096 * 4096, 4096), OK);
    assert_true(fake_sum(f) == sum);
    assert_int_equal(fake_unmap(f, b, VA + 0x2000, 9), E_NOMEM);
    fake_feed(f);
    // The last holder copies no table either.
    fake_drop(f, &b);
    fake_starve(f, 0);
    assert_int_equal(fake_unmap(f, a, VA + 0x2000, 9), OK);
    assert_int_equal(fake_write(f, a, VA, 1), OK);
    fake_feed(f);
    assert_int_equal(fake_clone(f, a, CLONE_COPY, 0, &c), OK);
    fake_drop(f, &c);
    fake_drop(f, &a);
}

// 1 GiB: chosen, split into 2 MiB and 4 KiB, joined from them; 2 MiB where the CPU has no more.
static void test_gigabyte(void **state)
{
    struct fake *f = fake_boot((struct fake_config){4, 3072, 7});
    struct fake_cap a = new_space(f), b = new_space(f);
    (void)state;
    assert_int_equal(fake_map(f, a, VA, 1 << 18, RW, 0), OK);
    assert_int_equal(size_shift(f, a, VA), 30);
    assert_int_equal(fake_write(f, a, VA + 0x5000, 5), OK);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_protect(f, a, VA + 0x5000, 1, PROT_R), OK);
    assert_int_equal(size_shift(f, a, VA), 12);
    assert_int_equal(size_shift(f, a, VA + 2 * MIB), 21);
    assert_int_equal(before - f->vm.state->n_free, 2);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_protect(f, a, VA + 0x5000, 1, RW), OK);
    assert_int_equal(size_shift(f, a, VA), 30);
    assert_int_equal(f->vm.state->n_free, before);
    assert_int_equal(fake_audit(f), 0);
    // A part of it elsewhere: 2 MiB of it are shared as such, and it is not joined before they go.
    assert_int_equal(fake_share(f, a, VA + 2 * MIB, 512, b, VB, RW), OK);
    assert_int_equal(size_shift(f, b, VB), 21);
    assert_int_equal(size_shift(f, a, VA), 21);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_unmap(f, a, VA, 1 << 18), OK);
    assert_int_equal(fake_write(f, b, VB + 0x3000, 3), OK);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &b);
    fake_drop(f, &a);
    fake_end(f);
    f = fake_boot((struct fake_config){4, 3072, 3});
    a = new_space(f);
    assert_int_equal(fake_map(f, a, VA, 1 << 18, RW, 0), OK);
    assert_int_equal(size_shift(f, a, VA), 21);
    assert_int_equal(fake_protect(f, a, VA, 1, PROT_R), OK);
    assert_int_equal(fake_protect(f, a, VA, 1, RW), OK);
    assert_int_equal(size_shift(f, a, VA), 21);
    fake_drop(f, &a);
    fake_end(f);
}

// Where no block of 1 GiB is free it is mapped in blocks of 2 MiB, however many steps the first one takes.
static void test_gigabyte_in_steps(void **state)
{
    (void)state;
    struct fake *f = fake_boot((struct fake_config){4, 1400, 7});
    struct fake_cap a = new_space(f);
    f->vm.state->step_work = 600;
    assert_int_equal(fake_map(f, a, VA, 1 << 18, RW, 0), OK);
    assert_int_equal(size_shift(f, a, VA), 21);
    fake_drop(f, &a);
    fake_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_size_is_chosen),
        FAKE_TEST(test_size_falls_back),
        FAKE_TEST(test_split_and_join),
        FAKE_TEST(test_split_is_flushed),
        FAKE_TEST(test_no_join),
        FAKE_TEST(test_lazy_join),
        FAKE_TEST(test_copy_on_write),
        FAKE_TEST(test_join_of_a_joint_block),
        FAKE_TEST(test_move),
        FAKE_TEST(test_holes_in_joint_tables),
        cmocka_unit_test(test_gigabyte),
        cmocka_unit_test(test_gigabyte_in_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
