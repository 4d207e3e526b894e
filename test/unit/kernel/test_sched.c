// SPDX-License-Identifier: MIT
// Who runs: priorities, round robin, time slices, the direct switch of a call and of its reply.
#include "kernel/sched.h"

#include "kernel/console.h"
#include "test/unit/fake/kernel/world.h"

#define LOW  4u
#define HIGH 20u

// The VMM waits for messages, so that the others run.
static void vmm_waits(void)
{
    assert_status(SYS(world.vmm, REPLY_RECV, .target = SLOT_PARENT, .reply = REPLY_SLOT), BLOCKED);
}

static struct task *started(unsigned priority)
{
    struct task *t = make_task(priority);
    start_task(t);
    return t;
}

static void yield(struct task *t)
{
    assert_status(SYS(t, YIELD), OK);
}

static void the_highest_priority_runs(void **state)
{
    (void)state;
    started(LOW);
    struct task *high = started(HIGH);
    started(PRIORITY_DEFAULT);
    assert_ptr_equal(world.resumed, world.vmm);
    vmm_waits();
    assert_ptr_equal(world.resumed, high);
}

static void equals_run_in_the_order_they_came(void **state)
{
    (void)state;
    struct task *a = started(LOW), *b = started(LOW), *c = started(LOW);
    vmm_waits();
    assert_ptr_equal(world.resumed, a);
    yield(a);
    assert_ptr_equal(world.resumed, b);
    yield(b);
    assert_ptr_equal(world.resumed, c);
    yield(c);
    assert_ptr_equal(world.resumed, a);
}

static void yielding_is_among_equals(void **state)
{
    (void)state;
    struct task *high = started(HIGH);
    started(LOW);
    vmm_waits();
    yield(high);
    assert_ptr_equal(world.resumed, high);
}

static void a_slice_ends_the_turn(void **state)
{
    (void)state;
    struct task *a = started(LOW), *b = started(LOW);
    vmm_waits();
    for (unsigned turn = 0; turn < 4; turn++) {
        struct task *now = turn % 2 ? b : a;
        for (unsigned i = 0; i < SLICE_TICKS; i++) {
            assert_ptr_equal(world.resumed, now);
            world_tick();
        }
    }
    assert_ptr_equal(world.resumed, a);
}

static void alone_it_runs_on(void **state)
{
    (void)state;
    struct task *a = started(LOW);
    vmm_waits();
    for (unsigned i = 0; i < 3 * SLICE_TICKS; i++) {
        world_tick();
        assert_ptr_equal(world.resumed, a);
    }
}

// A service of which every part has its own priority; client 1 is one more of client 0's.
static struct service make_ranked(unsigned server, unsigned client)
{
    struct service s = {.server = make_task(server)};
    s.endpoint = make_endpoint(s.server, SERVER_ENDPOINT);
    for (unsigned i = 0; i < 2; i++) {
        s.client[i] = make_task(client);
        s.portal[i] = make_portal(s.client[i], CLIENT_PORTAL, s.endpoint, BADGE(i));
    }
    start_task(s.server);
    assert_status(receive(s.server), BLOCKED);
    start_task(s.client[0]);
    start_task(s.client[1]);
    return s;
}

static status_t call(struct task *t)
{
    return SYS(t, CALL, .target = CLIENT_PORTAL);
}

static status_t answer(struct task *t)
{
    return SYS(t, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = REPLY_SLOT, .flags = SYS_REPLY);
}

static void a_call_and_its_reply_switch_directly(void **state)
{
    (void)state;
    struct service s = make_ranked(LOW, LOW);
    vmm_waits();
    assert_ptr_equal(world.resumed, s.client[0]);
    assert_status(call(s.client[0]), BLOCKED);
    assert_ptr_equal(world.resumed, s.server); // client 1 has waited longer
    assert_status(answer(s.server), BLOCKED);
    assert_ptr_equal(world.resumed, s.client[0]);
}

static void the_second_to_be_switched_to_queues_up(void **state)
{
    (void)state;
    struct task *a = started(LOW), *b = started(LOW), *first = started(LOW);
    vmm_waits();
    assert_ptr_equal(world.resumed, a);
    list_remove(&b->link);
    list_remove(&first->link);
    sched_wake_direct(first);
    sched_wake_direct(b);
    a->state = TASK_STOPPED; // blocks
    assert_ptr_equal(sched_pick(&world.cpu), first);
    yield(first);
    assert_ptr_equal(world.resumed, b);
}

static void a_server_runs_at_its_callers_priority(void **state)
{
    (void)state;
    struct service s = make_ranked(LOW, HIGH);
    started(PRIORITY_DEFAULT);
    assert_status(MACHINE(TASK_STOP, .w = {s.client[1]->object.index}), OK);
    vmm_waits();
    assert_status(call(s.client[0]), BLOCKED);
    assert_ptr_equal(world.resumed, s.server); // though the one between is ready
    assert_int_equal(s.server->effective, HIGH);
    yield(s.server);
    assert_ptr_equal(world.resumed, s.server);
    assert_status(answer(s.server), BLOCKED);
    assert_int_equal(s.server->effective, LOW);
}

static void a_server_keeps_its_higher_priority(void **state)
{
    (void)state;
    struct service s = make_ranked(HIGH, LOW);
    vmm_waits();
    assert_status(call(s.client[0]), BLOCKED);
    assert_int_equal(s.server->effective, HIGH);
    assert_ptr_equal(world.resumed, s.server);
}

static void a_queued_call_raises_who_takes_it(void **state)
{
    (void)state;
    struct service s = make_ranked(LOW, HIGH);
    assert_status(call(s.client[0]), BLOCKED);
    assert_status(call(s.client[1]), BLOCKED);
    assert_status(answer(s.server), OK);
    assert_int_equal(s.server->effective, HIGH); // for client 1 now
    assert_status(answer(s.server), BLOCKED);
    assert_int_equal(s.server->effective, LOW);
}

static void waking_a_higher_one_preempts(void **state)
{
    (void)state;
    struct service s = make_ranked(HIGH, LOW);
    vmm_waits();
    assert_status(SYS(s.client[0], NOTIFY, .target = CLIENT_PORTAL), OK);
    assert_ptr_equal(world.resumed, s.server);
    assert_status(receive(s.server), BLOCKED);
    assert_ptr_equal(world.resumed, s.client[0]); // first of its queue, not last
}

static void waking_an_equal_does_not(void **state)
{
    (void)state;
    struct service s = make_ranked(LOW, LOW);
    vmm_waits();
    assert_status(SYS(s.client[0], NOTIFY, .target = CLIENT_PORTAL), OK);
    assert_ptr_equal(world.resumed, s.client[0]);
}

static void a_server_spends_its_callers_slice(void **state)
{
    (void)state;
    struct service s = make_ranked(LOW, LOW);
    vmm_waits();
    assert_status(call(s.client[0]), BLOCKED);
    for (unsigned i = 0; i < SLICE_TICKS; i++) {
        world_tick();
        assert_ptr_equal(world.resumed, s.server); // it may end what it does
    }
    assert_status(answer(s.server), BLOCKED);
    assert_ptr_equal(world.resumed, s.client[1]); // but the caller's turn is over
    yield(s.client[1]);
    assert_ptr_equal(world.resumed, s.client[0]);
}

static void calling_all_the_time_gains_no_time(void **state)
{
    (void)state;
    struct service s = make_ranked(LOW, LOW);
    vmm_waits();
    for (unsigned i = 0; i < SLICE_TICKS; i++) {
        assert_ptr_equal(world.resumed, s.client[0]);
        assert_status(call(s.client[0]), BLOCKED);
        world_tick();
        assert_status(answer(s.server), BLOCKED);
    }
    assert_ptr_equal(world.resumed, s.client[1]);
}

static void time_is_charged_to_the_call_being_served(void **state)
{
    (void)state;
    struct service s = make_ranked(LOW, LOW);
    vmm_waits();
    assert_status(call(s.client[0]), BLOCKED);
    assert_ptr_equal(world.cpu.payer, s.client[0]);
    assert_status(call(s.client[1]), BLOCKED);
    assert_status(answer(s.server), OK);
    assert_ptr_equal(world.cpu.payer, s.client[1]);
}

static void the_dead_are_not_charged(void **state)
{
    (void)state;
    struct service s = make_ranked(LOW, LOW);
    assert_status(call(s.client[0]), BLOCKED);
    world_switch(world.vmm);
    world.cpu.payer = s.client[0];
    destroy(s.client[0]);
    assert_ptr_equal(world.cpu.payer, world.vmm);
}

static void a_stopped_task_gets_no_turn(void **state)
{
    (void)state;
    struct task *a = started(LOW), *b = started(LOW);
    assert_status(MACHINE(TASK_STOP, .w = {a->object.index}), OK);
    vmm_waits();
    assert_ptr_equal(world.resumed, b);
    yield(b);
    assert_ptr_equal(world.resumed, b);
}

static void with_nobody_ready_it_idles(void **state)
{
    (void)state;
    vmm_waits();
    assert_null(world.resumed);
    assert_null(world.cpu.current);
}

static void input_interrupt(void)
{
    fake.in = "x";
    fake.in_ready = 1;
    console_interrupt();
}

static void timer_interrupt(void)
{
    sched_tick(&world.cpu);
    fake.idle = input_interrupt;
}

static void an_interrupt_ends_the_idling(void **state)
{
    (void)state;
    uint64_t number = make_portal(world.vmm, 20, machine_endpoint, 0x40);
    assert_status(SYS(world.vmm, CONSOLE_READ, .target = SLOT_CONSOLE, .w = {20}), OK);
    fake.idle = timer_interrupt; // charges nobody; then input comes
    assert_status(SYS(world.vmm, REPLY_RECV, .target = SLOT_PARENT, .reply = REPLY_SLOT), OK);
    assert_ptr_equal(world.resumed, world.vmm);
    assert_message(world.vmm, NOTIFICATION, 0, 0x40, 0);
    assert_int_equal(portal_at(number)->refs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(the_highest_priority_runs),
        KERNEL_TEST(equals_run_in_the_order_they_came),
        KERNEL_TEST(yielding_is_among_equals),
        KERNEL_TEST(a_slice_ends_the_turn),
        KERNEL_TEST(alone_it_runs_on),
        KERNEL_TEST(a_call_and_its_reply_switch_directly),
        KERNEL_TEST(the_second_to_be_switched_to_queues_up),
        KERNEL_TEST(a_server_runs_at_its_callers_priority),
        KERNEL_TEST(a_server_keeps_its_higher_priority),
        KERNEL_TEST(a_queued_call_raises_who_takes_it),
        KERNEL_TEST(waking_a_higher_one_preempts),
        KERNEL_TEST(waking_an_equal_does_not),
        KERNEL_TEST(a_server_spends_its_callers_slice),
        KERNEL_TEST(calling_all_the_time_gains_no_time),
        KERNEL_TEST(time_is_charged_to_the_call_being_served),
        KERNEL_TEST(the_dead_are_not_charged),
        KERNEL_TEST(a_stopped_task_gets_no_turn),
        KERNEL_TEST(with_nobody_ready_it_idles),
        KERNEL_TEST(an_interrupt_ends_the_idling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
