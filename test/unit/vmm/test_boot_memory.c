// SPDX-License-Identifier: MIT
#include "servers/vmm/core/boot_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define OFFSET 0xffff800000000000ull

static const struct heap untouched = {1, 2};

static void expect(const struct boot_range *ranges, uint32_t n, vaddr_t offset, status_t status)
{
    struct heap heap = untouched;
    assert_int_equal(locate_heap(ranges, n, offset, &heap), status);
    assert_memory_equal(&heap, &untouched, sizeof heap);
}

static void test_largest_region_wins(void **state)
{
    const struct boot_range ranges[] = {
        {0x1000, 16, MEMORY_USABLE},         {0x100000, 300, MEMORY_USABLE},
        {0x300000, 900, MEMORY_KERNEL},      {0x800000, 300, MEMORY_USABLE},
        {0xa00000, 900, MEMORY_RECLAIMABLE},
    };
    struct heap heap;
    (void)state;
    assert_int_equal(locate_heap(ranges, 5, OFFSET, &heap), OK);
    assert_int_equal(heap.start, OFFSET + 0x100000); // the lower of equals
    assert_int_equal(heap.len_bytes, 300 * PAGE_SIZE);
}

static void test_regions_are_aligned_inward(void **state)
{
    const struct boot_range ranges[] = {{0x1001, 3, MEMORY_USABLE}, {0x8fff, 2, MEMORY_USABLE}};
    struct heap heap;
    (void)state;
    assert_int_equal(locate_heap(ranges, 2, OFFSET, &heap), OK);
    assert_int_equal(heap.start, OFFSET + 0x2000);
    assert_int_equal(heap.len_bytes, 2 * PAGE_SIZE);
    assert_int_equal(locate_heap(ranges + 1, 1, OFFSET, &heap), OK);
    assert_int_equal(heap.start, OFFSET + 0x9000);
    assert_int_equal(heap.len_bytes, PAGE_SIZE);
}

static void test_errors_are_typed(void **state)
{
    const struct boot_range good = {0x1000, 1, MEMORY_USABLE};
    const struct boot_range kernel = {0x1000, 9, MEMORY_KERNEL};
    const struct boot_range splinter = {0x1001, 1, MEMORY_USABLE};
    const struct boot_range empty = {0x1000, 0, MEMORY_USABLE};
    const struct boot_range wraps = {~0ull - 0xfff, 2, MEMORY_USABLE};
    const struct boot_range high = {0x0000800000000000ull, 16, MEMORY_USABLE};
    (void)state;
    expect(&good, 1, 0, E_NOPHYSMAP);
    expect(&good, 0, OFFSET, E_NOREGION);
    expect(&kernel, 1, OFFSET, E_NOREGION);
    expect(&splinter, 1, OFFSET, E_NOREGION);
    expect(&empty, 1, OFFSET, E_NOREGION);
    expect(&wraps, 1, OFFSET, E_OVERFLOW);
    expect(&high, 1, OFFSET, E_OVERFLOW); // the virtual address
}

// F6: generated maps, against the same rule written as a search over all pages.
static void test_generated_maps(void **state)
{
    (void)state;
    srand(6);
    for (unsigned round = 0; round < 3000; round++) {
        struct boot_range ranges[8];
        uint64_t best_start = 0, best_n = 0;
        unsigned n = 1 + rand() % 8;
        for (unsigned i = 0; i < n; i++) {
            ranges[i] = (struct boot_range){(uint64_t)(rand() % 100000), (uint32_t)(rand() % 20),
                                            (uint32_t)rand() % MEMORY_KINDS};
            uint64_t end = ranges[i].start + ranges[i].frames * PAGE_SIZE, count = 0, first = 0;
            for (uint64_t p = 0; p < end; p += PAGE_SIZE)
                if (p >= ranges[i].start && p + PAGE_SIZE <= end && !count++)
                    first = p;
            if (ranges[i].kind == MEMORY_USABLE && count > best_n) {
                best_n = count;
                best_start = first;
            }
        }
        struct heap heap = untouched;
        status_t status = locate_heap(ranges, n, OFFSET, &heap);
        assert_int_equal(status, best_n ? OK : E_NOREGION);
        if (best_n) {
            assert_int_equal(heap.start, OFFSET + best_start);
            assert_int_equal(heap.len_bytes, best_n * PAGE_SIZE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_largest_region_wins),
        cmocka_unit_test(test_regions_are_aligned_inward),
        cmocka_unit_test(test_errors_are_typed),
        cmocka_unit_test(test_generated_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
