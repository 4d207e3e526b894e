// SPDX-License-Identifier: MIT
// Carving of the physical memory, by cases and against a model that decides page by page.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/carve.h"

#define PAGES(n) ((n)*PAGE_SIZE)
#define LIMIT    (1ull << 46)

static struct carve carve;
static struct boot_range ranges[BOOT_RANGES_MAX];
static uint32_t n_ranges;

static void begin(void)
{
    memset(ranges, 0, sizeof(ranges));
    n_ranges = 0;
    carve_init(&carve, LIMIT);
}

static void add(paddr_t start, uint64_t len_bytes, enum memory_kind kind)
{
    assert_int_equal(carve_add(&carve, start, len_bytes, kind), OK);
}

static void run(void)
{
    assert_int_equal(carve_ranges(&carve, ranges, BOOT_RANGES_MAX, &n_ranges), OK);
}

static void expect(uint32_t i, paddr_t start, uint64_t frames, enum memory_kind kind)
{
    assert_true(i < n_ranges);
    assert_int_equal(ranges[i].start, start);
    assert_int_equal(ranges[i].frames, frames);
    assert_int_equal(ranges[i].kind, kind);
}

static void test_frame_0_is_reserved(void **state)
{
    (void)state;
    begin();
    run();
    assert_int_equal(n_ranges, 1);
    expect(0, 0, 1, MEMORY_RESERVED);

    begin();
    add(0, PAGES(4), MEMORY_USABLE);
    run();
    assert_int_equal(n_ranges, 2);
    expect(0, 0, 1, MEMORY_RESERVED);
    expect(1, PAGES(1), 3, MEMORY_USABLE);
}

static void test_usable_inward_others_outward(void **state)
{
    (void)state;
    begin();
    add(PAGES(16) + 1, PAGES(4) - 1, MEMORY_USABLE);
    add(PAGES(32) + 1, PAGES(1), MEMORY_RESERVED);
    add(PAGES(48) - 1, 2, MEMORY_ACPI);
    add(PAGES(64) + 7, 1, MEMORY_MODULE);
    run();
    assert_int_equal(n_ranges, 5);
    expect(1, PAGES(17), 3, MEMORY_USABLE);
    expect(2, PAGES(32), 2, MEMORY_RESERVED);
    expect(3, PAGES(47), 2, MEMORY_ACPI);
    expect(4, PAGES(64), 1, MEMORY_MODULE);
}

static void test_usable_without_a_whole_page(void **state)
{
    (void)state;
    begin();
    add(PAGES(16) + 1, PAGE_SIZE, MEMORY_USABLE);
    add(PAGES(32), 0, MEMORY_MODULE);
    run();
    assert_int_equal(n_ranges, 1);
}

static void test_reserved_wins_over_usable(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        begin();
        if (order == 0)
            add(PAGES(20) + 100, 10, MEMORY_RESERVED);
        add(PAGES(16), PAGES(16), MEMORY_USABLE);
        if (order == 1)
            add(PAGES(20) + 100, 10, MEMORY_RESERVED);
        run();
        assert_int_equal(n_ranges, 4);
        expect(1, PAGES(16), 4, MEMORY_USABLE);
        expect(2, PAGES(20), 1, MEMORY_RESERVED);
        expect(3, PAGES(21), 11, MEMORY_USABLE);
    }
}

static void test_overlaps_of_a_kind_become_one(void **state)
{
    (void)state;
    begin();
    add(PAGES(24), PAGES(8), MEMORY_USABLE);
    add(PAGES(16), PAGES(10), MEMORY_USABLE);
    add(PAGES(32), PAGES(1), MEMORY_USABLE);
    add(PAGES(17), PAGES(2), MEMORY_USABLE);
    run();
    assert_int_equal(n_ranges, 2);
    expect(1, PAGES(16), 17, MEMORY_USABLE);
}

static void test_claims_split_what_is_usable(void **state)
{
    (void)state;
    begin();
    add(PAGES(16), PAGES(16), MEMORY_USABLE);
    add(PAGES(18), PAGES(2), MEMORY_KERNEL);
    add(PAGES(20), PAGES(1) + 1, MEMORY_MODULE);
    add(PAGES(31), PAGES(1), MEMORY_RECLAIMABLE);
    run();
    assert_int_equal(n_ranges, 6);
    expect(1, PAGES(16), 2, MEMORY_USABLE);
    expect(2, PAGES(18), 2, MEMORY_KERNEL);
    expect(3, PAGES(20), 2, MEMORY_MODULE);
    expect(4, PAGES(22), 9, MEMORY_USABLE);
    expect(5, PAGES(31), 1, MEMORY_RECLAIMABLE);
}

static void test_two_claims_on_a_page(void **state)
{
    (void)state;
    begin();
    add(PAGES(16), PAGES(16), MEMORY_USABLE);
    add(PAGES(18), PAGES(2), MEMORY_KERNEL);
    add(PAGES(20) - 1, 1, MEMORY_MODULE);
    n_ranges = 77;
    assert_int_equal(carve_ranges(&carve, ranges, BOOT_RANGES_MAX, &n_ranges), E_EXISTS);
    assert_int_equal(n_ranges, 77);
    assert_int_equal(ranges[0].frames, 0);
}

// The loader's information may share a page with a module's end, which stays.
static void test_claim_wins_over_reclaimable(void **state)
{
    (void)state;
    begin();
    add(PAGES(16), PAGES(16), MEMORY_USABLE);
    add(PAGES(18), PAGES(1) + 8, MEMORY_MODULE);
    add(PAGES(19) + 8, 600, MEMORY_RECLAIMABLE);
    run();
    expect(2, PAGES(18), 2, MEMORY_MODULE);
    expect(3, PAGES(20), 12, MEMORY_USABLE);
}

// What is not RAM must not be handed out as free RAM later, whoever put something there.
static void test_reclaimable_outside_of_ram(void **state)
{
    (void)state;
    begin();
    add(PAGES(16), PAGES(2), MEMORY_USABLE);
    add(PAGES(20), PAGES(1), MEMORY_RESERVED);
    add(PAGES(17), PAGES(5), MEMORY_RECLAIMABLE);
    run();
    assert_int_equal(n_ranges, 4);
    expect(1, PAGES(16), 1, MEMORY_USABLE);
    expect(2, PAGES(17), 1, MEMORY_RECLAIMABLE);
    expect(3, PAGES(18), 4, MEMORY_RESERVED);
}

static void test_wrapping_span(void **state)
{
    (void)state;
    begin();
    assert_int_equal(carve_add(&carve, UINT64_MAX - 4095, 4097, MEMORY_USABLE), E_OVERFLOW);
    assert_int_equal(carve_add(&carve, 2, UINT64_MAX, MEMORY_RESERVED), E_OVERFLOW);
    assert_int_equal(carve.n_spans, 1);
    add(UINT64_MAX - 4095, 4096, MEMORY_RESERVED); // above the limit: left out
    assert_int_equal(carve.n_spans, 1);
}

static void test_limit_clips(void **state)
{
    (void)state;
    begin();
    carve_init(&carve, PAGES(32));
    add(PAGES(16), UINT64_MAX - PAGES(16), MEMORY_USABLE);
    add(PAGES(32), PAGES(1), MEMORY_RESERVED);
    run();
    assert_int_equal(n_ranges, 2);
    expect(1, PAGES(16), 16, MEMORY_USABLE);
}

static void test_long_range_takes_several_entries(void **state)
{
    (void)state;
    begin();
    add(1ull << 40, (1ull << 45) + PAGES(3), MEMORY_USABLE); // 2^33 + 3 frames
    run();
    assert_int_equal(n_ranges, 4);
    expect(1, 1ull << 40, UINT32_MAX, MEMORY_USABLE);
    expect(2, (1ull << 40) + ((uint64_t)UINT32_MAX << PAGE_SHIFT), UINT32_MAX, MEMORY_USABLE);
    expect(3, (1ull << 40) + ((uint64_t)UINT32_MAX << (PAGE_SHIFT + 1)), 5, MEMORY_USABLE);
}

static void test_too_many_ranges(void **state)
{
    (void)state;
    begin();
    for (uint64_t i = 0; i < 5; i++)
        add(PAGES(16 + 2 * i), PAGES(1), MEMORY_USABLE);
    n_ranges = 77;
    assert_int_equal(carve_ranges(&carve, ranges, 5, &n_ranges), E_LIMIT);
    assert_int_equal(n_ranges, 77);
    assert_int_equal(ranges[0].frames, 0);
    assert_int_equal(carve_ranges(&carve, ranges, 6, &n_ranges), OK);
    assert_int_equal(n_ranges, 6);
}

static void test_too_many_spans(void **state)
{
    (void)state;
    begin();
    while (carve.n_spans < CARVE_SPANS_MAX)
        add(PAGES(16), PAGES(1), MEMORY_USABLE);
    assert_int_equal(carve_add(&carve, PAGES(16), PAGES(1), MEMORY_USABLE), E_LIMIT);
    run();
    assert_int_equal(n_ranges, 2);
}

#define MODEL_PAGES 48

// What the model says of a page: a kind, or -1 for none, or -2 for two claims.
static int model_kind(const uint64_t *starts, const uint64_t *lens, const enum memory_kind *kinds,
                      int n, uint64_t page)
{
    bool usable = false, reclaimable = false, acpi = false, reserved = page == 0;
    int claim = -1;
    for (int i = 0; i < n; i++) {
        uint64_t first = PAGES(page), last = first + PAGE_SIZE - 1;
        uint64_t end = starts[i] + lens[i] - 1;
        bool covers = starts[i] <= first && end >= last;
        bool touches = starts[i] <= last && end >= first;
        usable |= kinds[i] == MEMORY_USABLE && covers;
        reclaimable |= kinds[i] == MEMORY_RECLAIMABLE && touches;
        acpi |= kinds[i] == MEMORY_ACPI && touches;
        reserved |= kinds[i] == MEMORY_RESERVED && touches;
        if ((kinds[i] == MEMORY_KERNEL || kinds[i] == MEMORY_MODULE) && touches)
            claim = claim == -1 ? (int)kinds[i] : -2;
    }
    if (claim != -1)
        return claim;
    if (reserved)
        return MEMORY_RESERVED;
    if (acpi)
        return MEMORY_ACPI;
    if (reclaimable)
        return usable ? MEMORY_RECLAIMABLE : MEMORY_RESERVED;
    return usable ? MEMORY_USABLE : -1;
}

static int carved_kind(uint64_t page)
{
    for (uint32_t i = 0; i < n_ranges; i++) {
        if (PAGES(page) >= ranges[i].start &&
            PAGES(page) < ranges[i].start + PAGES((uint64_t)ranges[i].frames))
            return (int)ranges[i].kind;
    }
    return -1;
}

static void check_shape(void)
{
    for (uint32_t i = 0; i < n_ranges; i++) {
        assert_int_equal(ranges[i].start & PAGE_MASK, 0);
        assert_true(ranges[i].frames > 0);
        if (i == 0)
            continue;
        uint64_t end = ranges[i - 1].start + PAGES((uint64_t)ranges[i - 1].frames);
        assert_true(end <= ranges[i].start);
        assert_true(end < ranges[i].start || ranges[i - 1].kind != ranges[i].kind);
    }
}

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

static void test_random_spans_against_the_model(void **state)
{
    (void)state;
    static const enum memory_kind kinds[] = {MEMORY_USABLE, MEMORY_USABLE,   MEMORY_RECLAIMABLE,
                                             MEMORY_ACPI,   MEMORY_RESERVED, MEMORY_KERNEL,
                                             MEMORY_MODULE};
    int n_conflicts = 0, n_carved = 0;
    for (uint32_t seed = 1; seed <= 20000; seed++) {
        uint64_t starts[8], lens[8];
        enum memory_kind chosen[8];
        random_state = seed;
        begin();
        int n = 1 + (int)random_below(8);
        for (int i = 0; i < n; i++) {
            starts[i] = PAGES(random_below(32)) + (random_below(2) ? random_below(4096) : 0);
            lens[i] = 1 + PAGES(random_below(12)) + (random_below(2) ? random_below(4096) : 4095);
            chosen[i] = kinds[random_below(7)];
            add(starts[i], lens[i], chosen[i]);
        }
        bool conflict = false;
        for (uint64_t page = 0; page < MODEL_PAGES; page++)
            conflict |= model_kind(starts, lens, chosen, n, page) == -2;
        status_t status = carve_ranges(&carve, ranges, BOOT_RANGES_MAX, &n_ranges);
        assert_int_equal(status, conflict ? E_EXISTS : OK);
        n_conflicts += conflict;
        n_carved += !conflict;
        if (conflict)
            continue;
        check_shape();
        for (uint64_t page = 0; page < MODEL_PAGES; page++)
            assert_int_equal(carved_kind(page), model_kind(starts, lens, chosen, n, page));
    }
    assert_true(n_conflicts > 1000 && n_carved > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_0_is_reserved),
        cmocka_unit_test(test_usable_inward_others_outward),
        cmocka_unit_test(test_usable_without_a_whole_page),
        cmocka_unit_test(test_reserved_wins_over_usable),
        cmocka_unit_test(test_overlaps_of_a_kind_become_one),
        cmocka_unit_test(test_claims_split_what_is_usable),
        cmocka_unit_test(test_two_claims_on_a_page),
        cmocka_unit_test(test_claim_wins_over_reclaimable),
        cmocka_unit_test(test_reclaimable_outside_of_ram),
        cmocka_unit_test(test_wrapping_span),
        cmocka_unit_test(test_limit_clips),
        cmocka_unit_test(test_long_range_takes_several_entries),
        cmocka_unit_test(test_too_many_ranges),
        cmocka_unit_test(test_too_many_spans),
        cmocka_unit_test(test_random_spans_against_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
