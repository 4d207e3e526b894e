// SPDX-License-Identifier: MIT
#include "servers/init/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/fake/init/serial.h"

static struct report report;

static int begin(void **state)
{
    (void)state;
    serial_clear();
    report_begin(&report, 2);
    return 0;
}

static void a_stream_has_version_plan_and_numbers(void **state)
{
    (void)state;
    report_result(&report, true, "builder", "the land is there");
    report_result(&report, true, "init", "done");
    assert_string_equal(serial_text, "KTAP version 1\n1..2\n"
                                     "ok 1 - builder: the land is there\n"
                                     "ok 2 - init: done\n");
    assert_true(report_is_success(&report));
}

static void one_failure_spoils_the_verdict(void **state)
{
    (void)state;
    report_result(&report, false, "builder", "x");
    report_result(&report, true, "builder", "y");
    assert_non_null(strstr(serial_text, "\nnot ok 1 - builder: x\n"));
    assert_false(report_is_success(&report));
}

static void fewer_or_more_than_planned_spoil_the_verdict(void **state)
{
    (void)state;
    report_result(&report, true, "a", "1");
    assert_false(report_is_success(&report));
    report_result(&report, true, "a", "2");
    report_result(&report, true, "a", "3");
    assert_false(report_is_success(&report));
}

static void text_cannot_break_the_line(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    report_result(&report, true, "a", "bad\nok 2 - forged\x1b\xff");
    assert_non_null(strstr(serial_text, "ok 1 - a: bad?ok 2 - forged??\n"));
    serial_clear();
    report_result(&report, true, "a", text);
    assert_int_equal(strlen(serial_text), strlen("ok 2 - a: \n") + 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_stream_has_version_plan_and_numbers, begin),
        cmocka_unit_test_setup(one_failure_spoils_the_verdict, begin),
        cmocka_unit_test_setup(fewer_or_more_than_planned_spoil_the_verdict, begin),
        cmocka_unit_test_setup(text_cannot_break_the_line, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
