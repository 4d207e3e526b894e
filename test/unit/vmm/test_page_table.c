// SPDX-License-Identifier: MIT
// The tree as a whole: walks, counts, clones of roots, and its end.
#include "servers/vmm/core/page_table.h"

#include "servers/vmm/core/account.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/table.h"
#include "test/unit/fake/vmm/fake.h"
#include "test/unit/fake/vmm/walker.h"

#define VA 0x400000ull
#define RW (PROT_R | PROT_W)

static struct fake_cap new_space(struct fake *f)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    return a;
}

static pfn_t root_of(struct fake *f, struct fake_cap a)
{
    return frame_number(fake_root(f, a));
}

static void test_find(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    pfn_t root = root_of(f, a);
    struct spot spot = pt_find(&f->vm, root, VA >> PAGE_SHIFT);
    assert_true(pte_is_empty(spot.pte));
    assert_int_equal(spot.level, f->info.levels); // nothing below the root
    assert_int_equal(spot.start, 0);
    assert_int_equal(fake_map(f, a, VA, 1, RW, 0), OK);
    assert_int_equal(fake_map(f, a, 0x40000000, 512, RW, MAP_2M), OK);
    assert_int_equal(fake_map(f, a, 1ull << 39, 1 << 18, PROT_R, MAP_LAZY), OK);
    spot = pt_find(&f->vm, root, VA >> PAGE_SHIFT);
    assert_true(pte_has_page(spot.pte) && spot.level == 1 && !spot.is_joint);
    struct walk w = walk_user(f->memory, frame_address(root), f->info.levels, VA, WALK_WRITE);
    assert_true(w.is_allowed && w.address == pte_address(spot.pte));
    spot = pt_find(&f->vm, root, (0x40000000 >> PAGE_SHIFT) + 300);
    assert_true(spot.level == 2 && spot.start == 0x40000000 >> PAGE_SHIFT);
    spot = pt_find(&f->vm, root, (1ull << 27) + 12345);
    assert_true(pte_is_lazy(spot.pte) && spot.level == 3 && spot.start == 1ull << 27);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    assert_true(pt_find(&f->vm, root, VA >> PAGE_SHIFT).is_joint);
    fake_drop(f, &b);
    assert_false(pt_find(&f->vm, root, VA >> PAGE_SHIFT).is_joint);
    fake_drop(f, &a);
}

static void test_is_free(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    pfn_t root = root_of(f, a);
    uint64_t page = VA >> PAGE_SHIFT, end = f->vm.state->user_pages;
    assert_true(pt_is_free(&f->vm, root, 0, end - 1));
    assert_int_equal(fake_map(f, a, VA, 2, 0, MAP_LAZY), OK); // a guard is something
    assert_false(pt_is_free(&f->vm, root, 0, end - 1));
    assert_true(pt_is_free(&f->vm, root, 0, page - 1));
    assert_true(pt_is_free(&f->vm, root, page + 2, end - 1));
    assert_false(pt_is_free(&f->vm, root, page + 1, page + 1));
    assert_true(pt_is_free(&f->vm, root, page + 2, page + 2));
    fake_drop(f, &a);
}

// The same count, be it taken in one step or an entry at a time.
static void test_count(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    unsigned levels = f->info.levels;
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), OK);
    assert_int_equal(fake_map(f, a, 0x40000000, 512, RW, MAP_2M), OK);
    assert_int_equal(fake_map(f, a, 1ull << 39, 1 << 18, PROT_R, MAP_LAZY), OK);
    for (unsigned work = 1; work < 10; work++) {
        struct pt_count count = {0, 0, 0};
        unsigned steps = 0;
        do {
            f->vm.left = work;
            steps++;
        } while (!pt_count(&f->vm, root_of(f, a), &count));
        assert_int_equal(count.pages, 3 + 512);
        assert_int_equal(count.tables, levels + 1 + 1); // a path, one for 2 MiB, one for 512 GiB
        assert_true(work > 1 || steps >= 5);
    }
    fake_drop(f, &a);
}

// A clone of a root holds its children; each may go first. The flush is gathered if W was lost.
static void test_clone_and_drop(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    pfn_t from = root_of(f, a), to;
    unsigned levels = f->info.levels;
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), OK);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t n_free = f->vm.state->n_free;
        assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, FRAME_TABLE, &to), OK);
        pt_init_root(&f->vm, to, table_load(&f->vm, from, ROOT_ENTRY_KERNEL));
        unsigned flushes = f->n_flushes;
        pt_clone_root(&f->vm, from, to);
        vmm_settle(&f->vm);
        assert_int_equal(f->n_flushes - flushes, !i); // the second finds no W
        assert_true(pt_find(&f->vm, to, VA >> PAGE_SHIFT).is_joint);
        assert_false(walk_user(f->memory, frame_address(from), levels, VA, WALK_WRITE).is_allowed);
        assert_true(walk_user(f->memory, frame_address(to), levels, VA, WALK_READ).is_allowed);
        pt_drop(&f->vm, to);
        vmm_settle(&f->vm);
        assert_int_equal(f->vm.state->n_free, n_free);
    }
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
}

// With a sibling as many tables are copied as a path has, without one none; and where an edit has to
// do it, or there is one frame too few for tables and page, nothing changes.
static void test_own_path(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b, c;
    uint64_t page = VA >> PAGE_SHIFT, n_tables = f->info.levels - 1;
    unsigned n;
    assert_int_equal(fake_create(f, f->init, 100, &a), OK);
    pfn_t root = root_of(f, a);
    record_t account = space_of(&f->vm, fake_space(f, a))->account;
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), OK);
    assert_int_equal(fake_map(f, a, 0x40000000, 512, RW, MAP_LAZY), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &c), OK);
    assert_false(pt_own_path(&f->vm, account, root, 1 << 18, &n)); // lazy, at a higher level
    uint64_t n_free = f->vm.state->n_free;
    f->vm.state->n_free = n_tables;
    assert_false(pt_own_path(&f->vm, account, root, page, &n));
    f->vm.state->n_free = n_free;
    uint64_t quota = account_of(&f->vm, account)->quota;
    account_of(&f->vm, account)->quota = account_of(&f->vm, account)->charged + n_tables;
    assert_false(pt_own_path(&f->vm, account, root, page, &n));
    account_of(&f->vm, account)->quota = quota;
    assert_true(pt_find(&f->vm, root, page).is_joint);
    f->vm.state->n_free = n_tables + 1;
    assert_true(pt_own_path(&f->vm, account, root, page, &n));
    assert_int_equal(f->vm.state->n_free, 1);
    f->vm.state->n_free = n_free - n_tables;
    assert_false(pt_find(&f->vm, root, page).is_joint);
    assert_false(table_load(&f->vm, pt_find(&f->vm, root, page).table, table_index(page, 1)).bits &
                 PTE_W);
    assert_int_equal(n, n_tables);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &b);
    n_free = f->vm.state->n_free;
    assert_true(pt_own_path(&f->vm, account, root_of(f, c), page, &n)); // W alone
    assert_int_equal(n, 0);
    assert_int_equal(f->vm.state->n_free, n_free);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &c);
    fake_drop(f, &a);
}

// A tree without references is freed a table at a time, and the books are right after each.
static void test_bury(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    uint64_t n_free = f->vm.state->n_free;
    unsigned steps = 0;
    assert_int_equal(fake_create(f, f->init, 0, &b), OK);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(fake_map(f, b, VA + ((uint64_t)i << 30), 3, RW, 0), OK);
    assert_int_equal(fake_share(f, b, VA, 1, a, VA, RW), OK);
    f->vm.state->step_work = 1;
    fake_drop(f, &b);
    while (f->vm.state->dead_tables.n) {
        assert_int_equal(fake_audit(f), 0);
        vmm_begin(&f->vm);
        vmm_settle(&f->vm);
        steps++;
    }
    assert_true(steps > 10);
    f->vm.state->step_work = STEP_WORK;
    assert_int_equal(fake_unmap(f, a, VA, 1), OK);
    assert_int_equal(f->vm.state->n_free, n_free);
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_find),           FAKE_TEST(test_is_free),  FAKE_TEST(test_count),
        FAKE_TEST(test_clone_and_drop), FAKE_TEST(test_own_path), FAKE_TEST(test_bury),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
