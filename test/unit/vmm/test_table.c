// SPDX-License-Identifier: MIT
// One table: what its record counts, copies, parts, and joins of what was parted.
#include "servers/vmm/core/table.h"

#include <stdlib.h>
#include <string.h>

#include "servers/vmm/core/page.h"
#include "test/unit/fake/vmm/fake.h"

#define RW (PROT_R | PROT_W)

static pfn_t new_table(struct fake *f, unsigned level)
{
    pfn_t table;
    assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, FRAME_TABLE, &table), OK);
    frame_zero(&f->vm, table);
    frame_of(&f->vm, table)->level = (uint8_t)level;
    frame_of(&f->vm, table)->refs = 1;
    return table;
}

static void end_table(struct fake *f, pfn_t table)
{
    frame_free(&f->vm, table);
    vmm_settle(&f->vm);
}

// A block of pages, mapped by one entry at `level`.
static pfn_t new_page(struct fake *f, unsigned level)
{
    pfn_t pfn = fake_block(f, level);
    page_hold(&f->vm, pfn, level);
    return pfn;
}

static void expect_record(struct fake *f, pfn_t table)
{
    const struct frame *record = frame_of(&f->vm, table);
    unsigned used = 0;
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        if (pte_is_empty(table_load(&f->vm, table, i)))
            continue;
        used++;
        assert_true(record->first <= i && i <= record->last);
    }
    assert_int_equal(record->used, used);
}

static void test_steps(void **state)
{
    (void)state;
    const uint64_t first = 511, last = 3 * 512 + 5; // at level 2: a part, two whole, a part
    static const struct step wanted[] = {{0, false, true, 511, 511, 0},
                                         {1, true, true, 512, 1023, 0},
                                         {2, true, true, 1024, 1535, 0},
                                         {3, false, true, 1536, 1541, 0}};
    unsigned n = 0;
    for (struct step s = step_first(first, last, 2); s.is_valid; s = step_next(s, 2), n++) {
        assert_int_equal(s.i, wanted[n].i);
        assert_int_equal(s.is_whole, wanted[n].is_whole);
        assert_int_equal(s.from, wanted[n].from);
        assert_int_equal(s.to, wanted[n].to);
    }
    assert_int_equal(n, 4);
}

// In any order, by single entries and by stretches.
static void test_the_record_counts(void **state)
{
    struct fake *f = *state;
    pfn_t table = new_table(f, 1);
    const pte_t lazy = pte_lazy(1, PROT_R, PROT_R);
    srand(3);
    for (unsigned i = 0; i < 3000; i++) {
        unsigned at = (unsigned)rand() % PTE_ENTRIES, n = 1 + (unsigned)rand() % 40, was_used = 0;
        bool sets = rand() % (1 + i % 7);
        if (rand() & 1) {
            table_store(&f->vm, table, at, sets ? lazy : PTE_NONE);
        } else {
            n = at + n > PTE_ENTRIES ? PTE_ENTRIES - at : n;
            for (unsigned j = at; j < at + n; j++) {
                was_used += !pte_is_empty(table_load(&f->vm, table, j));
                table_entries(&f->vm, table)[j] = sets ? lazy : PTE_NONE;
            }
            table_recount(&f->vm, table, at, n, was_used, sets ? n : 0);
        }
        expect_record(f, table);
    }
    end_table(f, table);
}

// The copy holds what the original does; W is gone from both, but for pages shared on purpose.
static void test_copy(void **state)
{
    struct fake *f = *state;
    pfn_t from = new_table(f, 1), to = new_table(f, 1), page[3];
    table_copy(&f->vm, from, to); // nothing
    for (unsigned i = 0; i < 3; i++) {
        page[i] = new_page(f, 1);
        table_store(&f->vm, from, 10 * i + 5,
                    pte_page(frame_address(page[i]), 1, i == 1 ? PROT_R : RW, RW,
                             i == 2 ? PTE_SHARED : 0, true));
    }
    table_store(&f->vm, from, 100, pte_lazy(1, RW, RW));
    table_copy(&f->vm, from, to);
    assert_memory_equal(frame_at(&f->vm, from), frame_at(&f->vm, to), PAGE_SIZE);
    expect_record(f, to);
    assert_false(table_load(&f->vm, to, 5).bits & PTE_W);
    assert_true(table_load(&f->vm, to, 25).bits & PTE_W);
    assert_true(pte_is_lazy(table_load(&f->vm, to, 100)));
    for (unsigned i = 0; i < 3; i++) {
        assert_false(page_is_sole(&f->vm, page[i], 1));
        page_drop(&f->vm, page[i], 1);
        assert_true(page_is_sole(&f->vm, page[i], 1));
        page_drop(&f->vm, page[i], 1);
    }
    end_table(f, from);
    end_table(f, to);
}

// A full table of all that may stand in one, over whatever was in the frame.
static void test_copy_of_a_full_table(void **state)
{
    struct fake *f = *state;
    pfn_t from = new_table(f, 1), to = new_table(f, 1), page = new_page(f, 1),
          large = new_page(f, 2);
    const pte_t kinds[] = {
        pte_page(frame_address(page), 1, RW, RW, 0, true),
        pte_page(frame_address(page), 1, RW, RW, PTE_SHARED, false),
        pte_page(frame_address(page), 1, RW, RW, PTE_SHARED | PTE_LINKED, false),
        pte_page(frame_address(page), 1, 0, RW, 0, true),
        pte_page(frame_address(page), 1, PROT_R | PROT_X, RW | PROT_X, 0, true),
        pte_page(frame_address((pfn_t){large.n + 3}), 1, RW, RW, 0, true),
        pte_lazy(1, RW, RW),
        pte_paged(1, RW, RW),
        PTE_NONE,
    };
    const unsigned n_kinds = sizeof kinds / sizeof *kinds;
    srand(5);
    for (unsigned round = 0; round < 20; round++) {
        unsigned n_pages = 0, n_parts = 0;
        uint32_t refs = frame_of(&f->vm, page)->refs;
        uint32_t parts = frame_of(&f->vm, large)->part_refs[0];
        for (unsigned i = 0; i < PTE_ENTRIES; i++) {
            unsigned kind = round ? (unsigned)rand() % n_kinds : 0; // first, all as they mostly are
            table_store(&f->vm, from, i, kinds[kind]);
            n_pages += kind < 5;
            n_parts += kind == 5;
        }
        memset(frame_at(&f->vm, to), 0xa5, PAGE_SIZE);
        frame_of(&f->vm, to)->flags = 0;
        table_copy(&f->vm, from, to);
        assert_memory_equal(frame_at(&f->vm, from), frame_at(&f->vm, to), PAGE_SIZE);
        expect_record(f, to);
        assert_int_equal(frame_of(&f->vm, page)->refs, refs + n_pages);
        assert_int_equal(frame_of(&f->vm, large)->part_refs[0], parts + n_parts);
        for (unsigned i = 0; i < PTE_ENTRIES; i++) {
            pte_t e = table_load(&f->vm, to, i);
            bool may_write = pte_is_present(e) && pte_prot(e) & PROT_W && e.bits & PTE_SHARED;
            assert_int_equal(pte_is_present(e) && e.bits & PTE_W, may_write);
        }
        page_drop_all(&f->vm, table_entries(&f->vm, to), PTE_ENTRIES);
    }
    page_drop(&f->vm, page, 1);
    page_drop(&f->vm, large, 2);
    end_table(f, from);
    end_table(f, to);
}

// A large page falls into parts that can be joined again, but not when one of them differs.
static void test_fill_and_join(void **state)
{
    struct fake *f = *state;
    pfn_t table = new_table(f, 1), page = new_page(f, 2);
    pte_t whole = pte_page(frame_address(page), 2, RW, RW, 0, true), joined = PTE_NONE;
    table_fill(&f->vm, table, 2, whole);
    expect_record(f, table);
    assert_int_equal(pte_address(table_load(&f->vm, table, 77)), frame_address(page) + 77 * 0x1000);
    pte_t old = table_load(&f->vm, table, 77);
    table_store(&f->vm, table, 77, pte_arm(pte_rights(old, PROT_R, RW), 1, true));
    assert_false(table_join(&f->vm, table, 2, &joined));
    table_store(&f->vm, table, 77, PTE_NONE);
    assert_false(table_join(&f->vm, table, 2, &joined));
    table_store(&f->vm, table, 77, old);
    frame_of(&f->vm, table)->link = 1; // something hangs on it
    assert_false(table_join(&f->vm, table, 2, &joined));
    frame_of(&f->vm, table)->link = 0;
    assert_true(pte_is_empty(joined));
    assert_true(table_join(&f->vm, table, 2, &joined));
    assert_true(joined.bits == whole.bits);
    page_drop(&f->vm, page, 2);
    end_table(f, table);
}

// A range that is not there yet, and one that is empty.
static void test_fill_without_pages(void **state)
{
    struct fake *f = *state;
    pfn_t table = new_table(f, 1);
    pte_t lazy = pte_lazy(2, PROT_R, RW), joined;
    table_fill(&f->vm, table, 3, PTE_NONE);
    expect_record(f, table);
    assert_int_equal(frame_of(&f->vm, table)->level, 2);
    assert_false(table_join(&f->vm, table, 3, &joined));
    table_fill(&f->vm, table, 3, lazy);
    expect_record(f, table);
    assert_int_equal(pte_lazy_level(table_load(&f->vm, table, 9)), 2);
    assert_true(table_join(&f->vm, table, 3, &joined));
    assert_true(joined.bits == lazy.bits);
    end_table(f, table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),  FAKE_TEST(test_the_record_counts),
        FAKE_TEST(test_copy),          FAKE_TEST(test_copy_of_a_full_table),
        FAKE_TEST(test_fill_and_join), FAKE_TEST(test_fill_without_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
