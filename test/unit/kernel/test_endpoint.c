// SPDX-License-Identifier: MIT
// Endpoints: receive rights, notifications, who waits, and the end of an endpoint in bounded steps.
#include "kernel/endpoint.h"

#include "kernel/task.h"
#include "test/unit/fake/kernel/world.h"

static status_t notify(struct task *t)
{
    return SYS(t, NOTIFY, .target = CLIENT_PORTAL);
}

static status_t wait_for_word(struct task *t, uint32_t flags)
{
    return SYS(t, WAIT, .target = SERVER_ENDPOINT, .flags = flags);
}

static void creation_claims_a_frame(void **state)
{
    (void)state;
    struct endpoint *e = NULL;
    assert_status(endpoint_create(UNMAPPED_INDEX, &e), E_FAULT);
    assert_status(endpoint_create(0, &e), E_BUSY);
    assert_null(e);
    e = make_endpoint(world.vmm, 20);
    assert_int_equal(e->refs, 1);
    assert_int_equal(slot_of(world.vmm, 20)->flags, SLOT_COPY | SLOT_MOVE);
}

static void a_full_count_is_a_limit(void **state)
{
    (void)state;
    struct endpoint *e = make_endpoint(world.vmm, 20);
    e->refs = UINT32_MAX;
    assert_status(endpoint_hold(e), E_LIMIT);
    assert_int_equal(e->refs, UINT32_MAX);
    e->refs = 1;
}

static void the_last_receive_right_is_told_once(void **state)
{
    (void)state;
    struct endpoint *e = make_endpoint(world.vmm, 20);
    assert_status(slot_transfer(slot_of(world.vmm, 20), slot_of(world.vmm, 21), false, 0), OK);
    assert_status(SYS(world.vmm, DROP, .target = 20), OK);
    assert_status(machine_poll(), E_BUSY);
    assert_status(SYS(world.vmm, DROP, .target = 21), OK);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, ENDPOINT_UNUSED, 0, e->object.index, 0);
    assert_status(machine_poll(), E_BUSY);
}

static void a_receivers_death_is_the_rights_end(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(receive(s.server), BLOCKED);
    destroy(s.server);
    assert_int_equal(s.endpoint->refs, 0);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, ENDPOINT_UNUSED, 0, s.endpoint->object.index, 0);
}

static void nobody_to_receive_is_dead(void **state)
{
    (void)state;
    struct service s = make_service();
    destroy(s.server);
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL), E_DEAD);
    assert_status(notify(s.client[0]), E_DEAD);
}

static void badges_are_ored_into_the_word(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(notify(s.client[1]), OK);
    assert_status(notify(s.client[2]), OK);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, NOTIFICATION, 0, BADGE(1) | BADGE(2), 0);
    assert_status(receive_poll(s.server), E_BUSY); // cleared
    assert_status(notify(s.client[0]), OK);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, NOTIFICATION, 0, BADGE(0), 0);
}

static void a_badge_of_zero_still_notifies(void **state)
{
    (void)state;
    struct service s = make_service();
    make_portal(world.vmm, 21, s.endpoint, 0);
    assert_status(SYS(world.vmm, NOTIFY, .target = 21), OK);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, NOTIFICATION, 0, 0, 0);
}

static void who_keeps_notifying_holds_back_no_report(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(SYS(s.client[0], DROP, .target = CLIENT_PORTAL), OK);
    assert_status(notify(s.client[1]), OK);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, NOTIFICATION, 0, BADGE(1), 0);
    assert_status(notify(s.client[1]), OK);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, LAST_REFERENCE, BADGE(0), s.portal[0], 0);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, NOTIFICATION, 0, BADGE(1), 0);
}

static void wait_takes_the_word_alone(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_status(wait_for_word(s.server, SYS_POLL), E_BUSY);
    assert_status(wait_for_word(s.server, 0), BLOCKED);
    assert_int_equal(s.server->state, TASK_WAITING);
    assert_status(notify(s.client[1]), OK);
    assert_message(s.server, NOTIFICATION, 0, BADGE(1), 0);
    assert_int_equal(s.client[0]->state, TASK_SENDING);
    assert_status(notify(s.client[2]), OK);
    assert_status(wait_for_word(s.server, 0), OK); // already there
    assert_message(s.server, NOTIFICATION, 0, BADGE(2), 0);
}

static void wait_needs_a_receive_right(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(SYS(s.client[0], WAIT, .target = CLIENT_PORTAL), E_SLOT);
    assert_status(SYS(s.client[0], WAIT, .target = 0), E_SLOT);
    assert_status(SYS(s.client[0], WAIT, .target = SLOT_MAX), E_SLOT);
}

// Two threads of one server.
static struct task *second_server(struct service *s)
{
    struct task *t = make_task(PRIORITY_DEFAULT);
    assert_status(
        slot_transfer(slot_of(s->server, SERVER_ENDPOINT), slot_of(t, SERVER_ENDPOINT), false, 0),
        OK);
    start_task(t);
    return t;
}

static void receivers_are_served_in_order(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *second = second_server(&s);
    assert_status(receive(s.server), BLOCKED);
    assert_status(receive(second), BLOCKED);
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_message(s.server, CALL, BADGE(0), 0, 0);
    assert_int_equal(second->state, TASK_RECEIVING);
    assert_status(notify(s.client[1]), OK);
    assert_message(second, NOTIFICATION, 0, BADGE(1), 0);
}

static void a_receiver_goes_before_a_waiter(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *second = second_server(&s);
    assert_status(wait_for_word(s.server, 0), BLOCKED);
    assert_status(receive(second), BLOCKED);
    assert_status(notify(s.client[0]), OK);
    assert_message(second, NOTIFICATION, 0, BADGE(0), 0);
    assert_int_equal(s.server->state, TASK_WAITING);
    assert_status(notify(s.client[1]), OK);
    assert_message(s.server, NOTIFICATION, 0, BADGE(1), 0);
}

static void destroying_needs_no_right_and_no_portal(void **state)
{
    (void)state;
    struct endpoint *e = make_endpoint(world.vmm, 20);
    uint64_t number = make_portal(world.vmm, 21, e, 5);
    assert_status(destroy_step(e), E_BUSY);
    assert_status(SYS(world.vmm, DROP, .target = 20), OK);
    assert_status(destroy_step(e), E_BUSY);
    revoke(number);
    assert_status(destroy_step(e), OK);
    assert_int_equal(e->object.kind, OBJECT_NONE);
    assert_status(machine_poll(), E_BUSY); // its report is withdrawn
}

static void the_machines_endpoint_stays(void **state)
{
    (void)state;
    assert_status(destroy_step(machine_endpoint), E_BUSY);
    assert_status(SYS(world.vmm, DROP, .target = SLOT_PARENT), OK);
    assert_status(destroy_step(machine_endpoint), E_BUSY);
}

#define CROWD (2 * KERNEL_WAKE_MAX + 2)

static unsigned count_woken(struct task **task, status_t status)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CROWD; i++)
        n += task[i]->state == TASK_READY && (int32_t)task[i]->regs.rax == status;
    return n;
}

static void senders_are_woken_in_bounded_steps(void **state)
{
    (void)state;
    struct task *crowd[CROWD];
    struct endpoint *e = make_endpoint(world.vmm, 20);
    uint64_t number = world.next_portal++;
    for (unsigned i = 0; i < CROWD; i++) {
        crowd[i] = make_task(PRIORITY_DEFAULT);
        mint_portal(number, crowd[i], CLIENT_PORTAL, e, 5, SLOT_ALL);
        start_task(crowd[i]);
        assert_status(SYS(crowd[i], CALL, .target = CLIENT_PORTAL), BLOCKED);
    }
    uint64_t place = 1ull << number % PORTALS_PER_FRAME;
    assert_status(MACHINE(PORTAL_REVOKE, .w = {number / PORTALS_PER_FRAME, place}), E_MORE);
    unsigned n_revoked = count_woken(crowd, E_REVOKED); // a revocation left half done
    assert_status(SYS(world.vmm, DROP, .target = 20), OK);
    assert_status(destroy_step(e), E_MORE);
    assert_int_equal(count_woken(crowd, E_DEAD), KERNEL_WAKE_MAX);
    assert_status(destroy_step(e), OK);
    assert_int_equal(count_woken(crowd, E_DEAD), CROWD - n_revoked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(creation_claims_a_frame),
        KERNEL_TEST(a_full_count_is_a_limit),
        KERNEL_TEST(the_last_receive_right_is_told_once),
        KERNEL_TEST(a_receivers_death_is_the_rights_end),
        KERNEL_TEST(nobody_to_receive_is_dead),
        KERNEL_TEST(badges_are_ored_into_the_word),
        KERNEL_TEST(a_badge_of_zero_still_notifies),
        KERNEL_TEST(who_keeps_notifying_holds_back_no_report),
        KERNEL_TEST(wait_takes_the_word_alone),
        KERNEL_TEST(wait_needs_a_receive_right),
        KERNEL_TEST(receivers_are_served_in_order),
        KERNEL_TEST(a_receiver_goes_before_a_waiter),
        KERNEL_TEST(destroying_needs_no_right_and_no_portal),
        KERNEL_TEST(the_machines_endpoint_stays),
        KERNEL_TEST(senders_are_woken_in_bounded_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
