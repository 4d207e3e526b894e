// SPDX-License-Identifier: MIT
// The words of a command.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/vmm_protocol.h"
#include "test/scenarios/shell/shell/words.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void words_are_cut_at_blanks(void **state)
{
    (void)state;
    struct words words;
    char text[] = "  map\ta   0x1000 4 ";
    assert_true(words_split(text, &words));
    assert_int_equal(words.n, 4);
    assert_string_equal(words.at[0], "map");
    assert_string_equal(words.at[1], "a");
    assert_string_equal(words.at[2], "0x1000");
    assert_string_equal(words.at[3], "4");
}

static void too_many_words_are_refused(void **state)
{
    (void)state;
    struct words words;
    char most[] = "1 2 3 4 5 6 7 8 9 10 11 12";
    char more[] = "1 2 3 4 5 6 7 8 9 10 11 12 13";
    assert_true(words_split(most, &words));
    assert_int_equal(words.n, WORDS_MAX);
    assert_false(words_split(more, &words));
}

static void numbers_are_decimal_or_hex(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        uint64_t value;
    } good[] = {
        {"0", 0},
        {"0x0", 0},
        {"42", 42},
        {"007", 7},
        {"0xffff", 0xffff},
        {"0xABcd", 0xabcd},
        {"18446744073709551615", UINT64_MAX},
        {"0xffffffffffffffff", UINT64_MAX},
        {"0x00000000000000000001", 1},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        uint64_t value = 99;
        assert_true(word_number(good[i].word, &value));
        assert_true(value == good[i].value);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "x",
                                      "0x",
                                      "0X10",
                                      "-1",
                                      "+1",
                                      "1f",
                                      "0xg",
                                      "1.5",
                                      "1e3",
                                      "0x-1",
                                      "18446744073709551616",
                                      "0x10000000000000000",
                                      "99999999999999999999999999"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t value = 99;
        assert_false(word_number(bad[i], &value));
        assert_int_equal(value, 99);
    }
}

static void protections_are_three_letters(void **state)
{
    (void)state;
    uint32_t prot = 99;
    assert_true(word_prot("r--", &prot));
    assert_int_equal(prot, PROT_R);
    assert_true(word_prot("rw-", &prot));
    assert_int_equal(prot, PROT_R | PROT_W);
    assert_true(word_prot("r-x", &prot));
    assert_int_equal(prot, PROT_R | PROT_X);
    assert_true(word_prot("rwx", &prot));
    assert_int_equal(prot, PROT_R | PROT_W | PROT_X);
    assert_true(word_prot("---", &prot));
    assert_int_equal(prot, 0);
    static const char *const bad[] = {"",   "-w-",  "--x", "-wx", "r",
                                      "rw", "rw--", "RW-", "wr-", "r-w"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        prot = 99;
        assert_false(word_prot(bad[i], &prot));
        assert_int_equal(prot, 99);
    }
}

static void bytes_are_pairs_of_digits(void **state)
{
    (void)state;
    uint8_t bytes[4] = {0};
    assert_true(word_is_bytes("deADbe", 3));
    assert_int_equal(word_bytes("deADbe", bytes), 3);
    assert_memory_equal(bytes, "\xde\xad\xbe\0", 4);
    static const char *const bad[] = {"", "d", "dea", "0xde", "zz", "d_", "deadbeef"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(word_is_bytes(bad[i], 3));
}

static void names_are_short_and_plain(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "A-1", "x_y.z", "42"};
    static const char *const bad[] = {"", "a/b", "a:", "a b", "\"", "\xc3\xa4"};
    char text[NAME_BYTES + 1];
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(word_is_name(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(word_is_name(bad[i]));
    memset(text, 'n', sizeof text);
    text[NAME_BYTES] = '\0';
    assert_false(word_is_name(text));
    text[NAME_BYTES - 1] = '\0';
    assert_true(word_is_name(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_cut_at_blanks),
        cmocka_unit_test(too_many_words_are_refused),
        cmocka_unit_test(numbers_are_decimal_or_hex),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(protections_are_three_letters),
        cmocka_unit_test(bytes_are_pairs_of_digits),
        cmocka_unit_test(names_are_short_and_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
