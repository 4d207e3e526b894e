// SPDX-License-Identifier: MIT
#include "servers/vmm/core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_numbers(void **state)
{
    struct text t = {.len = 0};
    (void)state;
    text_add(&t, "a ");
    text_add_decimal(&t, 0);
    text_add(&t, " ");
    text_add_decimal(&t, UINT64_MAX);
    text_add(&t, " ");
    text_add_hex(&t, 0xdeadbeefull);
    assert_string_equal(t.bytes, "a 0 18446744073709551615 0xdeadbeef");
}

static void test_what_does_not_fit_is_cut(void **state)
{
    struct text t = {.len = 0};
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        text_add(&t, "1234567");
    assert_int_equal(strlen(t.bytes), TEXT_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_what_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
