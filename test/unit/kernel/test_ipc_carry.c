// SPDX-License-Identifier: MIT
// The capability that a message carries, in calls and in replies: copied, moved, narrowed, refused.
// Cases R1, R2 and R6.
#include "kernel/ipc.h"
#include "test/unit/fake/kernel/world.h"

// A service whose client 0 also holds, in CARGO, a portal to an endpoint of the VMM's.
#define CARGO      20u
#define CARGO_HOME 21u
#define HOME_BADGE 0x77u

struct shop {
    struct service s;
    struct task *client;
    struct endpoint *home;
    uint64_t number;
    struct portal *portal;
};

static struct shop make_shop(uint32_t flags)
{
    struct shop shop = {.s = make_service()};
    shop.client = shop.s.client[0];
    shop.home = make_endpoint(world.vmm, CARGO_HOME);
    shop.number = world.next_portal++;
    mint_portal(shop.number, world.vmm, CARGO, shop.home, HOME_BADGE, SLOT_ALL);
    shop.portal = portal_at(shop.number);
    struct slot *from = slot_of(world.vmm, CARGO), *to = slot_of(shop.client, CARGO);
    assert_status(slot_transfer(from, to, true, ~flags & SLOT_ALL), OK);
    return shop;
}

static status_t call_with(struct task *t, slot_t cargo, uint32_t flags)
{
    return SYS(t, CALL, .target = CLIENT_PORTAL, .send = cargo, .flags = flags);
}

static void a_copy_leaves_the_senders_R1(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    assert_status(call_with(shop.client, CARGO, 0), BLOCKED);
    assert_status(receive_poll(shop.s.server), OK);
    assert_message(shop.s.server, CALL, BADGE(0), 0, RESULT_CAP);
    assert_ptr_equal(slot_of(shop.s.server, RECEIVE_SLOT)->portal, shop.portal);
    assert_int_equal(slot_of(shop.s.server, RECEIVE_SLOT)->flags, SLOT_ALL);
    assert_ptr_equal(slot_of(shop.client, CARGO)->portal, shop.portal);
    assert_int_equal(shop.portal->refs, 2);
}

static void a_move_empties_the_senders_R1(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    assert_status(call_with(shop.client, CARGO, SYS_MOVE), BLOCKED);
    assert_int_equal(slot_of(shop.client, CARGO)->type, SLOT_PORTAL); // until it is taken
    assert_status(receive_poll(shop.s.server), OK);
    assert_int_equal(slot_of(shop.client, CARGO)->type, SLOT_EMPTY);
    assert_int_equal(shop.portal->refs, 1);
}

static void the_receiver_gets_no_masked_flag_R1(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    uint32_t mask = SYS_MASK(SLOT_COPY | SLOT_MOVE | SLOT_NOTIFY);
    assert_status(call_with(shop.client, CARGO, mask), BLOCKED);
    assert_status(receive_poll(shop.s.server), OK);
    assert_int_equal(slot_of(shop.s.server, RECEIVE_SLOT)->flags, SLOT_CALL);
    assert_int_equal(slot_of(shop.client, CARGO)->flags, SLOT_ALL);
    assert_status(SYS(shop.s.server, NOTIFY, .target = RECEIVE_SLOT), E_RIGHT);
    assert_status(answer_poll(shop.s.server, RECEIVE_SLOT), E_RIGHT); // nor can it pass it on
    assert_int_equal(shop.client->state, TASK_ANSWER);
}

static void without_the_flag_the_call_is_refused_R2_R6(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_CALL | SLOT_COPY);
    assert_status(call_with(shop.client, CARGO, SYS_MOVE), E_RIGHT);
    slot_of(shop.client, CARGO)->flags = SLOT_CALL | SLOT_MOVE;
    assert_status(call_with(shop.client, CARGO, 0), E_RIGHT);
    assert_int_equal(slot_of(shop.client, CARGO)->type, SLOT_PORTAL);
    assert_int_equal(shop.portal->refs, 1);
    assert_status(receive_poll(shop.s.server), E_BUSY); // nothing was sent
}

static void nothing_to_send_is_refused(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    assert_status(call_with(shop.client, 30, 0), E_SLOT);
    assert_status(call_with(shop.client, TASK_SLOTS_FIRST, 0), E_SLOT);
    revoke(shop.number);
    assert_status(call_with(shop.client, CARGO, 0), E_REVOKED);
}

static void no_slot_for_it_fails_the_call_R6(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    struct task *server = shop.s.server;
    assert_status(call_with(shop.client, CARGO, SYS_MOVE), BLOCKED);
    assert_status(
        SYS(server, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = REPLY_SLOT, .flags = SYS_POLL),
        E_BUSY);
    assert_int_equal(shop.client->state, TASK_READY);
    assert_status((int32_t)shop.client->regs.rax, E_NOSLOT);
    assert_ptr_equal(slot_of(shop.client, CARGO)->portal, shop.portal);
    assert_int_equal(shop.portal->refs, 1);
}

static void no_slot_with_a_waiting_receiver_fails_at_once(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    assert_status(SYS(shop.s.server, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = REPLY_SLOT),
                  BLOCKED);
    assert_status(call_with(shop.client, CARGO, SYS_MOVE), E_NOSLOT);
    assert_int_equal(shop.s.server->state, TASK_RECEIVING);
    assert_int_equal(slot_of(shop.client, CARGO)->type, SLOT_PORTAL);
    assert_status(call_with(shop.client, 0, 0), BLOCKED); // the server still waits
    assert_message(shop.s.server, CALL, BADGE(0), 0, 0);
}

static void what_died_in_the_queue_fails_the_call(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    assert_status(call_with(shop.client, CARGO, 0), BLOCKED);
    revoke(shop.number);
    assert_status(receive_poll(shop.s.server), E_BUSY);
    assert_status((int32_t)shop.client->regs.rax, E_REVOKED);
    assert_int_equal(slot_of(shop.client, CARGO)->type, SLOT_PORTAL);
}

static void a_full_count_fails_the_call(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    assert_status(call_with(shop.client, CARGO, 0), BLOCKED);
    shop.portal->refs = UINT32_MAX;
    world_switch(shop.s.server);
    shop.s.server->regs.rax =
        sys_header(SYS_REPLY_RECV, SERVER_ENDPOINT, 0, RECEIVE_SLOT, REPLY_SLOT, SYS_POLL);
    assert_status(ipc_reply_recv(shop.s.server), E_BUSY);
    assert_status((int32_t)shop.client->regs.rax, E_LIMIT);
    assert_int_equal(slot_of(shop.s.server, RECEIVE_SLOT)->type, SLOT_EMPTY);
    shop.portal->refs = 1;
}

static void a_portal_home_arrives_as_its_badge(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    struct task *server = shop.s.server;
    mint_portal(shop.s.portal[1], world.vmm, CARGO, shop.s.endpoint, BADGE(1), SLOT_ALL);
    assert_status(slot_transfer(slot_of(world.vmm, CARGO), slot_of(shop.client, 30), true, 0), OK);
    assert_status(call_with(shop.client, 30, 0), BLOCKED);
    assert_status(receive_poll(server), OK);
    assert_message(server, CALL, BADGE(0), 0, RESULT_OWN);
    assert_int_equal(server->regs.r12, BADGE(1));
    assert_int_equal(slot_of(server, RECEIVE_SLOT)->type, SLOT_EMPTY); // it takes no slot
    assert_int_equal(slot_of(shop.client, 30)->type, SLOT_PORTAL);
    assert_status(answer_poll(server, 0), E_BUSY);

    assert_status(call_with(shop.client, 30, SYS_MOVE), BLOCKED);
    assert_status(SYS(server, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = REPLY_SLOT), OK);
    assert_int_equal(server->regs.r12, BADGE(1)); // even where the server named no slot
    assert_int_equal(slot_of(shop.client, 30)->type, SLOT_EMPTY);
    assert_int_equal(portal_at(shop.s.portal[1])->refs, 1);
}

// Moving the last reference home: the server gets the call, and then hears of it.
static void the_last_portal_home_is_not_lost(void **state)
{
    (void)state;
    struct shop shop = make_shop(SLOT_ALL);
    uint64_t number = world.next_portal++;
    mint_portal(number, world.vmm, CARGO, shop.s.endpoint, 0x99, SLOT_ALL);
    assert_status(slot_transfer(slot_of(world.vmm, CARGO), slot_of(shop.client, 30), true, 0), OK);
    assert_status(receive(shop.s.server), BLOCKED);
    assert_status(call_with(shop.client, 30, SYS_MOVE), BLOCKED);
    assert_message(shop.s.server, CALL, BADGE(0), 0, RESULT_OWN);
    assert_int_equal(shop.s.server->regs.r12, 0x99);
    assert_status(answer_poll(shop.s.server, 0), OK);
    assert_message(shop.s.server, LAST_REFERENCE, 0x99, number, 0);
}

static void an_endpoint_reaches_the_machine_as_its_index(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    struct endpoint *e = make_endpoint(t, SERVER_ENDPOINT);
    make_portal(t, CLIENT_PORTAL, machine_endpoint, 5);
    start_task(t);
    assert_status(call_with(t, SERVER_ENDPOINT, 0), BLOCKED);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, CALL, 5, 0, RESULT_OBJECT);
    assert_int_equal(world.vmm->regs.r12, e->object.index);
    assert_int_equal(e->refs, 1);
}

static void the_last_right_moved_to_the_machine_is_not_lost(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    struct endpoint *e = make_endpoint(t, SERVER_ENDPOINT);
    make_portal(t, CLIENT_PORTAL, machine_endpoint, 5);
    start_task(t);
    assert_status(SYS(world.vmm, REPLY_RECV, .target = SLOT_PARENT, .reply = REPLY_SLOT), BLOCKED);
    assert_status(call_with(t, SERVER_ENDPOINT, SYS_MOVE), BLOCKED);
    assert_message(world.vmm, CALL, 5, 0, RESULT_OBJECT);
    assert_status(SYS(world.vmm, DROP, .target = REPLY_SLOT), OK);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, ENDPOINT_UNUSED, 0, e->object.index, 0);
}

static void an_endpoint_goes_to_another_as_a_right(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *c = s.client[0];
    struct endpoint *e = make_endpoint(world.vmm, CARGO);
    assert_status(slot_transfer(slot_of(world.vmm, CARGO), slot_of(c, CARGO), true, 0), OK);
    assert_status(call_with(c, CARGO, 0), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, CALL, BADGE(0), 0, RESULT_CAP);
    assert_ptr_equal(slot_of(s.server, RECEIVE_SLOT)->endpoint, e);
    assert_int_equal(e->refs, 2);
}

static void a_kept_reply_moves_but_is_not_copied(void **state)
{
    (void)state;
    struct service s = make_service(), other = make_service();
    make_portal(world.vmm, CARGO, other.endpoint, 0x55);
    assert_status(slot_transfer(slot_of(world.vmm, CARGO), slot_of(s.server, CARGO), true, 0), OK);
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(SYS(s.server, CALL, .target = CARGO, .send = REPLY_SLOT), E_RIGHT);
    assert_status(SYS(s.server, CALL, .target = CARGO, .send = REPLY_SLOT, .flags = SYS_MOVE),
                  BLOCKED);
    assert_status(receive_poll(other.server), OK);
    assert_message(other.server, CALL, 0x55, 0, RESULT_CAP);
    assert_ptr_equal(s.client[0]->reply_slot, slot_of(other.server, RECEIVE_SLOT));
    assert_status(SYS(other.server, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = RECEIVE_SLOT,
                      .flags = SYS_REPLY | SYS_POLL, .w = {0xb1}),
                  E_BUSY);
    assert_message(s.client[0], CALL, 0, 0xb1, 0);
}

static void its_callers_death_takes_a_reply_out_of_the_message(void **state)
{
    (void)state;
    struct service s = make_service(), other = make_service();
    make_portal(world.vmm, CARGO, other.endpoint, 0x55);
    assert_status(slot_transfer(slot_of(world.vmm, CARGO), slot_of(s.server, CARGO), true, 0), OK);
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(SYS(s.server, CALL, .target = CARGO, .send = REPLY_SLOT, .flags = SYS_MOVE),
                  BLOCKED);
    destroy(s.client[0]);
    assert_status(receive_poll(other.server), E_BUSY);
    assert_status((int32_t)s.server->regs.rax, E_SLOT);
}

// A client that waits for its answer with RECEIVE_SLOT named; the server holds CARGO.
static struct shop make_waiting(uint32_t flags, slot_t receive_slot)
{
    struct shop shop = make_shop(SLOT_ALL);
    struct slot *from = slot_of(shop.client, CARGO), *to = slot_of(shop.s.server, CARGO);
    assert_status(slot_transfer(from, to, true, ~flags & SLOT_ALL), OK);
    assert_status(SYS(shop.client, CALL, .target = CLIENT_PORTAL, .receive = receive_slot),
                  BLOCKED);
    assert_status(receive_poll(shop.s.server), OK);
    return shop;
}

static void a_reply_carries_one_too_R2(void **state)
{
    (void)state;
    struct shop shop = make_waiting(SLOT_ALL, RECEIVE_SLOT);
    assert_status(answer_poll(shop.s.server, CARGO), E_BUSY);
    assert_message(shop.client, CALL, 0, 0xa1, RESULT_CAP);
    assert_ptr_equal(slot_of(shop.client, RECEIVE_SLOT)->portal, shop.portal);
    assert_int_equal(shop.portal->refs, 2);
}

static void a_reply_moves_and_masks(void **state)
{
    (void)state;
    struct shop shop = make_waiting(SLOT_ALL, RECEIVE_SLOT);
    assert_status(SYS(shop.s.server, REPLY_RECV, .target = SERVER_ENDPOINT, .send = CARGO,
                      .reply = REPLY_SLOT,
                      .flags = SYS_REPLY | SYS_POLL | SYS_MOVE | SYS_MASK(SLOT_CALL)),
                  E_BUSY);
    assert_int_equal(slot_of(shop.s.server, CARGO)->type, SLOT_EMPTY);
    assert_int_equal(slot_of(shop.client, RECEIVE_SLOT)->flags, SLOT_ALL & ~SLOT_CALL);
    assert_int_equal(shop.portal->refs, 1);
}

static void assert_not_replied(struct shop *shop, slot_t send, status_t why)
{
    assert_status(answer_poll(shop->s.server, send), why);
    assert_int_equal(shop->client->state, TASK_ANSWER);
    assert_int_equal(slot_of(shop->s.server, REPLY_SLOT)->type, SLOT_REPLY);
    assert_int_equal(slot_of(shop->client, RECEIVE_SLOT)->type, SLOT_EMPTY);
}

static void a_refused_reply_changes_nothing_R2_R6(void **state)
{
    (void)state;
    struct shop shop = make_waiting(SLOT_CALL | SLOT_MOVE, RECEIVE_SLOT);
    assert_not_replied(&shop, CARGO, E_RIGHT);
    assert_not_replied(&shop, 30, E_SLOT);
    slot_of(shop.s.server, CARGO)->flags = SLOT_ALL;
    revoke(shop.number);
    assert_not_replied(&shop, CARGO, E_REVOKED);
    assert_int_equal(slot_of(shop.s.server, CARGO)->type, SLOT_PORTAL);
    assert_status(answer_poll(shop.s.server, 0), E_BUSY); // it can still be answered
    assert_message(shop.client, CALL, 0, 0xa1, 0);
}

static void a_reply_with_no_slot_for_it_is_refused(void **state)
{
    (void)state;
    struct shop shop = make_waiting(SLOT_ALL, 0);
    assert_not_replied(&shop, CARGO, E_NOSLOT);
    assert_int_equal(shop.portal->refs, 1);
}

static void a_full_count_refuses_the_reply(void **state)
{
    (void)state;
    struct shop shop = make_waiting(SLOT_ALL, RECEIVE_SLOT);
    shop.portal->refs = UINT32_MAX;
    world_switch(shop.s.server);
    shop.s.server->regs.rax =
        sys_header(SYS_REPLY_RECV, SERVER_ENDPOINT, CARGO, 0, REPLY_SLOT, SYS_REPLY | SYS_POLL);
    assert_status(ipc_reply_recv(shop.s.server), E_LIMIT);
    shop.portal->refs = 1;
    assert_not_replied(&shop, 30, E_SLOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(a_copy_leaves_the_senders_R1),
        KERNEL_TEST(a_move_empties_the_senders_R1),
        KERNEL_TEST(the_receiver_gets_no_masked_flag_R1),
        KERNEL_TEST(without_the_flag_the_call_is_refused_R2_R6),
        KERNEL_TEST(nothing_to_send_is_refused),
        KERNEL_TEST(no_slot_for_it_fails_the_call_R6),
        KERNEL_TEST(no_slot_with_a_waiting_receiver_fails_at_once),
        KERNEL_TEST(what_died_in_the_queue_fails_the_call),
        KERNEL_TEST(a_full_count_fails_the_call),
        KERNEL_TEST(a_portal_home_arrives_as_its_badge),
        KERNEL_TEST(the_last_portal_home_is_not_lost),
        KERNEL_TEST(an_endpoint_reaches_the_machine_as_its_index),
        KERNEL_TEST(the_last_right_moved_to_the_machine_is_not_lost),
        KERNEL_TEST(an_endpoint_goes_to_another_as_a_right),
        KERNEL_TEST(a_kept_reply_moves_but_is_not_copied),
        KERNEL_TEST(its_callers_death_takes_a_reply_out_of_the_message),
        KERNEL_TEST(a_reply_carries_one_too_R2),
        KERNEL_TEST(a_reply_moves_and_masks),
        KERNEL_TEST(a_refused_reply_changes_nothing_R2_R6),
        KERNEL_TEST(a_reply_with_no_slot_for_it_is_refused),
        KERNEL_TEST(a_full_count_refuses_the_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
