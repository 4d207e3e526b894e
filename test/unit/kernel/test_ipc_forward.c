// SPDX-License-Identifier: MIT
// forward(reply, portal): a server hands its caller on to another, so that it waits for nobody.
#include "kernel/ipc.h"

#include "test/unit/fake/kernel/world.h"

#define ONWARD 20u // the server's portal into the back end

// A client that calls the front server, whose reply capability is in REPLY_SLOT.
struct chain {
    struct service front, back;
    struct task *client;
    uint64_t onward;
};

static struct chain make_chain(slot_t receive_slot)
{
    struct chain c = {.front = make_service(), .back = make_service()};
    c.client = c.front.client[0];
    c.onward = make_portal(world.vmm, ONWARD, c.back.endpoint, 0x55);
    assert_status(
        slot_transfer(slot_of(world.vmm, ONWARD), slot_of(c.front.server, ONWARD), true, 0), OK);
    assert_status(SYS(c.client, CALL, .target = CLIENT_PORTAL, .receive = receive_slot,
                      .w = {1, 2, 3, 4, 5, 6}),
                  BLOCKED);
    assert_status(receive_poll(c.front.server), OK);
    return c;
}

static status_t forward(struct chain *c)
{
    return SYS(c->front.server, FORWARD, .target = ONWARD, .reply = REPLY_SLOT,
               .w = {7, 0, 0, 0, 0, 9});
}

static void the_message_is_now_the_forwarders(void **state)
{
    (void)state;
    struct chain c = make_chain(30);
    assert_status(forward(&c), OK);
    assert_int_equal(slot_of(c.front.server, REPLY_SLOT)->type, SLOT_EMPTY);
    assert_int_equal(c.client->state, TASK_SENDING);
    assert_status(receive_poll(c.back.server), OK);
    assert_message(c.back.server, CALL, 0x55, 7, RESULT_WANTS_CAP);
    assert_int_equal(c.back.server->regs.w[5], 9);
    assert_status(answer_poll(c.back.server, 0), E_BUSY);
    assert_message(c.client, CALL, 0, 0xa1, 0);
}

static void a_waiting_back_end_gets_it_at_once(void **state)
{
    (void)state;
    struct chain c = make_chain(0);
    assert_status(receive(c.back.server), BLOCKED);
    assert_status(forward(&c), OK);
    assert_message(c.back.server, CALL, 0x55, 7, 0);
    assert_ptr_equal(c.client->reply_slot, slot_of(c.back.server, REPLY_SLOT));
}

static void the_answer_may_carry_a_capability(void **state)
{
    (void)state;
    struct chain c = make_chain(30);
    assert_status(forward(&c), OK);
    assert_status(receive_poll(c.back.server), OK);
    make_portal(world.vmm, 21, c.front.endpoint, 0x99);
    assert_status(slot_transfer(slot_of(world.vmm, 21), slot_of(c.back.server, 40), true, 0), OK);
    assert_status(answer_poll(c.back.server, 40), E_BUSY);
    assert_message(c.client, CALL, 0, 0xa1, RESULT_CAP);
    assert_int_equal(slot_of(c.client, 30)->portal->badge, 0x99);
}

static void what_the_first_took_is_not_sent_again(void **state)
{
    (void)state;
    struct chain c = make_chain(0);
    struct task *second = c.front.client[1];
    assert_status(SYS(c.front.server, DROP, .target = REPLY_SLOT), OK);
    make_portal(world.vmm, 21, c.back.endpoint, 0x99);
    assert_status(slot_transfer(slot_of(world.vmm, 21), slot_of(second, 40), true, 0), OK);
    assert_status(SYS(second, CALL, .target = CLIENT_PORTAL, .send = 40), BLOCKED);
    assert_status(receive_poll(c.front.server), OK);
    assert_message(c.front.server, CALL, BADGE(1), 0, RESULT_CAP);
    assert_status(forward(&c), OK);
    assert_status(receive_poll(c.back.server), OK);
    assert_message(c.back.server, CALL, 0x55, 7, 0); // nor as a badge
}

static void both_slots_must_fit(void **state)
{
    (void)state;
    struct chain c = make_chain(0);
    struct task *t = c.front.server;
    assert_status(SYS(t, FORWARD, .target = ONWARD, .reply = 30), E_SLOT);
    assert_status(SYS(t, FORWARD, .target = ONWARD), E_SLOT);
    assert_status(SYS(t, FORWARD, .target = 30, .reply = REPLY_SLOT), E_SLOT);
    assert_status(SYS(t, FORWARD, .target = SERVER_ENDPOINT, .reply = REPLY_SLOT), E_SLOT);
    slot_of(t, ONWARD)->flags = SLOT_ALL & ~SLOT_CALL;
    assert_status(forward(&c), E_RIGHT);
    assert_int_equal(c.client->state, TASK_ANSWER);
    assert_ptr_equal(c.client->reply_slot, slot_of(t, REPLY_SLOT));
}

static void a_closed_way_keeps_the_reply(void **state)
{
    (void)state;
    struct chain c = make_chain(0);
    portal_at(c.onward)->refs = UINT32_MAX;
    world_switch(c.front.server);
    c.front.server->regs.rax = sys_header(SYS_FORWARD, ONWARD, 0, 0, REPLY_SLOT, 0);
    assert_status(ipc_forward(c.front.server), E_LIMIT);
    portal_at(c.onward)->refs = 1;
    destroy(c.back.server);
    assert_status(forward(&c), E_DEAD);
    revoke(c.onward);
    assert_status(forward(&c), E_DEAD); // as before: its server was gone first
    assert_status(answer_poll(c.front.server, 0), E_BUSY);
    assert_message(c.client, CALL, 0, 0xa1, 0);
}

static void a_way_that_closes_behind_wakes_the_caller(void **state)
{
    (void)state;
    struct chain c = make_chain(0);
    assert_status(forward(&c), OK);
    revoke(c.onward);
    assert_status(receive_poll(c.back.server), E_BUSY);
    assert_int_equal(c.client->state, TASK_READY);
    assert_status((int32_t)c.client->regs.rax, E_REVOKED);
}

static void forwarding_home_goes_round(void **state)
{
    (void)state;
    struct chain c = make_chain(0);
    make_portal(world.vmm, 21, c.front.endpoint, 0x99);
    assert_status(slot_transfer(slot_of(world.vmm, 21), slot_of(c.front.server, 40), true, 0), OK);
    assert_status(SYS(c.front.server, FORWARD, .target = 40, .reply = REPLY_SLOT, .w = {8}), OK);
    assert_status(receive_poll(c.front.server), OK);
    assert_message(c.front.server, CALL, 0x99, 8, 0);
}

static void the_portal_may_go_once_it_was_used(void **state)
{
    (void)state;
    struct chain c = make_chain(0);
    assert_status(receive(c.back.server), BLOCKED);
    assert_status(forward(&c), OK);
    assert_status(SYS(c.front.server, DROP, .target = ONWARD), OK);
    assert_message(c.back.server, CALL, 0x55, 7, 0);
    assert_status(answer_poll(c.back.server, 0), OK);
    assert_message(c.back.server, LAST_REFERENCE, 0x55, c.onward, 0);
}

static void a_forwarded_callers_death_takes_the_call_away(void **state)
{
    (void)state;
    struct chain c = make_chain(0);
    assert_status(forward(&c), OK);
    assert_int_equal(portal_at(c.onward)->refs, 2);
    destroy(c.client);
    assert_int_equal(portal_at(c.onward)->refs, 1);
    assert_status(receive_poll(c.back.server), E_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(the_message_is_now_the_forwarders),
        KERNEL_TEST(a_waiting_back_end_gets_it_at_once),
        KERNEL_TEST(the_answer_may_carry_a_capability),
        KERNEL_TEST(what_the_first_took_is_not_sent_again),
        KERNEL_TEST(both_slots_must_fit),
        KERNEL_TEST(a_closed_way_keeps_the_reply),
        KERNEL_TEST(a_way_that_closes_behind_wakes_the_caller),
        KERNEL_TEST(forwarding_home_goes_round),
        KERNEL_TEST(the_portal_may_go_once_it_was_used),
        KERNEL_TEST(a_forwarded_callers_death_takes_the_call_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
