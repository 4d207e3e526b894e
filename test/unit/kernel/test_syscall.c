// SPDX-License-Identifier: MIT
// The header word, dispatch, and what every result looks like.
#include "kernel/syscall.h"

#include "test/unit/fake/kernel/world.h"

static void the_header_packs_every_field_apart(void **state)
{
    (void)state;
    for (unsigned field = 0; field < 4; field++) {
        slot_t s[4] = {0};
        s[field] = SLOT_MAX;
        uint64_t h = sys_header(SYS_LOG, s[0], s[1], s[2], s[3], 0);
        assert_int_equal(header_number(h), SYS_LOG);
        assert_int_equal(header_target(h), s[0]);
        assert_int_equal(header_send(h), s[1]);
        assert_int_equal(header_receive(h), s[2]);
        assert_int_equal(header_reply(h), s[3]);
        assert_int_equal(header_flags(h), 0);
    }
    uint32_t all = SYS_MOVE | SYS_REPLY | SYS_POLL | SYS_MASK(SLOT_ALL);
    assert_int_equal(header_flags(sys_header(0, 0, 0, 0, 0, all)), all);
}

static void a_number_that_is_none_is_no_call(void **state)
{
    (void)state;
    for (unsigned n = SYS_COUNT; n <= 0xff; n++)
        assert_status(world_call(world.vmm, n, (struct call){.target = SLOT_SELF}), E_NOSYS);
}

static void an_error_clears_words_and_badges(void **state)
{
    (void)state;
    assert_status(SYS(world.vmm, CALL, .target = 30, .w = {1, 2, 3, 4, 5, 6}), E_SLOT);
    const struct registers *r = &world.vmm->regs;
    for (unsigned i = 0; i < MESSAGE_WORDS; i++)
        assert_int_equal(r->w[i], 0);
    assert_int_equal(r->rax, (uint32_t)E_SLOT);
    assert_int_equal(r->rbx, 0);
    assert_int_equal(r->r12, 0);
}

static void success_without_a_message_is_all_zero(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(SYS(s.client[0], NOTIFY, .target = CLIENT_PORTAL, .w = {1, 2, 3, 4, 5, 6}), OK);
    assert_message(s.client[0], CALL, 0, 0, 0);
    assert_int_equal(s.client[0]->regs.w[5], 0);
    assert_int_equal(s.client[0]->regs.r12, 0);
    assert_status(SYS(s.client[1], YIELD, .w = {1, 2, 3, 4, 5, 6}), OK);
    assert_int_equal(s.client[1]->regs.w[0], 0);
}

static void dropping_needs_something_to_drop(void **state)
{
    (void)state;
    assert_status(SYS(world.vmm, DROP, .target = 0), E_SLOT);
    assert_status(SYS(world.vmm, DROP, .target = 30), E_SLOT);
    assert_status(SYS(world.vmm, DROP, .target = TASK_SLOTS_FIRST), E_SLOT);
    assert_status(SYS(world.vmm, DROP, .target = SLOT_CONSOLE), OK);
    assert_status(SYS(world.vmm, DROP, .target = SLOT_CONSOLE), E_SLOT);
}

static void a_dead_portal_can_be_dropped(void **state)
{
    (void)state;
    struct service s = make_service();
    revoke(s.portal[0]);
    assert_status(SYS(s.client[0], DROP, .target = CLIENT_PORTAL), OK);
}

static void the_machine_capability_may_be_given_up(void **state)
{
    (void)state;
    assert_status(SYS(world.vmm, DROP, .target = SLOT_SELF), OK);
    assert_status(MACHINE(FLUSH), E_SLOT);
    assert_int_equal(fake.flush.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(the_header_packs_every_field_apart),
        KERNEL_TEST(a_number_that_is_none_is_no_call),
        KERNEL_TEST(an_error_clears_words_and_badges),
        KERNEL_TEST(success_without_a_message_is_all_zero),
        KERNEL_TEST(dropping_needs_something_to_drop),
        KERNEL_TEST(a_dead_portal_can_be_dropped),
        KERNEL_TEST(the_machine_capability_may_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
