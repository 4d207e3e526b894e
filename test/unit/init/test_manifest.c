// SPDX-License-Identifier: MIT
#include "servers/init/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/syscalls.h"

static struct manifest manifest;
static struct manifest_error error;

// Parses a copy without a byte behind it, so that the sanitizer sees whoever reads too far.
static status_t parse_bytes(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    memset(&error, 0xee, sizeof error);
    status_t status = manifest_parse(copy, len, &manifest, &error);
    free(copy);
    return status;
}

static status_t parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void assert_refused(const char *text, unsigned line, const char *what, const char *where)
{
    assert_int_equal(parse(text), E_FORMAT);
    assert_int_equal(error.line, line);
    assert_string_equal(error.what, what);
    assert_string_equal(error.where, where);
}

static void a_task_has_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("task builder\n"), OK);
    assert_int_equal(manifest.n_tasks, 1);
    const struct manifest_task *task = &manifest.tasks[0];
    assert_string_equal(task->name, "builder");
    assert_string_equal(task->elf, "builder");
    assert_int_equal(task->tests, 0);
    assert_int_equal(task->priority, PRIORITY_DEFAULT);
    assert_int_equal(task->quota, 0);
    assert_int_equal(task->argument, 0);
    assert_int_equal(task->expect, EXIT_NORMAL);
}

static void a_task_takes_every_field_in_any_order(void **state)
{
    (void)state;
    assert_int_equal(parse("task a argument=0xffffffffffffffff quota=64 priority=30 tests=7 "
                           "expect=fault elf=prog-1_x # as said\n"
                           "\ttask b background"),
                     OK);
    const struct manifest_task *task = &manifest.tasks[0];
    assert_string_equal(task->elf, "prog-1_x");
    assert_int_equal(task->tests, 7);
    assert_int_equal(task->priority, 30);
    assert_int_equal(task->quota, 64);
    assert_true(task->argument == UINT64_MAX);
    assert_int_equal(task->expect, EXIT_FAULT);
    assert_int_equal(manifest.tasks[1].expect, EXIT_KILLED);
}

static void gives_refer_to_what_stands_above(void **state)
{
    (void)state;
    assert_int_equal(parse("space land quota=9\nspace sea\nendpoint mail\ntask a\ntask b\n"
                           "give b space sea as water rights=read,map start=0x400000 pages=4\n"
                           "give a space land as home\n"
                           "give a endpoint mail as inbox\n"
                           "give b portal mail as outbox badge=0x77 flags=call,move\n"
                           "give b task a as inbox\n"),
                     OK);
    assert_int_equal(manifest.n_gives, 5);
    assert_int_equal(manifest.spaces[0].quota, 9);
    const struct manifest_give *give = manifest.gives;
    assert_int_equal(give[0].kind, GIVE_SPACE);
    assert_int_equal(give[0].task, 1);
    assert_int_equal(give[0].object, 1);
    assert_int_equal(give[0].rights, RIGHT_READ | RIGHT_MAP);
    assert_int_equal(give[0].start, 0x400000);
    assert_int_equal(give[0].pages, 4);
    assert_int_equal(give[1].rights, RIGHTS_SPACE);
    assert_int_equal(give[1].pages, 0);
    assert_int_equal(give[2].kind, GIVE_ENDPOINT);
    assert_string_equal(give[2].name, "inbox");
    assert_int_equal(give[3].kind, GIVE_PORTAL);
    assert_int_equal(give[3].badge, 0x77);
    assert_int_equal(give[3].flags, SLOT_CALL | SLOT_MOVE);
    assert_int_equal(give[4].kind, GIVE_TASK);
    assert_int_equal(give[4].object, 0);
}

static void devices_are_given_by_windows(void **state)
{
    (void)state;
    const struct manifest_give *give = &manifest.gives[0];
    assert_int_equal(parse("task a\n"
                           "give a devices as clock start=0xfed00000 pages=1 rights=read,share\n"),
                     OK);
    assert_int_equal(give->kind, GIVE_DEVICES);
    assert_int_equal(give->start, 0xfed00000);
    assert_int_equal(give->pages, 1);
    assert_int_equal(give->rights, RIGHT_READ | RIGHT_SHARE);
    assert_refused("task a\ngive a devices as clock\n", 2, "devices need start= and pages=", "");
    assert_refused("task a\ngive a devices as clock start=0 pages=1 rights=execute\n", 2,
                   "unknown word", "execute");
}

static void the_console_and_the_account_are_the_only_ones(void **state)
{
    (void)state;
    assert_int_equal(parse("task a\ntask b\n"
                           "give a console as console\n"
                           "give b console as account\n"
                           "give a account as money\n"
                           "give b account as machine rights=audit,power\n"),
                     OK);
    const struct manifest_give *give = manifest.gives;
    assert_int_equal(give[0].kind, GIVE_CONSOLE);
    assert_string_equal(give[0].name, "console");
    assert_int_equal(give[1].task, 1);
    assert_string_equal(give[1].name, "account");
    assert_int_equal(give[2].kind, GIVE_ACCOUNT);
    assert_int_equal(give[2].rights, RIGHT_CREATE | RIGHT_QUERY);
    assert_int_equal(give[3].rights, RIGHT_AUDIT | RIGHT_POWER);
    assert_refused("task a\ngive a console\n", 2, "wanted: give TASK KIND OBJECT as NAME", "");
    assert_refused("task a\ngive a console x as y\n", 2, "wanted: give TASK KIND OBJECT as NAME",
                   "");
    assert_refused("task a\ngive a console as y rights=audit\n", 2, "unknown word", "rights");
    assert_refused("task a\ngive a account as y rights=write\n", 2, "unknown word", "write");
    assert_refused("task a\ngive a account as y\ngive a console as y\n", 3, "the name is taken",
                   "y");
}

static void unknown_words_are_refused(void **state)
{
    (void)state;
    assert_refused("\n\ntsak a\n", 3, "unknown word", "tsak");
    assert_refused("task a colour=red\n", 1, "unknown word", "colour");
    assert_refused("task a expect=glory\n", 1, "unknown word", "glory");
    assert_refused("task a foreground\n", 1, "unknown word", "foreground");
    assert_refused("endpoint e quota=1\n", 1, "unknown word", "quota");
    assert_refused("space s\ntask a\ngive a space s as s rights=read,fly\n", 3, "unknown word",
                   "fly");
    assert_refused("space s\ntask a\ngive a planet s as s\n", 3, "unknown word", "planet");
    assert_refused("endpoint e\ntask a\ngive a endpoint e as e badge=1\n", 3, "unknown word",
                   "badge");
}

static void missing_and_double_fields_are_refused(void **state)
{
    (void)state;
    assert_refused("task\n", 1, "a name is missing behind", "task");
    assert_refused("task a tests\n", 1, "needs a value", "tests");
    assert_refused("task a tests=\n", 1, "not a number", "");
    assert_refused("task a elf=\n", 1, "an empty name", "");
    assert_refused("task a background=1\n", 1, "takes no value", "background");
    assert_refused("task a tests=1 tests=1\n", 1, "said twice", "tests");
    assert_refused("space s\ntask a\ngive a space s as s rights=read,read\n", 3, "said twice",
                   "read");
    assert_refused("task a\ngive a space\n", 2, "wanted: give TASK KIND OBJECT as NAME", "");
    assert_refused("space s\ntask a\ngive a space s is s\n", 3,
                   "wanted: give TASK KIND OBJECT as NAME", "");
    assert_refused("space s\ntask a\ngive a space s as s start=0x1000\n", 3,
                   "start= needs pages=", "");
    assert_refused("task a background expect=fault\n", 1,
                   "a task in the background is not expected to fault", "a");
}

static void duplicate_and_unknown_names_are_refused(void **state)
{
    (void)state;
    assert_refused("task a\ntask a\n", 2, "the name is taken", "a");
    assert_refused("task x\nspace a\nspace a\n", 3, "the name is taken", "a");
    assert_refused("endpoint a\nendpoint a\n", 2, "the name is taken", "a");
    assert_refused("give a space s as s\n", 1, "no such task above", "a");
    assert_refused("task a\ngive a space s as s\nspace s\n", 2, "no such name above", "s");
    assert_refused("space s\ntask a\ngive a space s as s\ngive a space s as s\n", 4,
                   "the name is taken", "s");
    assert_refused("endpoint e\ntask a\ntask b\ngive a endpoint e as e\ngive b endpoint e as e\n",
                   5, "the endpoint is given away already", "e");
}

static void an_endpoint_given_away_still_takes_portals(void **state)
{
    (void)state;
    assert_int_equal(parse("endpoint e\ntask a\ntask b\ngive a endpoint e as e\n"
                           "give b portal e as p\ngive a portal e as p\n"),
                     OK);
}

static void bad_names_are_refused(void **state)
{
    (void)state;
    assert_refused("task 9lives\n", 1, "not a name", "9lives");
    assert_refused("task Builder\n", 1, "not a name", "Builder");
    assert_refused("task a/b\n", 1, "not a name", "a/b");
    assert_refused("task abcdefghijklmnopqrstuvwxyzabcdef\n", 1, "the name is too long",
                   "abcdefghijklmnopqrstuvwxyzabcde");
    assert_int_equal(parse("task abcdefghijklmnopqrstuvwxyzabcde\n"), OK);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_int_equal(parse("task a tests=1000 priority=30 quota=0xffffffff\n"), OK);
    assert_refused("task a tests=1001\n", 1, "the number is out of range", "1001");
    assert_refused("task a priority=31\n", 1, "the number is out of range", "31");
    assert_int_equal(parse("task a priority=9 quota=9 most=9\n"), OK);
    assert_int_equal(manifest.tasks[0].most, 9);
    const char *most = "most needs a quota, and is at least the priority";
    assert_refused("task a most=9\n", 1, most, "a");
    assert_refused("task a quota=9 priority=9 most=8\n", 1, most, "a");
    assert_refused("task a quota=0\n", 1, "the number is out of range", "0");
    assert_refused("task a quota=0x100000000\n", 1, "the number is out of range", "0x100000000");
    assert_refused("task a argument=18446744073709551616\n", 1, "the number is out of range",
                   "18446744073709551616");
    assert_int_equal(parse("task a argument=18446744073709551615\n"), OK);
    assert_refused("task a tests=-1\n", 1, "not a number", "-1");
    assert_refused("task a tests=0x\n", 1, "not a number", "0x");
    assert_refused("task a tests=1f\n", 1, "not a number", "1f");
    assert_refused("task a tests=0xg\n", 1, "not a number", "0xg");
}

static void lines_have_a_limit(void **state)
{
    (void)state;
    char text[MANIFEST_LINE_MAX + 16];
    memset(text, ' ', sizeof text);
    memcpy(text, "task a", 6);
    assert_int_equal(parse_bytes(text, MANIFEST_LINE_MAX), OK);
    assert_int_equal(parse_bytes(text, MANIFEST_LINE_MAX + 1), E_FORMAT);
    assert_string_equal(error.what, "the line is too long");
    assert_int_equal(error.line, 1);
    assert_refused("task a\na b c d e f g h i j k l m n o p q\n", 2, "too many words", "q");
}

static void bytes_that_are_not_text_are_refused(void **state)
{
    (void)state;
    static const char bad[] = {'\0', '\r', 0x7f, (char)0x80, (char)0xff, 0x1b};
    for (size_t i = 0; i < sizeof bad; i++) {
        char text[] = "task a\n# ? \n";
        text[9] = bad[i];
        assert_int_equal(parse_bytes(text, sizeof text - 1), E_FORMAT);
        assert_int_equal(error.line, 2);
        assert_string_equal(error.what, "a byte that is not text");
    }
}

static void a_manifest_without_tasks_is_refused(void **state)
{
    (void)state;
    assert_refused("", 1, "there is no task", "");
    assert_refused("# nothing\n\n", 2, "there is no task", "");
}

static void an_endpoint_that_nobody_has_is_refused(void **state)
{
    (void)state;
    assert_refused("endpoint ear\ntask a\ngive a portal ear as ear\n", 3,
                   "nobody is given the endpoint", "ear");
}

static void too_many_entries_are_refused(void **state)
{
    (void)state;
    char text[2048] = "";
    for (unsigned i = 0; i <= MANIFEST_TASKS_MAX; i++)
        sprintf(text + strlen(text), "task t%u\n", i);
    assert_refused(text, MANIFEST_TASKS_MAX + 1, "too many entries of this kind", "task");
    strcpy(text, "endpoint e\ntask a\n");
    for (unsigned i = 0; i <= MANIFEST_GIVES_MAX; i++)
        sprintf(text + strlen(text), "give a portal e as p%u\n", i);
    assert_refused(text, MANIFEST_GIVES_MAX + 3, "too many entries of this kind", "give");
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void garbage_never_does_harm(void **state)
{
    (void)state;
    static const char good[] = "space land quota=9\nendpoint mail\ntask a tests=3\ntask b\n"
                               "give b space land as water rights=read,map start=0x400000 pages=4\n"
                               "give b portal mail as outbox badge=0x77 flags=call,move\n";
    uint64_t seed = 0x5eed;
    for (unsigned round = 0; round < 20000; round++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        for (unsigned i = 0; i <= round % 4; i++)
            text[next_random(&seed) % (sizeof good - 1)] = (char)next_random(&seed);
        if (parse_bytes(text, next_random(&seed) % sizeof good) == OK)
            continue;
        assert_non_null(error.what);
        assert_true(strlen(error.where) < sizeof error.where);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_has_defaults),
        cmocka_unit_test(a_task_takes_every_field_in_any_order),
        cmocka_unit_test(gives_refer_to_what_stands_above),
        cmocka_unit_test(devices_are_given_by_windows),
        cmocka_unit_test(the_console_and_the_account_are_the_only_ones),
        cmocka_unit_test(unknown_words_are_refused),
        cmocka_unit_test(missing_and_double_fields_are_refused),
        cmocka_unit_test(duplicate_and_unknown_names_are_refused),
        cmocka_unit_test(an_endpoint_given_away_still_takes_portals),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(lines_have_a_limit),
        cmocka_unit_test(bytes_that_are_not_text_are_refused),
        cmocka_unit_test(a_manifest_without_tasks_is_refused),
        cmocka_unit_test(an_endpoint_that_nobody_has_is_refused),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(garbage_never_does_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
