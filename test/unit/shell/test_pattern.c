// SPDX-License-Identifier: MIT
// The words behind a command's own, read by patterns.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/vmm_protocol.h"
#include "test/scenarios/shell/shell/pattern.h"

static struct arguments arguments;
static const char *wrong;
static char text[4200];

static enum match match(const char *pattern, const char *line)
{
    struct words words;
    wrong = "untouched";
    strcpy(text, line);
    assert_true(words_split(text, &words));
    return pattern_match(pattern, &words, &arguments, &wrong);
}

static void each_letter_takes_its_words(void **state)
{
    (void)state;
    assert_int_equal(match("snvpw", "x old new 0x10 r-- any"), MATCH_OK);
    assert_int_equal(arguments.n, 5);
    assert_string_equal(arguments.at[0].word, "old");
    assert_int_equal(arguments.at[1].letter, 'n');
    assert_int_equal(arguments.at[2].number, 16);
    assert_int_equal(arguments.at[3].prot, PROT_R);
    assert_string_equal(arguments.at[4].word, "any");
    assert_int_equal(match("mlz", "x copy now 2M"), MATCH_OK);
    assert_int_equal(arguments.at[0].number, CLONE_COPY);
    assert_int_equal(arguments.at[1].number, 0);
    assert_int_equal(arguments.at[2].number, MAP_2M);
    assert_int_equal(match("", "x"), MATCH_OK);
    assert_int_equal(arguments.n, 0);
}

static void the_wrong_word_is_named(void **state)
{
    (void)state;
    assert_int_equal(match("sv", "x a 0y"), MATCH_NUMBER);
    assert_string_equal(wrong, "0y");
    assert_int_equal(match("n", "x a/b"), MATCH_NAME);
    assert_string_equal(wrong, "a/b");
    assert_int_equal(match("vp", "x 1 -w-"), MATCH_PROT);
    assert_int_equal(match("m", "x deep"), MATCH_SHAPE);
}

static void words_may_not_be_missing_or_too_many(void **state)
{
    (void)state;
    assert_int_equal(match("sv", "x"), MATCH_SHAPE);
    assert_int_equal(match("sv", "x a"), MATCH_SHAPE);
    assert_int_equal(match("sv", "x a 1 2"), MATCH_SHAPE);
    assert_int_equal(match("", "x a"), MATCH_SHAPE);
}

static void optional_words_may_be_missing(void **state)
{
    (void)state;
    assert_int_equal(match("s?lz", "x a"), MATCH_OK);
    assert_null(argument_find(&arguments, 'l'));
    assert_int_equal(match("s?lz", "x a 1G"), MATCH_OK);
    assert_null(argument_find(&arguments, 'l'));
    assert_int_equal(argument_find(&arguments, 'z')->number, MAP_1G);
    assert_int_equal(match("s?lz", "x a lazy 4K"), MATCH_OK);
    assert_int_equal(argument_find(&arguments, 'l')->number, MAP_LAZY);
    assert_int_equal(match("s?lz", "x a 4K lazy"), MATCH_SHAPE);
    assert_int_equal(match("s?lz", "x a lazy lazy"), MATCH_SHAPE);
    assert_int_equal(match("s?lz", "x a eager"), MATCH_SHAPE);
    assert_int_equal(match("?s", "x"), MATCH_OK);
    assert_int_equal(match("?s", "x a"), MATCH_OK);
}

static void quota_wants_its_number(void **state)
{
    (void)state;
    assert_int_equal(match("n?qv", "x a"), MATCH_OK);
    assert_null(argument_find(&arguments, 'q'));
    assert_int_equal(match("n?qv", "x a quota 7"), MATCH_OK);
    assert_int_equal(argument_find(&arguments, 'q')[1].number, 7);
    assert_int_equal(match("n?qv", "x a quota"), MATCH_SHAPE);
    assert_int_equal(match("n?qv", "x a quota x"), MATCH_NUMBER);
    assert_int_equal(match("n?qv", "x a 7"), MATCH_SHAPE);
    assert_int_equal(match("n?qv", "x a quota 7 8"), MATCH_SHAPE);
}

static void lengths_have_bounds(void **state)
{
    (void)state;
    char line[2 * WRITE_MAX + 8] = "x ";
    memset(line + 2, '7', 2 * WRITE_MAX + 2);
    assert_int_equal(match("h", line), MATCH_SHAPE);
    line[2 + 2 * WRITE_MAX] = '\0';
    assert_int_equal(match("h", line), MATCH_OK);
    line[1 + 2 * WRITE_MAX] = '\0';
    assert_int_equal(match("h", line), MATCH_SHAPE);
    assert_int_equal(match("c", "x 0"), MATCH_SHAPE);
    assert_int_equal(match("c", "x 1"), MATCH_OK);
    assert_int_equal(match("c", "x 4096"), MATCH_OK);
    assert_int_equal(match("c", "x 4097"), MATCH_SHAPE);
    assert_int_equal(match("c", "x many"), MATCH_NUMBER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_letter_takes_its_words),
        cmocka_unit_test(the_wrong_word_is_named),
        cmocka_unit_test(words_may_not_be_missing_or_too_many),
        cmocka_unit_test(optional_words_may_be_missing),
        cmocka_unit_test(quota_wants_its_number),
        cmocka_unit_test(lengths_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
