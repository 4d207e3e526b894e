// SPDX-License-Identifier: MIT
// Serial input: read in pieces, and one notification to who asked for it.
#include "kernel/console.h"

#include "test/unit/fake/kernel/world.h"

#include <string.h>

#define LISTENER 20u
#define BADGE_IN 0x40u
#define RING     1024u

static status_t read_console(uint64_t listener)
{
    return SYS(world.vmm, CONSOLE_READ, .target = SLOT_CONSOLE, .w = {listener});
}

static void assert_read(const char *text)
{
    assert_status(read_console(0), OK);
    assert_int_equal(world.vmm->regs.rbx, strlen(text));
    char got[LOG_BYTES + 1] = {0};
    memcpy(got, world.vmm->regs.w, LOG_BYTES);
    assert_string_equal(got, text);
}

static uint64_t make_listener(void)
{
    return make_portal(world.vmm, LISTENER, machine_endpoint, BADGE_IN);
}

static void input_is_read_once(void **state)
{
    (void)state;
    world_input("hello");
    assert_read("hello");
    assert_read("");
}

static void input_that_raised_no_interrupt_is_read_too(void **state)
{
    (void)state;
    fake.in = "abc";
    fake.in_ready = 2;
    assert_read("ab");
    fake.in_ready = 1;
    assert_read("c");
}

static void a_read_takes_48_bytes(void **state)
{
    (void)state;
    world_input("0123456789012345678901234567890123456789abcdefghXYZ");
    assert_read("0123456789012345678901234567890123456789abcdefgh");
    assert_read("XYZ");
}

static void bytes_are_not_sign_extended(void **state)
{
    (void)state;
    world_input("\xff\xfe");
    assert_status(read_console(0), OK);
    assert_int_equal(world.vmm->regs.w[0], 0xfeff);
}

static void what_does_not_fit_stays_in_the_port(void **state)
{
    (void)state;
    static char text[RING + 10];
    memset(text, 'z', sizeof text - 1);
    world_input(text);
    assert_int_equal(fake.in_ready, sizeof text - 1 - RING);
    assert_status(read_console(0), OK); // makes room, and fills it
    assert_int_equal(fake.in_ready, 0);
    size_t total = world.vmm->regs.rbx;
    do {
        assert_status(read_console(0), OK);
        total += world.vmm->regs.rbx;
    } while (world.vmm->regs.rbx);
    assert_int_equal(total, sizeof text - 1);
}

static void the_capability_is_needed(void **state)
{
    (void)state;
    assert_status(SYS(world.vmm, CONSOLE_READ, .target = SLOT_SELF), E_SLOT);
    assert_status(SYS(world.vmm, CONSOLE_READ, .target = 30), E_SLOT);
    assert_status(SYS(world.vmm, CONSOLE_READ), E_SLOT);
}

static void a_listener_hears_once(void **state)
{
    (void)state;
    struct portal *p = portal_at(make_listener());
    assert_status(read_console(LISTENER), OK);
    assert_int_equal(world.vmm->regs.rbx, 0);
    assert_int_equal(p->refs, 2);
    world_input("a");
    assert_int_equal(p->refs, 1);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, NOTIFICATION, 0, BADGE_IN, 0);
    world_input("b");
    assert_status(machine_poll(), E_BUSY);
    assert_read("ab");
}

static void a_read_that_brings_input_registers_nobody(void **state)
{
    (void)state;
    struct portal *p = portal_at(make_listener());
    world_input("a");
    assert_status(read_console(LISTENER), OK);
    assert_int_equal(world.vmm->regs.rbx, 1);
    assert_int_equal(p->refs, 1);
}

static void an_interrupt_without_input_notifies_nobody(void **state)
{
    (void)state;
    struct portal *p = portal_at(make_listener());
    assert_status(read_console(LISTENER), OK);
    world_input("");
    assert_int_equal(p->refs, 2);
    assert_status(machine_poll(), E_BUSY);
}

// The kernel empties the port, so the byte raises no interrupt that anybody would see.
static void input_that_comes_during_the_read_is_told(void **state)
{
    (void)state;
    make_listener();
    fake.in = "x";
    fake.late_ready = 1;
    assert_status(read_console(LISTENER), OK);
    assert_int_equal(world.vmm->regs.rbx, 0);
    assert_int_equal(*fake.in, '\0'); // taken in
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, NOTIFICATION, 0, BADGE_IN, 0);
    assert_read("x");
}

static void a_listener_needs_the_notify_flag(void **state)
{
    (void)state;
    struct portal *p = portal_at(make_listener());
    slot_of(world.vmm, LISTENER)->flags = SLOT_ALL & ~SLOT_NOTIFY;
    assert_status(read_console(LISTENER), E_RIGHT);
    assert_status(read_console(SLOT_PARENT), E_SLOT); // no portal
    assert_status(read_console((1ull << 32) + LISTENER), E_SLOT);
    assert_int_equal(p->refs, 1);
    slot_of(world.vmm, LISTENER)->flags = SLOT_ALL;
    p->refs = UINT32_MAX;
    struct task *t = world.vmm;
    t->regs.rax = sys_header(SYS_CONSOLE_READ, SLOT_CONSOLE, 0, 0, 0, 0);
    t->regs.w[0] = LISTENER;
    assert_status(console_read(t), E_LIMIT);
    p->refs = 1;
}

static void a_second_listener_replaces_the_first(void **state)
{
    (void)state;
    struct portal *first = portal_at(make_listener());
    struct portal *second = portal_at(make_portal(world.vmm, 21, machine_endpoint, 0x80));
    assert_status(read_console(LISTENER), OK);
    assert_status(read_console(21), OK);
    assert_int_equal(first->refs, 1);
    assert_int_equal(second->refs, 2);
    assert_status(read_console(21), OK); // itself again
    assert_int_equal(second->refs, 2);
    world_input("a");
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, NOTIFICATION, 0, 0x80, 0);
}

static void a_listener_without_slots_is_told_and_gone(void **state)
{
    (void)state;
    uint64_t number = make_listener();
    assert_status(read_console(LISTENER), OK);
    assert_status(SYS(world.vmm, DROP, .target = LISTENER), OK);
    assert_status(machine_poll(), E_BUSY); // the console still holds it
    world_input("a");
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, NOTIFICATION, 0, BADGE_IN, 0);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, LAST_REFERENCE, BADGE_IN, number, 0);
}

static void a_revoked_listener_hears_nothing(void **state)
{
    (void)state;
    uint64_t number = make_listener();
    assert_status(read_console(LISTENER), OK);
    revoke(number);
    world_input("a");
    assert_status(machine_poll(), E_BUSY);
    assert_int_equal(portal_at(number)->refs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(input_is_read_once),
        KERNEL_TEST(input_that_raised_no_interrupt_is_read_too),
        KERNEL_TEST(a_read_takes_48_bytes),
        KERNEL_TEST(bytes_are_not_sign_extended),
        KERNEL_TEST(what_does_not_fit_stays_in_the_port),
        KERNEL_TEST(the_capability_is_needed),
        KERNEL_TEST(a_listener_hears_once),
        KERNEL_TEST(a_read_that_brings_input_registers_nobody),
        KERNEL_TEST(an_interrupt_without_input_notifies_nobody),
        KERNEL_TEST(input_that_comes_during_the_read_is_told),
        KERNEL_TEST(a_listener_needs_the_notify_flag),
        KERNEL_TEST(a_second_listener_replaces_the_first),
        KERNEL_TEST(a_listener_without_slots_is_told_and_gone),
        KERNEL_TEST(a_revoked_listener_hears_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
