// SPDX-License-Identifier: MIT
// The console's lines: whole ones, whoever else writes.
#include "kernel/log.h"

#include "test/unit/fake/kernel/world.h"

#include <string.h>

static void say(struct task *t, const char *text)
{
    struct call c = {0};
    assert_true(strlen(text) <= LOG_BYTES);
    memcpy(c.w, text, strlen(text));
    assert_status(world_call(t, SYS_LOG, c), OK);
}

static struct task *started(void)
{
    struct task *t = make_task(PRIORITY_DEFAULT);
    start_task(t);
    return t;
}

static void a_line_appears_when_it_is_complete(void **state)
{
    (void)state;
    struct task *t = started();
    say(t, "hello");
    assert_string_equal(fake.out, "");
    say(t, ", world\nand");
    assert_string_equal(fake.out, "hello, world\n");
    say(t, "\n");
    assert_string_equal(fake.out, "hello, world\nand\n");
}

static void lines_of_two_tasks_do_not_mix(void **state)
{
    (void)state;
    struct task *a = started(), *b = started();
    say(a, "one ");
    say(b, "two\n");
    say(a, "three\n");
    assert_string_equal(fake.out, "two\none three\n");
}

static void all_bytes_of_a_call_count(void **state)
{
    (void)state;
    say(started(), "0123456789abcdef0123456789abcdef0123456789abcde\n");
    assert_string_equal(fake.out, "0123456789abcdef0123456789abcdef0123456789abcde\n");
}

static void a_nul_ends_the_text(void **state)
{
    (void)state;
    struct task *t = started();
    assert_status(SYS(t, LOG, .w = {'a' | '\n' << 8, 'b' | '\n' << 8}), OK);
    assert_string_equal(fake.out, "a\n");
    assert_status(SYS(t, LOG), OK); // nothing at all
    assert_string_equal(fake.out, "a\n");
}

static void an_overlong_line_is_cut(void **state)
{
    (void)state;
    struct task *t = started();
    for (unsigned i = 0; i < LOG_LINE_BYTES / 40; i++)
        say(t, "0123456789012345678901234567890123456789");
    assert_int_equal(fake.n_out, 0);
    say(t, "x");
    assert_int_equal(fake.n_out, LOG_LINE_BYTES + 1);
    assert_int_equal(fake.out[LOG_LINE_BYTES], '\n');
    say(t, "y\n");
    assert_string_equal(fake.out + LOG_LINE_BYTES + 1, "xy\n");
}

static void a_line_of_exactly_the_limit_stays_one(void **state)
{
    (void)state;
    struct task *t = started();
    for (unsigned i = 0; i < LOG_LINE_BYTES / 40; i++)
        say(t, "0123456789012345678901234567890123456789");
    say(t, "\n");
    assert_int_equal(fake.n_out, LOG_LINE_BYTES + 1);
}

static void last_words_are_heard(void **state)
{
    (void)state;
    struct task *t = started();
    say(t, "about to d");
    destroy(t);
    assert_string_equal(fake.out, "about to d\n");
}

static void what_is_no_text_is_shown_as_marks(void **state)
{
    (void)state;
    say(started(), "a\x1b[2Jb\r\tc\n");
    assert_string_equal(fake.out, "a?[2Jb?\tc\n");
    say(started(), "\x7f\x80\x9b\xff~ \n");
    assert_string_equal(fake.out, "a?[2Jb?\tc\n????~ \n");
}

// The port takes a few bytes at a time: nothing is lost, nothing overtakes, and who prints too much waits.
static void a_slow_port_gets_every_line_in_order(void **state)
{
    (void)state;
    struct task *a = started(), *b = started();
    fake.is_slow = true;
    say(a, "first\n");
    say(b, "second\n");
    assert_string_equal(fake.out, "");
    fake.send_max = 3;
    log_send();
    assert_string_equal(fake.out, "fir");
    fake.send_max = 5;
    say(a, "third\n");
    assert_string_equal(fake.out, "first\nse");
    log_flush(); // as before the machine ends
    assert_string_equal(fake.out, "first\nsecond\nthird\n");
}

static void without_room_nothing_is_taken(void **state)
{
    (void)state;
    struct task *t = started(), *other = started();
    status_t status;
    unsigned n = 0;
    fake.is_slow = true;
    do {
        status = SYS(t, LOG, .w = {'x' | '\n' << 8});
        n += status == OK;
    } while (status == OK);
    assert_status(status, E_MORE);
    assert_int_equal(t->n_logged, 0);
    status_t ends = E_MORE; // last words would have no room either
    for (unsigned i = 0; i < 8; i++)
        ends = destroy_step(other);
    assert_status(ends, E_MORE);
    fake.is_slow = false;
    assert_status(SYS(t, LOG, .w = {'y' | '\n' << 8}), E_MORE); // makes room, which is enough
    assert_status(SYS(t, LOG, .w = {'y' | '\n' << 8}), OK);
    assert_int_equal(fake.n_out, 2 * n + 2);
    assert_string_equal(fake.out + 2 * n, "y\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(a_line_appears_when_it_is_complete),
        KERNEL_TEST(lines_of_two_tasks_do_not_mix),
        KERNEL_TEST(all_bytes_of_a_call_count),
        KERNEL_TEST(a_nul_ends_the_text),
        KERNEL_TEST(an_overlong_line_is_cut),
        KERNEL_TEST(a_line_of_exactly_the_limit_stays_one),
        KERNEL_TEST(last_words_are_heard),
        KERNEL_TEST(a_slow_port_gets_every_line_in_order),
        KERNEL_TEST(without_room_nothing_is_taken),
        KERNEL_TEST(what_is_no_text_is_shown_as_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
