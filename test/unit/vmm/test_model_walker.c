// SPDX-License-Identifier: MIT
// The software MMU that the tests trust, on tables written by hand (CASES P9).
// cmocka wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ipc/vmm_protocol.h"
#include "test/unit/model/walker.h"

#define FRAMES 16u
#define FULL   0x67ull // P, W, U, A, D

static uint8_t bytes[FRAMES * PAGE_SIZE];
static const struct memory memory = {bytes, sizeof bytes};

static void put(unsigned frame, unsigned i, uint64_t entry)
{
    memcpy(bytes + frame * PAGE_SIZE + 8 * i, &entry, sizeof entry);
}

// Tables in frames 1 (root), 2, 3 ..., all through entry `i`; the page is frame 9.
static void make(unsigned levels, unsigned i)
{
    memset(bytes, 0, sizeof bytes);
    for (unsigned frame = 1; frame < levels; frame++)
        put(frame, i, (frame + 1) << 12 | FULL);
    put(levels, i, 9ull << 12 | FULL);
}

// The address whose index is `i` at all levels.
static vaddr_t address(unsigned levels, uint64_t i)
{
    vaddr_t va = 0;
    for (unsigned level = 1; level <= levels; level++)
        va |= i << (3 + 9 * level);
    return va;
}

static struct walk do_walk(unsigned levels, vaddr_t va)
{
    struct walk w;
    walk(&memory, levels, PAGE_SIZE, va, &w);
    return w;
}

static void walks_all_levels(void **state)
{
    (void)state;
    for (unsigned levels = 4; levels <= 5; levels++) {
        make(levels, 3);
        struct walk w = do_walk(levels, address(levels, 3) + 0x123);
        assert_int_equal(w.end, WALK_PAGE);
        assert_int_equal(w.address, 9 * PAGE_SIZE + 0x123);
        assert_int_equal(w.level, 1);
        assert_true(walk_allows(&w, PROT_R | PROT_W | PROT_X));
        assert_false(w.needs_write);
        assert_int_equal(w.table[levels], PAGE_SIZE);
        assert_int_equal(w.table[1], levels * PAGE_SIZE);
        assert_int_equal(do_walk(levels, address(levels, 4)).end, WALK_ABSENT);
    }
}

// Every entry on the path can take every right away.
static void rights_are_anded(void **state)
{
    (void)state;
    for (unsigned levels = 4; levels <= 5; levels++)
        for (unsigned frame = 1; frame <= levels; frame++) {
            uint64_t next = frame == levels ? 9 : frame + 1;
            vaddr_t va = address(levels, 3);
            make(levels, 3);
            put(frame, 3, next << 12 | (FULL & ~2ull));
            struct walk w = do_walk(levels, va);
            assert_false(walk_allows(&w, PROT_W));
            assert_true(walk_allows(&w, PROT_R | PROT_X));
            put(frame, 3, next << 12 | FULL | 1ull << 63);
            w = do_walk(levels, va);
            assert_false(walk_allows(&w, PROT_X));
            assert_true(walk_allows(&w, PROT_R | PROT_W));
            put(frame, 3, next << 12 | (FULL & ~4ull));
            w = do_walk(levels, va);
            assert_false(walk_allows(&w, PROT_R));
            put(frame, 3, next << 12 | (FULL & ~1ull));
            assert_int_equal(do_walk(levels, va).end, WALK_ABSENT);
            put(frame, 3, next << 12 | (FULL & ~0x20ull));
            assert_true(do_walk(levels, va).needs_write);
        }
}

static void large_pages(void **state)
{
    (void)state;
    make(4, 0);
    put(3, 0, FULL | 0x80); // 2 MiB at 0
    struct walk w = do_walk(4, 0x5123);
    assert_int_equal(w.end, WALK_PAGE);
    assert_int_equal(w.level, 2);
    assert_int_equal(w.address, 0x5123);
    put(3, 0, FULL | 0x80 | 0x2000); // a reserved bit
    assert_int_equal(do_walk(4, 0x5123).end, WALK_RESERVED);
    put(2, 0, FULL | 0x80); // 1 GiB
    w = do_walk(4, 0x6123);
    assert_int_equal(w.level, 3);
    assert_int_equal(w.address, 0x6123);
    assert_int_equal(do_walk(4, 0x20000000).end, WALK_OUTSIDE);
    put(1, 0, FULL | 0x80); // no such size
    assert_int_equal(do_walk(4, 0).end, WALK_RESERVED);
}

static void addresses_that_are_none(void **state)
{
    (void)state;
    make(4, 0);
    assert_int_equal(do_walk(4, 0x0000800000000000).end, WALK_CANONICAL);
    assert_int_equal(do_walk(4, 0xffff7fffffffffff).end, WALK_CANONICAL);
    assert_int_equal(do_walk(4, 0xffff800000000000).end, WALK_ABSENT);
    make(5, 0);
    assert_int_equal(do_walk(5, 0x0000800000000000).end, WALK_ABSENT);
    assert_int_equal(do_walk(5, 0x0100000000000000).end, WALK_CANONICAL);
    put(1, 0, 0xfffffull << 12 | FULL);
    assert_int_equal(do_walk(5, 0).end, WALK_OUTSIDE);
}

static void dirty_only_for_writes(void **state)
{
    (void)state;
    make(4, 0);
    put(4, 0, 9 << 12 | (FULL & ~0x40ull));
    assert_true(do_walk(4, 0).needs_write);
    put(4, 0, 9 << 12 | (FULL & ~0x42ull));
    assert_false(do_walk(4, 0).needs_write);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_all_levels),      cmocka_unit_test(rights_are_anded),
        cmocka_unit_test(large_pages),           cmocka_unit_test(addresses_that_are_none),
        cmocka_unit_test(dirty_only_for_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
