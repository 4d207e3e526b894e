// SPDX-License-Identifier: MIT
// rt.c under other names, so that the host's own functions can judge it.
#define memcpy  rt_memcpy
#define memmove rt_memmove
#define memset  rt_memset
#define memcmp  rt_memcmp
#define strlen  rt_strlen
#define strcmp  rt_strcmp
#include "lib/ipc/rt.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BYTES   64u
#define LENGTHS 33u // past four of the eight-byte steps

static uint8_t ours[BYTES], theirs[BYTES];

static void fill(void)
{
    for (unsigned i = 0; i < BYTES; i++)
        ours[i] = theirs[i] = (uint8_t)(i * 7 + 3);
}

static void memcpy_copies_every_length(void **state)
{
    (void)state;
    uint8_t from[BYTES];
    memset(from, 0xa5, sizeof from);
    for (unsigned len = 0; len < LENGTHS; len++) {
        fill();
        assert_ptr_equal(rt_memcpy(ours + 3, from + 1, len), ours + 3);
        memcpy(theirs + 3, from + 1, len);
        assert_memory_equal(ours, theirs, BYTES);
    }
}

static void memmove_copies_every_overlap(void **state)
{
    (void)state;
    for (unsigned to = 0; to < 24; to++) {
        for (unsigned len = 0; len < LENGTHS; len++) {
            fill();
            assert_ptr_equal(rt_memmove(ours + to, ours + 12, len), ours + to);
            memmove(theirs + to, theirs + 12, len);
            assert_memory_equal(ours, theirs, BYTES);
        }
    }
}

static void memset_fills_every_length(void **state)
{
    (void)state;
    for (unsigned len = 0; len < LENGTHS; len++) {
        fill();
        assert_ptr_equal(rt_memset(ours + 5, 0x1fe, len), ours + 5); // only the low byte counts
        memset(theirs + 5, 0xfe, len);
        assert_memory_equal(ours, theirs, BYTES);
    }
}

static void memcmp_orders_by_unsigned_bytes(void **state)
{
    (void)state;
    assert_int_equal(rt_memcmp("abc", "abd", 2), 0);
    assert_int_equal(rt_memcmp("abc", "abd", 0), 0);
    assert_true(rt_memcmp("abc", "abd", 3) < 0);
    assert_true(rt_memcmp("\xff", "\x01", 1) > 0);
}

static void strings_are_measured_and_ordered(void **state)
{
    (void)state;
    assert_int_equal(rt_strlen(""), 0);
    assert_int_equal(rt_strlen("land"), 4);
    assert_int_equal(rt_strcmp("land", "land"), 0);
    assert_true(rt_strcmp("lan", "land") < 0);
    assert_true(rt_strcmp("land", "lan") > 0);
    assert_true(rt_strcmp("\xff", "\x01") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memcpy_copies_every_length),
        cmocka_unit_test(memmove_copies_every_overlap),
        cmocka_unit_test(memset_fills_every_length),
        cmocka_unit_test(memcmp_orders_by_unsigned_bytes),
        cmocka_unit_test(strings_are_measured_and_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
