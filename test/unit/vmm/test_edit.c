// SPDX-License-Identifier: MIT
// map, unmap, protect: through requests, judged by the walker and the audit.
#include "servers/vmm/core/edit.h"

#include <string.h>

#include "servers/vmm/core/run.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"
#include "test/unit/fake/vmm/walker.h"

#define VA  0x400000ull
#define RW  (PROT_R | PROT_W)
#define RX  (PROT_R | PROT_X)
#define TOP (f->info.levels == 4 ? 0x7ffffffff000ull : 0xfffffffffff000ull)

static struct fake_cap new_space(struct fake *f)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    return a;
}

static struct walk walk(struct fake *f, struct fake_cap a, vaddr_t va, enum walk_access access)
{
    return walk_user(f->memory, fake_root(f, a), f->info.levels, va, access);
}

// M1: a page reads back, zero at first, with as many new tables as there are levels below the root.
static void test_map_one_page(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint64_t before = f->vm.state->n_free;
    uint8_t byte = 1;
    assert_int_equal(fake_map(f, a, VA, 1, RW, 0), OK);
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 1 + 1);
    assert_true(walk(f, a, VA, WALK_WRITE).is_allowed); // without a fault: it is there now
    assert_int_equal(fake_read(f, a, VA + 4095, &byte), OK);
    assert_int_equal(byte, 0);
    assert_int_equal(fake_write(f, a, VA, 9), OK);
    assert_int_equal(fake_read(f, a, VA, &byte), OK);
    assert_int_equal(byte, 9);
    fake_drop(f, &a);
}

// M3: over anything mapped nothing changes, unless REPLACE is asked (M4: then the old frames go).
static void test_map_over(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint8_t byte;
    assert_int_equal(fake_map(f, a, VA + 0x2000, 1, RW, 0), OK);
    assert_int_equal(fake_map(f, a, VA + 0x4000, 1, PROT_R, MAP_LAZY), OK);
    assert_int_equal(fake_write(f, a, VA + 0x2000, 5), OK);
    uint64_t sum = fake_sum(f), n_free = f->vm.state->n_free;
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), E_EXISTS);
    assert_int_equal(fake_map(f, a, VA + 0x2000, 1, RW, 0), E_EXISTS);
    assert_int_equal(fake_map(f, a, VA + 0x4000, 9, RW, MAP_LAZY), E_EXISTS);
    assert_int_equal(fake_map(f, a, 0, 1ull << 30, RW, MAP_LAZY), E_EXISTS);
    assert_true(fake_sum(f) == sum);
    assert_int_equal(fake_map(f, a, VA, 8, RW, MAP_REPLACE), OK);
    assert_int_equal(fake_read(f, a, VA + 0x2000, &byte), OK);
    assert_int_equal(byte, 0);
    assert_int_equal(f->vm.state->n_free, n_free - 7);
    assert_int_equal(fake_map(f, a, 0, 1ull << 30, PROT_R, MAP_REPLACE | MAP_LAZY), OK);
    assert_int_equal(fake_read(f, a, VA + 0x2000, &byte), OK);
    assert_int_equal(byte, 0);
    fake_drop(f, &a);
}

// Whether a lazy MAP or an UNMAP of entries in a row was done without a plan; if not, nothing changed.
static bool does_row(struct fake *f, struct fake_cap a, enum edit_kind kind, vaddr_t va,
                     uint64_t pages)
{
    uint64_t sum = fake_sum(f), n_free = f->vm.state->n_free, first = va >> PAGE_SHIFT;
    bool is_done = run_at_once(&f->vm, frame_number(fake_root(f, a)), first, first + pages - 1,
                               kind == EDIT_MAP ? pte_lazy(1, RW, RW) : PTE_NONE);
    assert_true(is_done || fake_sum(f) == sum);
    assert_int_equal(f->vm.state->n_free, n_free);
    return is_done;
}

static void test_rows_at_once(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    struct fake_cap clone;
    const uint64_t tib = 1ull << 28, table = VA - 512 * PAGE_SIZE;
    assert_int_equal(fake_map(f, a, table, 500, PROT_R, MAP_LAZY), OK);
    assert_true(does_row(f, a, EDIT_MAP, 1ull << 41, tib)); // at level 4
    assert_int_equal(fake_read(f, a, (1ull << 41) + (1ull << 40), &(uint8_t){0}), E_FAULT);
    assert_false(does_row(f, a, EDIT_MAP, 1ull << 40, 2 * tib)); // some of it is there
    assert_true(does_row(f, a, EDIT_UNMAP, 1ull << 41, tib));
    assert_true(does_row(f, a, EDIT_MAP, table + 500 * PAGE_SIZE, 11));
    assert_false(does_row(f, a, EDIT_MAP, table + 511 * PAGE_SIZE, 1)); // the table gets full
    assert_true(does_row(f, a, EDIT_UNMAP, table, 500));
    assert_false(does_row(f, a, EDIT_UNMAP, table + 498 * PAGE_SIZE, 14)); // and empty
    assert_int_equal(fake_write(f, a, table + 505 * PAGE_SIZE, 1), OK);
    assert_false(does_row(f, a, EDIT_UNMAP, table + 504 * PAGE_SIZE, 3)); // there is a page
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &clone), OK);
    assert_false(does_row(f, a, EDIT_UNMAP, table + 500 * PAGE_SIZE, 1)); // the table is joint
    fake_drop(f, &clone);
    fake_drop(f, &a);
}

// M6, M7: ranges that are none.
static void test_bad_ranges(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    const struct {
        uint64_t va, pages;
    } bad[] = {
        {VA + 1, 1},
        {VA, 0},
        {VA, ~0ull},
        {VA, 1ull << 52},
        {~0ull & ~0xfffull, 1},
        {TOP, 1},
        {TOP - 0x1000, 2},
        {0, (TOP >> 12) + 1},
        {1ull << 63, 1},
        {0xffff800000000000ull, 1},
        {VA, (1ull << 52) - (VA >> 12)},
    };
    uint64_t sum = fake_sum(f);
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(fake_map(f, a, bad[i].va, bad[i].pages, RW, 0), E_INVAL);
        assert_int_equal(fake_map(f, a, bad[i].va, bad[i].pages, RW, MAP_LAZY), E_INVAL);
        assert_int_equal(fake_unmap(f, a, bad[i].va, bad[i].pages), E_INVAL);
        assert_int_equal(fake_protect(f, a, bad[i].va, bad[i].pages, RW), E_INVAL);
    }
    assert_true(fake_sum(f) == sum);
    assert_int_equal(fake_map(f, a, TOP - 0x1000, 1, RW, 0), OK); // the last page is one
    assert_int_equal(fake_map(f, a, 0, 1, RW, 0), OK);            // so is the first, when asked for
    fake_drop(f, &a);
}

// P4: never W and X; and other bits are none.
static void test_bad_protections(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    const unsigned sizes[] = {0, MAP_2M, MAP_1G, MAP_LAZY};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(fake_map(f, a, 1ull << 30, 1 << 18, 7, sizes[i]), E_WX);
    assert_int_equal(fake_map(f, a, VA, 1, PROT_W, 0), E_INVAL);
    assert_int_equal(fake_map(f, a, VA, 1, PROT_X, 0), E_INVAL);
    assert_int_equal(fake_map(f, a, VA, 1, 8, 0), E_INVAL);
    assert_int_equal(fake_map(f, a, VA, 1, RW, 0x20), E_INVAL);
    assert_int_equal(fake_map(f, a, 1ull << 30, 1 << 18, RW, MAP_2M | MAP_1G), E_INVAL);
    assert_int_equal(fake_map(f, a, 1ull << 30, 1 << 18, RW, MAP_4K | MAP_2M), E_INVAL);
    assert_int_equal(fake_map(f, a, VA, 1, RW, MAP_2M), E_INVAL); // unaligned
    assert_int_equal(fake_map(f, a, VA, 1, RW, 0), OK);
    assert_int_equal(fake_protect(f, a, VA, 1, 7), E_WX);
    assert_int_equal(fake_protect(f, a, VA, 1, RX), OK); // rw- to r-x
    fake_drop(f, &a);
}

// M9: what cannot be is refused at once, however long.
static void test_huge_request(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint64_t sum = fake_sum(f);
    assert_int_equal(fake_map(f, a, 0, 1ull << 34, RW, 0), E_NOMEM);
    assert_int_equal(fake_map(f, a, 0, f->vm.state->n_free + 1, RW, 0), E_NOMEM);
    assert_int_equal(fake_map(f, a, 0, f->vm.state->n_free, RW, 0), E_NOMEM); // no tables
    assert_true(fake_sum(f) == sum);
    fake_drop(f, &a);
}

// M11: across the borders of tables at every level.
static void test_across_tables(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    for (unsigned shift = 21; shift < 12 + 9 * f->info.levels - 1; shift += 9) {
        uint64_t va = (1ull << shift) * 3 - 0x2000;
        uint8_t byte;
        uint64_t before = f->vm.state->n_free;
        assert_int_equal(fake_map(f, a, va, 4, RW, 0), OK);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(fake_write(f, a, va + i * 4096, (uint8_t)i), OK);
        assert_int_equal(fake_protect(f, a, va + 4096, 2, PROT_R), OK);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(fake_read(f, a, va + i * 4096, &byte), OK);
            assert_int_equal(byte, i);
            assert_int_equal(fake_write(f, a, va + i * 4096, 1), i == 1 || i == 2 ? E_FAULT : OK);
        }
        assert_int_equal(fake_audit(f), 0);
        assert_int_equal(fake_unmap(f, a, va, 4), OK); // U7: with all tables
        assert_int_equal(f->vm.state->n_free, before);
    }
    fake_drop(f, &a);
}

// P1, P2, P3: what a protection refuses; P2: the content outlives it.
static void test_protect(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint8_t byte;
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), OK);
    assert_int_equal(fake_write(f, a, VA + 0x1000, 42), OK);
    assert_false(walk(f, a, VA, WALK_FETCH).is_allowed);
    assert_int_equal(walk(f, a, VA, WALK_FETCH).error_code, 0x15);
    assert_int_equal(fake_protect(f, a, VA + 0x1000, 1, PROT_R), OK);
    assert_int_equal(walk(f, a, VA + 0x1000, WALK_WRITE).error_code, 7);
    assert_int_equal(fake_write(f, a, VA + 0x1000, 1), E_FAULT);
    assert_int_equal(fake_protect(f, a, VA + 0x1000, 1, 0), OK);
    assert_int_equal(fake_read(f, a, VA + 0x1000, &byte), E_FAULT);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_protect(f, a, VA + 0x1000, 1, RX), OK);
    assert_true(walk(f, a, VA + 0x1000, WALK_FETCH).is_allowed);
    assert_int_equal(fake_protect(f, a, VA, 0x1000, RW), OK); // on whatever is mapped
    assert_int_equal(fake_read(f, a, VA + 0x1000, &byte), OK);
    assert_int_equal(byte, 42);
    assert_int_equal(fake_write(f, a, VA + 0x1000, 1), OK);
    fake_drop(f, &a);
}

// U1: whole pages go, and where nothing is it is fine; U2: gone is gone; U3: what comes next is
// seen.
static void test_unmap(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint8_t byte;
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_unmap(f, a, VA, 1000), OK);
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), OK);
    assert_int_equal(fake_write(f, a, VA + 0x1000, 1), OK);
    unsigned flushes = f->n_flushes;
    assert_int_equal(fake_unmap(f, a, VA + 0x1000, 1), OK);
    assert_int_equal(f->n_flushes, flushes + 1);
    assert_int_equal(f->last_flush.va, VA + 0x1000);
    assert_int_equal(f->last_flush.pages, 1);
    assert_int_equal(walk(f, a, VA + 0x1000, WALK_READ).error_code, 4);
    assert_int_equal(fake_read(f, a, VA + 0x1000, &byte), E_FAULT);
    assert_int_equal(fake_map(f, a, VA + 0x1000, 1, RW, 0), OK);
    assert_int_equal(fake_read(f, a, VA + 0x1000, &byte), OK);
    assert_int_equal(byte, 0);
    assert_int_equal(fake_unmap(f, a, VA - 0x1000, 5), OK);
    assert_int_equal(f->vm.state->n_free, before);
    fake_drop(f, &a);
}

// U6: whole entries in tables of one's own go without a free frame.
static void test_unmap_without_memory(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    assert_int_equal(fake_map(f, a, VA, 8, RW, 0), OK);
    assert_int_equal(fake_map(f, a, 1ull << 30, 512, RW, MAP_LAZY), OK);
    fake_starve(f, 0);
    assert_int_equal(fake_unmap(f, a, VA + 0x1000, 2), OK);
    assert_int_equal(fake_unmap(f, a, 0x1000, 1), OK); // nothing is there
    fake_starve(f, 0);
    uint64_t sum = fake_sum(f);
    assert_int_equal(fake_unmap(f, a, (1ull << 30) + 0x1000, 1), E_NOMEM); // must split
    assert_true(fake_sum(f) == sum);
    fake_feed(f);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    fake_starve(f, 0);
    sum = fake_sum(f);
    assert_int_equal(fake_unmap(f, a, VA, 1), E_NOMEM); // must unshare
    assert_true(fake_sum(f) == sum);
    assert_int_equal(fake_unmap(f, a, 0, 1ull << 9 * (f->info.levels - 1)),
                     OK); // all of an entry of the root
    assert_int_equal(fake_audit(f), 0);
    fake_feed(f);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// Lazy ranges: an entry at the highest level that covers them; the first touch takes a page.
static void test_lazy(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint64_t before = f->vm.state->n_free;
    uint8_t byte = 1;
    assert_int_equal(fake_map(f, a, 1ull << 40, 1ull << 28, RW, MAP_LAZY), OK); // 1 TiB
    assert_true(before - f->vm.state->n_free <= 2);
    assert_int_equal(fake_read(f, a, (1ull << 40) + 0x123456789, &byte), OK);
    assert_int_equal(byte, 0);
    assert_int_equal(fake_write(f, a, (1ull << 40) + 0x123456789, 8), OK);
    assert_int_equal(fake_write(f, a, (1ull << 41) - 1, 9), OK);
    assert_int_equal(fake_read(f, a, (1ull << 40) + 0x123456789, &byte), OK);
    assert_int_equal(byte, 8);
    assert_int_equal(fake_read(f, a, 1ull << 41, &byte), E_FAULT);
    assert_int_equal(fake_protect(f, a, 1ull << 40, 1ull << 28, PROT_R), OK);
    assert_int_equal(fake_write(f, a, (1ull << 40) + 0x7000, 8), E_FAULT);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_unmap(f, a, 1ull << 40, 1ull << 28), OK);
    assert_int_equal(f->vm.state->n_free, before);
    fake_drop(f, &a);
}

// M2, U5: a large page is one leaf; unmapping a part leaves the neighbours.
static void test_large_page(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint64_t before = f->vm.state->n_free;
    uint8_t byte;
    assert_int_equal(fake_map(f, a, 0x40000000, 512, RW, MAP_2M), OK);
    assert_int_equal(before - f->vm.state->n_free, 512 + f->info.levels - 2);
    assert_int_equal(walk(f, a, 0x40000000, WALK_WRITE).size_shift, 21);
    assert_int_equal(fake_write(f, a, 0x40001000, 1), OK);
    assert_int_equal(fake_write(f, a, 0x40003000, 3), OK);
    assert_int_equal(fake_unmap(f, a, 0x40002000, 1), OK);
    assert_int_equal(fake_read(f, a, 0x40002000, &byte), E_FAULT);
    assert_int_equal(fake_read(f, a, 0x40001000, &byte), OK);
    assert_int_equal(byte, 1);
    assert_int_equal(fake_read(f, a, 0x40003000, &byte), OK);
    assert_int_equal(byte, 3);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_protect(f, a, 0x40000000, 512, PROT_R), OK);
    assert_int_equal(fake_unmap(f, a, 0x40000000, 512), OK);
    assert_int_equal(f->vm.state->n_free, before);
    assert_int_equal(fake_map(f, a, 0x40000000, 512, RW, MAP_2M | MAP_LAZY), OK);
    assert_int_equal(fake_write(f, a, 0x40003000, 3), OK);
    assert_int_equal(walk(f, a, 0x40003000, WALK_WRITE).size_shift, 21);
    fake_drop(f, &a);
}

// A table that loses its last entry is given back, and needs an invalidation though no page went.
static void test_empty_table_of_lazy_entries(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_map(f, a, VA, 2, RW, MAP_LAZY), OK);
    unsigned flushes = f->n_flushes;
    assert_int_equal(fake_unmap(f, a, VA, 1), OK);
    assert_int_equal(f->n_flushes, flushes); // nothing that could be cached went
    assert_int_equal(fake_unmap(f, a, VA + 0x1000, 1), OK);
    assert_true(f->n_flushes > flushes);
    assert_int_equal(f->vm.state->n_free, before);
    fake_drop(f, &a);
}

// A whole table that goes takes all of the space's translations with it, in one flush.
static void test_unmap_of_a_table(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), OK);
    unsigned flushes = f->n_flushes;
    assert_int_equal(fake_unmap(f, a, VA, 1024), OK);
    assert_int_equal(f->n_flushes, flushes + 1);
    assert_true(f->last_flush.root == fake_root(f, a) && !f->last_flush.pages);
    fake_drop(f, &a);
}

// P7: rights lost are flushed, rights gained are not.
static void test_flush_of_protect(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    const struct {
        unsigned from, to;
        bool flushes;
    } change[] = {{RW, PROT_R, true}, {PROT_R, RW, false}, {RX, PROT_R, true}, {PROT_R, RX, false},
                  {RW, RX, true},     {RX, RW, true},      {RW, 0, true},      {0, RW, false},
                  {PROT_R, 0, true},  {RW, RW, false}};
    for (unsigned i = 0; i < sizeof change / sizeof *change; i++) {
        assert_int_equal(fake_map(f, a, VA, 1, change[i].from, 0), OK);
        unsigned before = f->n_flushes;
        assert_int_equal(fake_protect(f, a, VA, 1, change[i].to), OK);
        assert_int_equal(f->n_flushes - before, change[i].flushes);
        assert_int_equal(fake_unmap(f, a, VA, 1), OK);
    }
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_map_one_page),
        FAKE_TEST(test_map_over),
        FAKE_TEST(test_rows_at_once),
        FAKE_TEST(test_bad_ranges),
        FAKE_TEST(test_bad_protections),
        FAKE_TEST(test_huge_request),
        FAKE_TEST(test_across_tables),
        FAKE_TEST(test_protect),
        FAKE_TEST(test_unmap),
        FAKE_TEST(test_unmap_without_memory),
        FAKE_TEST(test_lazy),
        FAKE_TEST(test_large_page),
        FAKE_TEST(test_empty_table_of_lazy_entries),
        FAKE_TEST(test_unmap_of_a_table),
        FAKE_TEST(test_flush_of_protect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
