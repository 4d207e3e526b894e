// SPDX-License-Identifier: MIT
// The fake TLB: what it must notice, and what it must not complain of.
// cmocka wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ipc/vmm_protocol.h"
#include "test/unit/fake/tlb.h"

// Frames 1 to 4 are the tables, 5 another table at level 1; pages are from 8 on.
#define ROOT  PAGE_SIZE
#define TABLE 4u
#define OTHER 5u
#define FULL  0x67ull
#define LOOK  0x65ull // FULL without W

enum { ADDRESS, NEIGHBOUR, LARGE, IN_LARGE, ADDRESSES };

struct world {
    struct memory memory;
    struct tlb tlb;
    struct tlb_place stale;
    bool is_root_gone;
    uint32_t free_frame;
    uint8_t bytes[2048 * PAGE_SIZE];
};

static void put(struct world *w, unsigned frame, unsigned i, uint64_t entry)
{
    memcpy(w->bytes + frame * PAGE_SIZE + 8 * i, &entry, sizeof entry);
}

static bool is_root(void *context, paddr_t root)
{
    const struct world *w = context;
    return root == ROOT && !w->is_root_gone;
}

static bool is_free(void *context, paddr_t frame)
{
    const struct world *w = context;
    return frame >> PAGE_SHIFT == w->free_frame;
}

static int setup(void **state)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    w.memory = (struct memory){w.bytes, sizeof w.bytes};
    w.tlb = (struct tlb){
        .memory = &w.memory,
        .levels = 4,
        .global_root = ROOT,
        .n_user = ADDRESSES,
        .user = {[NEIGHBOUR] = 0x1000, [LARGE] = 0x200000, [IN_LARGE] = 0x2ff000},
        .n_global = 1,
        .global = {0xffffff8000000000},
        .is_root = is_root,
        .is_free = is_free,
        .context = &w,
    };
    for (unsigned frame = 1; frame < TABLE; frame++)
        put(&w, frame, 0, (frame + 1) << 12 | FULL);
    put(&w, TABLE, 0, 8 << 12 | FULL);
    put(&w, TABLE, 1, 9 << 12 | FULL);
    put(&w, TABLE - 1, 1, 512 << 12 | FULL | 0x80);
    *state = &w;
    tlb_speculate(&w.tlb, ROOT);
    return 0;
}

static bool is_clean(struct world *w)
{
    return tlb_is_clean(&w->tlb, &w->stale);
}

static enum tlb_answer look(struct world *w, unsigned cpu, unsigned i, unsigned access)
{
    paddr_t address;
    return tlb_access(&w->tlb, cpu, ROOT, i, access, &address);
}

static void nothing_changed(void **state)
{
    struct world *w = *state;
    paddr_t address;
    assert_true(is_clean(w));
    assert_int_equal(tlb_access(&w->tlb, 1, ROOT, IN_LARGE, PROT_W, &address), TLB_OK);
    assert_int_equal(address, (512 + 0xff) * PAGE_SIZE);
    assert_int_equal(look(w, 0, ADDRESS, PROT_R), TLB_OK);
    assert_true(is_clean(w));
}

static void less_without_a_flush_is_stale(void **state)
{
    struct world *w = *state;
    put(w, TABLE, 0, 8 << 12 | LOOK);
    assert_false(is_clean(w));
    assert_int_equal(w->stale.va, 0);
    assert_false(w->stale.is_table);
    assert_int_equal(look(w, 0, ADDRESS, PROT_W), TLB_STALE);
    assert_int_equal(look(w, 0, NEIGHBOUR, PROT_W), TLB_OK);
    tlb_flush(&w->tlb, ROOT, 0, 1);
    assert_true(is_clean(w));
    assert_int_equal(look(w, 0, ADDRESS, PROT_W), TLB_FAULT);
    assert_int_equal(w->tlb.n_unneeded, 0);
}

static void another_frame_without_a_flush_is_stale(void **state)
{
    struct world *w = *state;
    put(w, TABLE, 1, 10 << 12 | FULL);
    assert_false(is_clean(w));
    tlb_flush(&w->tlb, ROOT, 0, 1); // of the neighbour: not enough
    assert_false(is_clean(w));
    tlb_flush(&w->tlb, ROOT, 0, 2);
    assert_true(is_clean(w));
    assert_int_equal(w->tlb.n_unneeded, 1);
}

static void more_needs_no_flush(void **state)
{
    struct world *w = *state;
    put(w, TABLE, 0, 8 << 12 | LOOK);
    tlb_flush(&w->tlb, ROOT, 0, 0);
    assert_int_equal(look(w, 1, ADDRESS, PROT_R), TLB_OK);
    put(w, TABLE, 0, 8 << 12 | FULL);
    assert_true(is_clean(w));
    assert_int_equal(look(w, 1, ADDRESS, PROT_W), TLB_FAULT); // by what it remembers
    assert_int_equal(look(w, 1, ADDRESS, PROT_W), TLB_OK);
}

static void a_table_replaced_is_stale(void **state)
{
    struct world *w = *state;
    memcpy(w->bytes + OTHER * PAGE_SIZE, w->bytes + TABLE * PAGE_SIZE, PAGE_SIZE);
    put(w, TABLE - 1, 0, OTHER << 12 | FULL); // the same pages, by another table
    assert_false(is_clean(w));
    assert_true(w->stale.is_table);
    assert_int_equal(w->stale.level, 1);
    tlb_flush(&w->tlb, ROOT, 0x200000, 1); // any address does, but for the pages
    assert_true(is_clean(w));
    assert_int_equal(w->tlb.n_unneeded, 0);
}

static void a_part_of_a_large_page(void **state)
{
    struct world *w = *state;
    put(w, TABLE - 1, 1, OTHER << 12 | FULL); // split, and one part unmapped
    for (unsigned i = 0; i < 512; i++)
        put(w, OTHER, i, i == 0xff ? 0 : (512 + i) << 12 | FULL);
    assert_false(is_clean(w));
    tlb_flush(&w->tlb, ROOT, 0x2ff000, 1); // takes the whole large page
    assert_true(is_clean(w));
    assert_int_equal(look(w, 0, LARGE, PROT_W), TLB_OK);
    assert_int_equal(look(w, 0, IN_LARGE, PROT_R), TLB_FAULT);
}

static void a_root_that_went(void **state)
{
    struct world *w = *state;
    w->is_root_gone = true;
    assert_false(is_clean(w));
    tlb_flush(&w->tlb, ROOT, 0, 0);
    assert_true(is_clean(w));
    assert_int_equal(w->tlb.n_unneeded, 0);
}

// Nothing is mapped in the space, but a CPU may have been in it.
static void an_empty_root_that_went(void **state)
{
    struct world *w = *state;
    put(w, 1, 0, 0);
    tlb_reset(&w->tlb);
    tlb_speculate(&w->tlb, ROOT);
    assert_true(is_clean(w));
    w->is_root_gone = true;
    assert_false(is_clean(w));
    assert_int_equal(w->stale.level, 4);
    tlb_flush(&w->tlb, ROOT, 0, 0);
    assert_true(is_clean(w));
    assert_int_equal(w->tlb.n_unneeded, 0);
}

static void a_flush_that_comes_late(void **state)
{
    struct world *w = *state;
    put(w, TABLE, 0, 0);
    w->free_frame = 8;
    tlb_flush(&w->tlb, ROOT, 0, 1);
    assert_true(w->tlb.n_late > 0);
}

static void the_kernels_half(void **state)
{
    struct world *w = *state;
    put(w, 1, 511, 2 << 12 | (FULL & ~4ull));
    tlb_speculate(&w->tlb, TLB_GLOBAL);
    assert_true(is_clean(w));
    put(w, 1, 511, 0);
    assert_false(is_clean(w));
    tlb_flush(&w->tlb, ROOT, 0, 0); // a space's flush leaves global entries
    assert_false(is_clean(w));
    tlb_flush(&w->tlb, TLB_GLOBAL, 0xffffff8000000000, 1);
    assert_true(is_clean(w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_changed, setup),
        cmocka_unit_test_setup(less_without_a_flush_is_stale, setup),
        cmocka_unit_test_setup(another_frame_without_a_flush_is_stale, setup),
        cmocka_unit_test_setup(more_needs_no_flush, setup),
        cmocka_unit_test_setup(a_table_replaced_is_stale, setup),
        cmocka_unit_test_setup(a_part_of_a_large_page, setup),
        cmocka_unit_test_setup(a_root_that_went, setup),
        cmocka_unit_test_setup(an_empty_root_that_went, setup),
        cmocka_unit_test_setup(a_flush_that_comes_late, setup),
        cmocka_unit_test_setup(the_kernels_half, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
