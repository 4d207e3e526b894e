// SPDX-License-Identifier: MIT
// Call, receive, notify: who waits, who goes on, with which words. Replies are in test_ipc_reply.c,
// what a message carries in test_ipc_carry.c, forwarding in test_ipc_forward.c. Cases R2 and R4.
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

static void a_waiting_server_gets_the_call(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(receive(s.server), BLOCKED);
    assert_int_equal(s.server->state, TASK_RECEIVING);
    assert_status(call(s.client[0]), BLOCKED);
    assert_int_equal(s.client[0]->state, TASK_ANSWER);
    assert_message(s.server, CALL, BADGE(0), 11, 0);
    assert_words(s.server, (uint64_t[]){WORDS});
    assert_int_equal(s.server->regs.r12, 0);
    assert_int_equal(slot_of(s.server, REPLY_SLOT)->type, SLOT_REPLY);
    assert_int_equal(slot_of(s.server, REPLY_SLOT)->flags, SLOT_MOVE);
}

static void calls_queue_in_order(void **state)
{
    (void)state;
    struct service s = make_service();
    for (unsigned i = CLIENTS; i-- > 0;)
        assert_status(call(s.client[i]), BLOCKED);
    assert_int_equal(s.client[0]->state, TASK_SENDING);
    for (unsigned i = CLIENTS; i-- > 0;) {
        assert_status(receive_poll(s.server), OK);
        assert_message(s.server, CALL, BADGE(i), 11, 0);
        assert_status(SYS(s.server, DROP, .target = REPLY_SLOT), OK);
    }
}

static void a_queued_callers_death_takes_the_call_away(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(call(s.client[1]), BLOCKED);
    destroy(s.client[0]);
    assert_status(receive_poll(s.server), OK);
    // A call goes before a report only if a report came last.
    assert_message(s.server, LAST_REFERENCE, BADGE(0), s.portal[0], 0);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, CALL, BADGE(1), 11, 0);
}

static void a_call_needs_a_portal_with_the_flag_R2(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *c = s.client[0];
    struct slot *slot = slot_of(c, CLIENT_PORTAL);
    for (unsigned flags = 0; flags <= SLOT_ALL; flags++) {
        slot->flags = (uint8_t)flags;
        assert_status(SYS(c, NOTIFY, .target = CLIENT_PORTAL), flags & SLOT_NOTIFY ? OK : E_RIGHT);
        if (!(flags & SLOT_CALL))
            assert_status(call(c), E_RIGHT);
    }
    assert_status(call(c), BLOCKED);
    assert_status(SYS(s.client[1], CALL, .target = 0), E_SLOT);
    assert_status(SYS(s.client[1], CALL, .target = 30), E_SLOT);
    assert_status(SYS(s.client[1], NOTIFY, .target = 30), E_SLOT);
    assert_status(SYS(s.server, CALL, .target = SERVER_ENDPOINT), E_SLOT);
    assert_status(SYS(s.server, NOTIFY, .target = SERVER_ENDPOINT), E_SLOT);
}

static void a_callers_receive_slot_is_checked_at_the_call(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *c = s.client[0];
    assert_status(SYS(c, CALL, .target = CLIENT_PORTAL, .receive = CLIENT_PORTAL), E_OCCUPIED);
    assert_status(SYS(c, CALL, .target = CLIENT_PORTAL, .receive = TASK_SLOTS_FIRST), E_SLOT);
    assert_int_equal(portal_at(s.portal[0])->refs, 1);
    assert_status(SYS(c, CALL, .target = CLIENT_PORTAL, .receive = 30), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, CALL, BADGE(0), 0, RESULT_WANTS_CAP);
}

static void a_portal_with_a_full_count_takes_no_call(void **state)
{
    (void)state;
    struct service s = make_service();
    portal_at(s.portal[0])->refs = UINT32_MAX;
    s.client[0]->regs.rax = sys_header(SYS_CALL, CLIENT_PORTAL, 0, 0, 0, 0);
    assert_status(ipc_call(s.client[0]), E_LIMIT);
    portal_at(s.portal[0])->refs = 1;
    assert_int_equal(s.client[0]->state, TASK_READY);
}

static void a_receive_needs_its_slots(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *t = s.server;
    assert_status(SYS(t, REPLY_RECV, .target = 0, .reply = REPLY_SLOT), E_SLOT);
    assert_status(SYS(t, REPLY_RECV, .target = 30, .reply = REPLY_SLOT), E_SLOT);
    assert_status(SYS(t, REPLY_RECV, .target = SERVER_ENDPOINT), E_SLOT); // no reply slot
    assert_status(SYS(t, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = SLOT_MAX), E_SLOT);
    assert_status(SYS(t, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = SERVER_ENDPOINT),
                  E_OCCUPIED);
    assert_status(SYS(t, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = 20, .receive = 20),
                  E_INVAL);
    assert_status(
        SYS(t, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = 20, .receive = SERVER_ENDPOINT),
        E_OCCUPIED);
    assert_status(
        SYS(t, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = 20, .receive = TASK_SLOTS_FIRST),
        E_SLOT);
    assert_status(SYS(s.client[0], REPLY_RECV, .target = CLIENT_PORTAL, .reply = 20), E_SLOT);
}

static void calls_and_others_take_turns(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *t = s.server;
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(call(s.client[1]), BLOCKED);
    assert_status(SYS(s.client[2], NOTIFY, .target = CLIENT_PORTAL), OK);
    assert_status(receive_poll(t), OK);
    assert_message(t, NOTIFICATION, 0, BADGE(2), 0); // before queued calls,
    assert_status(SYS(s.client[2], NOTIFY, .target = CLIENT_PORTAL), OK);
    assert_status(receive_poll(t), OK);
    assert_message(t, CALL, BADGE(0), 11, 0); // but not twice in a row
    assert_status(answer_poll(t, 0), OK);
    assert_message(t, NOTIFICATION, 0, BADGE(2), 0);
    assert_status(receive_poll(t), OK);
    assert_message(t, CALL, BADGE(1), 11, 0);
}

static void a_failed_call_is_nobodys_turn_R4(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(call(s.client[1]), BLOCKED);
    revoke(s.portal[0]);
    assert_status(SYS(s.client[2], NOTIFY, .target = CLIENT_PORTAL), OK);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, NOTIFICATION, 0, BADGE(2), 0);
    assert_status(SYS(s.client[2], NOTIFY, .target = CLIENT_PORTAL), OK);
    assert_status(receive_poll(s.server), OK);
    assert_status((int32_t)s.client[0]->regs.rax, E_REVOKED);
    assert_message(s.server, CALL, BADGE(1), 11, 0);
}

static void without_calls_others_follow_each_other(void **state)
{
    (void)state;
    struct service s = make_service();
    for (unsigned i = 0; i < 3; i++) {
        assert_status(SYS(s.client[i], NOTIFY, .target = CLIENT_PORTAL), OK);
        assert_status(receive_poll(s.server), OK);
        assert_message(s.server, NOTIFICATION, 0, BADGE(i), 0);
    }
}

#define CROWD (KERNEL_WAKE_MAX + 2)

// Tasks that have called a server through one portal, and carry it along; the portal.
static uint64_t make_crowd(struct task *server, struct task **crowd)
{
    struct endpoint *front = make_endpoint(server, SERVER_ENDPOINT),
                    *other = make_endpoint(world.vmm, 20);
    uint64_t number = world.next_portal++, carried = world.next_portal++;
    for (unsigned i = 0; i < CROWD; i++) {
        crowd[i] = make_task(PRIORITY_DEFAULT);
        mint_portal(number, crowd[i], CLIENT_PORTAL, front, 5, SLOT_ALL);
        mint_portal(carried, crowd[i], CLIENT_PORTAL + 1, other, 6, SLOT_ALL);
        start_task(crowd[i]);
        assert_status(SYS(crowd[i], CALL, .target = CLIENT_PORTAL, .send = CLIENT_PORTAL + 1),
                      BLOCKED);
    }
    start_task(server);
    return number;
}

static unsigned count_woken(struct task *const *crowd, status_t status)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CROWD; i++)
        n += crowd[i]->state == TASK_READY && (int32_t)crowd[i]->regs.rax == status;
    return n;
}

// Nobody receives: the callers do not wait for that.
static void revoking_wakes_who_is_queued_R4(void **state)
{
    (void)state;
    struct task *server = make_task(PRIORITY_DEFAULT), *crowd[CROWD];
    uint64_t number = make_crowd(server, crowd);
    struct call c = {.target = SLOT_SELF,
                     .w = {number / PORTALS_PER_FRAME, 1ull << number % PORTALS_PER_FRAME}};
    assert_status(world_call(world.vmm, SYS_PORTAL_REVOKE, c), E_MORE);
    assert_in_range(count_woken(crowd, E_REVOKED), 1, KERNEL_WAKE_MAX);
    assert_status(world_call(world.vmm, SYS_PORTAL_REVOKE, c), OK);
    assert_int_equal(count_woken(crowd, E_REVOKED), CROWD);
    assert_status(receive_poll(server), E_BUSY);
}

static void failed_calls_are_cleared_in_bounded_steps(void **state)
{
    (void)state;
    struct task *server = make_task(PRIORITY_DEFAULT), *crowd[CROWD];
    (void)make_crowd(server, crowd);
    const struct call deaf = {.target = SERVER_ENDPOINT, .reply = REPLY_SLOT, .flags = SYS_POLL};
    assert_status(world_call(server, SYS_REPLY_RECV, deaf), E_MORE);
    assert_int_equal(count_woken(crowd, E_NOSLOT), KERNEL_WAKE_MAX);
    assert_status(world_call(server, SYS_REPLY_RECV, deaf), E_BUSY);
    assert_int_equal(count_woken(crowd, E_NOSLOT), CROWD);
}

// The only reference left is the queued call's own: taking it is what makes the portal unused.
static void the_call_itself_may_be_the_last_reference(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(receive(s.server), BLOCKED);
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL, .send = CLIENT_PORTAL,
                      .flags = SYS_MOVE, .w = {WORDS}),
                  BLOCKED);
    assert_message(s.server, CALL, BADGE(0), 11, RESULT_OWN);
    assert_int_equal(s.server->regs.r12, BADGE(0));
    assert_status(answer_poll(s.server, 0), OK);
    assert_message(s.server, LAST_REFERENCE, BADGE(0), s.portal[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(a_waiting_server_gets_the_call),
        KERNEL_TEST(calls_queue_in_order),
        KERNEL_TEST(a_queued_callers_death_takes_the_call_away),
        KERNEL_TEST(a_call_needs_a_portal_with_the_flag_R2),
        KERNEL_TEST(a_callers_receive_slot_is_checked_at_the_call),
        KERNEL_TEST(a_portal_with_a_full_count_takes_no_call),
        KERNEL_TEST(a_receive_needs_its_slots),
        KERNEL_TEST(calls_and_others_take_turns),
        KERNEL_TEST(a_failed_call_is_nobodys_turn_R4),
        KERNEL_TEST(without_calls_others_follow_each_other),
        KERNEL_TEST(revoking_wakes_who_is_queued_R4),
        KERNEL_TEST(failed_calls_are_cleared_in_bounded_steps),
        KERNEL_TEST(the_call_itself_may_be_the_last_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
