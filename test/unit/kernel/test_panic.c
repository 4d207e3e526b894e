// SPDX-License-Identifier: MIT
// One line, then off with a failing code.
#include "kernel/panic.h"

#include "test/unit/fake/kernel/world.h"

#include <string.h>

static void a_line_and_a_failing_exit(void **state)
{
    (void)state;
    int escape = setjmp(fake.escape);
    if (!escape)
        panic("frame %u at 0x%lx", 7u, 0xabcul);
    assert_int_equal(escape, ESCAPE_POWER_OFF);
    assert_string_equal(fake.out, "\nPANIC: frame 7 at 0xabc\n");
    assert_int_equal(fake.power_code, 0x11);
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    char text[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    int escape = setjmp(fake.escape);
    if (!escape)
        panic("%s", text);
    assert_int_equal(escape, ESCAPE_POWER_OFF);
    assert_int_equal(fake.n_out, 8 + 255 + 1);
    assert_int_equal(fake.out[fake.n_out - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(a_line_and_a_failing_exit),
        KERNEL_TEST(a_long_line_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
