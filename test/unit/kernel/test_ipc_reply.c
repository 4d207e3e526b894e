// SPDX-License-Identifier: MIT
// Replies: one-shot, kept, given with or without the next receive; what either side's death does.
// Case R2.
#include "kernel/ipc.h"

#include "test/unit/fake/kernel/world.h"

#define WORDS 11, 12, 13, 14, 15, 16

static status_t call(struct task *t)
{
    return SYS(t, CALL, .target = CLIENT_PORTAL, .w = {WORDS});
}

static void assert_words(const struct task *t, const uint64_t *want)
{
    assert_memory_equal(t->regs.w, want, sizeof t->regs.w);
}

static void a_reply_brings_six_words_and_no_badge(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(answer_poll(s.server, 0), E_BUSY);
    assert_message(s.client[0], CALL, 0, 0xa1, 0);
    assert_words(s.client[0], (uint64_t[]){0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6});
    assert_int_equal(s.client[0]->regs.r12, 0);
    assert_words(s.server, (uint64_t[MESSAGE_WORDS]){0});
}

static void a_reply_is_one_shot_R2(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(answer_poll(s.server, 0), E_BUSY);
    assert_int_equal(slot_of(s.server, REPLY_SLOT)->type, SLOT_EMPTY);
    assert_status(answer_poll(s.server, 0), E_SLOT);
}

static void replying_and_receiving_is_one_step(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(call(s.client[1]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(answer_poll(s.server, 0), OK);
    assert_message(s.server, CALL, BADGE(1), 11, 0);
    assert_message(s.client[0], CALL, 0, 0xa1, 0);
    assert_ptr_equal(slot_of(s.server, REPLY_SLOT)->caller, s.client[1]);
}

static void a_kept_reply_is_given_later(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(call(s.client[1]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(SYS(s.server, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = 20), OK);
    assert_message(s.server, CALL, BADGE(1), 11, 0);
    assert_status(answer_poll(s.server, 0), E_BUSY);
    assert_message(s.client[0], CALL, 0, 0xa1, 0);
    assert_int_equal(s.client[1]->state, TASK_ANSWER);
}

static void dropping_the_reply_wakes_with_dead(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(SYS(s.server, DROP, .target = REPLY_SLOT), OK);
    assert_int_equal(s.client[0]->state, TASK_READY);
    assert_status((int32_t)s.client[0]->regs.rax, E_DEAD);
    assert_words(s.client[0], (uint64_t[MESSAGE_WORDS]){0});
}

static void the_servers_death_wakes_with_dead(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    destroy(s.server);
    assert_status((int32_t)s.client[0]->regs.rax, E_DEAD);
    assert_int_equal(s.client[0]->state, TASK_READY);
}

static void the_callers_death_clears_the_reply(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    destroy(s.client[0]);
    assert_int_equal(slot_of(s.server, REPLY_SLOT)->type, SLOT_EMPTY);
    assert_status(answer_poll(s.server, 0), E_SLOT);
}

static void a_bad_receive_does_not_reply(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    const struct call bad[] = {
        {.target = 30},
        {.target = SERVER_ENDPOINT, .receive = SERVER_ENDPOINT},
        {.target = SERVER_ENDPOINT, .receive = REPLY_SLOT},
        {.target = SERVER_ENDPOINT, .send = SERVER_ENDPOINT, .receive = 0},
        {.target = SERVER_ENDPOINT, .send = REPLY_SLOT},
    };
    const status_t why[] = {E_SLOT, E_OCCUPIED, E_INVAL, E_INVAL, E_INVAL};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct call c = bad[i];
        c.reply = REPLY_SLOT;
        c.flags = SYS_REPLY | SYS_MOVE;
        assert_status(world_call(s.server, SYS_REPLY_RECV, c), why[i]);
        assert_int_equal(s.client[0]->state, TASK_ANSWER);
    }
    assert_status(answer_poll(s.server, 0), E_BUSY);
}

// Target 0: the server answers and goes on without looking for the next message.
static status_t only_answer(struct task *server, slot_t send, slot_t receive_slot)
{
    return SYS(server, REPLY_RECV, .send = send, .receive = receive_slot, .reply = REPLY_SLOT,
               .flags = SYS_REPLY, .w = {0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6});
}

static void an_answer_alone_takes_no_message(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(call(s.client[1]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(only_answer(s.server, 0, 0), OK);
    assert_message(s.client[0], CALL, 0, 0xa1, 0);
    assert_words(s.server, (uint64_t[MESSAGE_WORDS]){0});
    assert_int_equal(slot_of(s.server, REPLY_SLOT)->type, SLOT_EMPTY);
    assert_int_equal(s.client[1]->state, TASK_SENDING);
}

static void an_answer_alone_does_not_wait(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(only_answer(s.server, 0, 0), OK);
    assert_int_equal(s.server->state, TASK_READY);
}

static void an_answer_alone_needs_a_caller(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(only_answer(s.server, 0, 0), E_SLOT);
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(only_answer(s.server, REPLY_SLOT, 0), E_INVAL);
    assert_status(only_answer(s.server, 30, 0), E_SLOT);
    assert_status(only_answer(s.server, SERVER_ENDPOINT, 0), E_NOSLOT);
    assert_int_equal(s.client[0]->state, TASK_ANSWER);
    assert_status(only_answer(s.server, 0, 0), OK);
}

static void an_answer_alone_may_carry_too(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL, .receive = 30), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(only_answer(s.server, SERVER_ENDPOINT, 0), OK);
    assert_message(s.client[0], CALL, 0, 0xa1, RESULT_CAP);
    assert_ptr_equal(slot_of(s.client[0], 30)->endpoint, s.endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(a_reply_brings_six_words_and_no_badge),
        KERNEL_TEST(a_reply_is_one_shot_R2),
        KERNEL_TEST(replying_and_receiving_is_one_step),
        KERNEL_TEST(a_kept_reply_is_given_later),
        KERNEL_TEST(dropping_the_reply_wakes_with_dead),
        KERNEL_TEST(the_servers_death_wakes_with_dead),
        KERNEL_TEST(the_callers_death_clears_the_reply),
        KERNEL_TEST(a_bad_receive_does_not_reply),
        KERNEL_TEST(an_answer_alone_takes_no_message),
        KERNEL_TEST(an_answer_alone_does_not_wait),
        KERNEL_TEST(an_answer_alone_needs_a_caller),
        KERNEL_TEST(an_answer_alone_may_carry_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
