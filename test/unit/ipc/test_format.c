// SPDX-License-Identifier: MIT
#include "ipc/format.h"

#include <limits.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char text[256];

__attribute__((format(printf, 2, 3))) static size_t format_into(size_t size, const char *format,
                                                                ...)
{
    va_list arguments;
    memset(text, '~', sizeof text);
    va_start(arguments, format);
    size_t len = format_text(text, size, format, arguments);
    va_end(arguments);
    return len;
}

#define assert_text(wanted, ...)                                                 \
    do {                                                                         \
        assert_int_equal(format_into(sizeof text, __VA_ARGS__), strlen(wanted)); \
        assert_string_equal(text, wanted);                                       \
    } while (0)

static void plain_text_is_copied(void **state)
{
    (void)state;
    assert_text("# builder: 100% land\n", "# builder: 100%% land\n");
    assert_int_equal(format_into(sizeof text, "%s", ""), 0);
    assert_string_equal(text, "");
}

static void numbers_print_their_extremes(void **state)
{
    (void)state;
    assert_text("0 0 0", "%d %u %x", 0, 0u, 0u);
    assert_text("-2147483648 2147483647", "%d %d", INT_MIN, INT_MAX);
    assert_text("4294967295 ffffffff", "%u %x", UINT_MAX, UINT_MAX);
    assert_text("-9223372036854775808", "%ld", LONG_MIN);
    assert_text("18446744073709551615 ffffffffffffffff", "%lu %lx", ULONG_MAX, ULONG_MAX);
}

static void strings_and_characters_print(void **state)
{
    (void)state;
    const char *none = NULL;
    assert_text("a-bc-(null)", "%c-%s-%s", 'a', "bc", none);
}

static void widths_fill_on_the_side_asked_for(void **state)
{
    (void)state;
    assert_text("[  abc][abc  ][abc]", "[%5s][%-5s][%2s]", "abc", "abc", "abc");
    assert_text("[   -7][-7   ][-0007]", "[%5d][%-5d][%05d]", -7, -7, -7);
    assert_text("0x0000beef", "0x%08x", 0xbeefu);
    assert_text("12345", "%03d", 12345);
    assert_text("[    x]", "[%5c]", 'x');
}

static void a_huge_width_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(format_into(sizeof text, "%099999999999d", 5), 200);
    assert_int_equal(format_into(sizeof text, "%0200ld", LONG_MIN), 200);
}

static void an_unknown_conversion_stands_as_it_is(void **state)
{
    (void)state;
    const char *unknown = "%q %5.2f %"; // not a literal: the compiler would refuse it
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
#pragma clang diagnostic ignored "-Wformat-security"
    assert_int_equal(format_into(sizeof text, unknown), strlen(unknown));
#pragma clang diagnostic pop
    assert_string_equal(text, unknown);
}

static void text_that_does_not_fit_is_cut_and_counted(void **state)
{
    (void)state;
    assert_int_equal(format_into(4, "%s", "abcdef"), 6);
    assert_string_equal(text, "abc");
    assert_int_equal(text[4], '~');
    assert_int_equal(format_into(6, "%s", "abcdef"), 6);
    assert_string_equal(text, "abcde");
    assert_int_equal(format_into(7, "%s", "abcdef"), 6);
    assert_string_equal(text, "abcdef");
}

static void no_room_means_nothing_is_written(void **state)
{
    (void)state;
    assert_int_equal(format_into(0, "%d", 12), 2);
    assert_int_equal(text[0], '~');
    assert_int_equal(format_into(1, "%d", 12), 2);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_copied),
        cmocka_unit_test(numbers_print_their_extremes),
        cmocka_unit_test(strings_and_characters_print),
        cmocka_unit_test(widths_fill_on_the_side_asked_for),
        cmocka_unit_test(a_huge_width_is_bounded),
        cmocka_unit_test(an_unknown_conversion_stands_as_it_is),
        cmocka_unit_test(text_that_does_not_fit_is_cut_and_counted),
        cmocka_unit_test(no_room_means_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
