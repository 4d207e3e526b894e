// SPDX-License-Identifier: MIT
// Lines put together of bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test/scenarios/shell/shell/line.h"

static struct line line;

// Feeds a line without its '\n', then that.
static void feed(const char *bytes, size_t len)
{
    line_begin(&line);
    for (size_t i = 0; i < len; i++)
        assert_false(line_add(&line, bytes[i]));
    assert_true(line_add(&line, '\n'));
}

static void feed_text(const char *text)
{
    feed(text, strlen(text));
}

static void a_line_is_what_was_typed(void **state)
{
    (void)state;
    feed_text("map a 0x400000\t4 rw-");
    assert_string_equal(line.text, "map a 0x400000\t4 rw-");
    assert_false(line.has_garbage);
    assert_false(line.is_long);
    assert_true(line_is_command(&line));
}

static void a_carriage_return_before_the_end_is_dropped(void **state)
{
    (void)state;
    feed_text("list\r");
    assert_string_equal(line.text, "list");
    assert_false(line.has_garbage);
    feed_text("li\rst");
    assert_true(line.has_garbage);
}

static void blank_lines_and_comments_are_no_commands(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " ", "\t \t", "\r", "# map", "#", "  # x", "#\xff"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        feed_text(texts[i]);
        assert_false(line_is_command(&line));
    }
    feed_text("a #");
    assert_true(line_is_command(&line));
}

static void bytes_that_are_not_text_are_seen(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[] = "list ? x";
        text[5] = (char)byte;
        if (byte == '\n')
            continue;
        feed(text, sizeof text - 1);
        assert_int_equal(line.has_garbage, !((byte >= ' ' && byte <= '~') || byte == '\t'));
        assert_true(line_is_command(&line));
    }
}

static void a_lone_byte_that_is_not_text_is_a_command(void **state)
{
    (void)state;
    feed("\0", 1);
    assert_true(line_is_command(&line));
    assert_true(line.has_garbage);
}

static void long_lines_are_cut_and_marked(void **state)
{
    (void)state;
    static char text[10000];
    memset(text, 'x', sizeof text);
    feed(text, LINE_BYTES - 1);
    assert_false(line.is_long);
    assert_int_equal(strlen(line.text), LINE_BYTES - 1);
    feed(text, LINE_BYTES);
    assert_true(line.is_long);
    feed(text, sizeof text);
    assert_true(line.is_long);
    assert_true(line_is_command(&line));
    feed_text("list");
    assert_false(line.is_long);
    assert_string_equal(line.text, "list");
}

static void what_a_long_line_is_does_not_depend_on_what_was_kept(void **state)
{
    (void)state;
    static char text[LINE_BYTES + 1];
    memset(text, ' ', sizeof text);
    feed(text, sizeof text);
    assert_false(line_is_command(&line));
    text[LINE_BYTES] = 'x';
    feed(text, sizeof text);
    assert_true(line_is_command(&line));
    assert_true(line.is_long);
    text[LINE_BYTES] = '#';
    feed(text, sizeof text);
    assert_false(line_is_command(&line));
    text[0] = '#';
    feed(text, sizeof text);
    assert_false(line_is_command(&line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_what_was_typed),
        cmocka_unit_test(a_carriage_return_before_the_end_is_dropped),
        cmocka_unit_test(blank_lines_and_comments_are_no_commands),
        cmocka_unit_test(bytes_that_are_not_text_are_seen),
        cmocka_unit_test(a_lone_byte_that_is_not_text_is_a_command),
        cmocka_unit_test(long_lines_are_cut_and_marked),
        cmocka_unit_test(what_a_long_line_is_does_not_depend_on_what_was_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
