// SPDX-License-Identifier: MIT
// Tasks: their life from the donated frame to its return, from every state that they can die in.
#include "kernel/task.h"

#include "kernel/arch.h"
#include "test/unit/fake/kernel/world.h"

static status_t bind(struct task *t, paddr_t root, uint64_t priority, uint64_t fs_base)
{
    return MACHINE(TASK_BIND, .w = {t->object.index, root, priority, fs_base});
}

static const struct task_start good = {0x5000, PRIORITY_DEFAULT, TASK_RIP, 0x8000, 0x11};

static status_t stop(struct task *t)
{
    return MACHINE(TASK_STOP, .w = {t->object.index});
}

static status_t resume(struct task *t)
{
    return MACHINE(TASK_RESUME, .w = {t->object.index});
}

static void a_fresh_task_is_new_and_empty(void **state)
{
    (void)state;
    uint64_t index = world.next_index;
    struct task *t;
    fake_donate(index); // full of what somebody left
    assert_status(task_create(index, &world.cpu, &good, &t), OK);
    assert_ptr_equal(t, fake_frame(index));
    assert_int_equal(t->state, TASK_NEW);
    assert_ptr_equal(t->cpu, &world.cpu);
    assert_int_equal(t->root, 0x5000);
    assert_int_equal(t->fs_base | t->special | t->n_logged | t->n_slot_frames, 0);
    assert_false(t->has_fpu);
    for (unsigned i = 0; i < TASK_SLOTS_FIRST; i++)
        assert_int_equal(t->slots[i].type, SLOT_EMPTY);
}

static void creation_claims_a_frame(void **state)
{
    (void)state;
    struct task *t = NULL;
    assert_status(task_create(UNMAPPED_INDEX, &world.cpu, &good, &t), E_FAULT);
    assert_status(task_create(1, &world.cpu, &good, &t), E_BUSY);
    assert_null(t);
}

static void creation_checks_with_what_it_starts(void **state)
{
    (void)state;
    struct task *t = NULL;
    struct task_start bad[] = {good, good, good, good};
    bad[0].root = 0x5001;
    bad[1].root = 0; // there is no space at 0
    bad[2].priority = PRIORITIES;
    bad[3].rip = FAKE_USER_END;
    fake_donate(world.next_index);
    for (unsigned i = 0; i < 4; i++)
        assert_status(task_create(world.next_index, &world.cpu, &bad[i], &t), E_INVAL);
    assert_null(t);
    assert_status(task_create(world.next_index, &world.cpu, &good, &t), OK); // it is free still
}

static void binding_checks_every_word(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    assert_status(bind(t, 0x5001, 1, 0), E_INVAL);
    assert_status(bind(t, 0, 1, 0), E_INVAL); // there is no space at 0
    assert_status(bind(t, 0x5000, PRIORITIES, 0), E_INVAL);
    assert_status(bind(t, 0x5000, 1ull << 32, 0), E_INVAL);
    assert_status(bind(t, 0x5000, 1, FAKE_USER_END), E_INVAL);
    assert_int_equal(t->priority, PRIORITY_DEFAULT); // nothing changed
    assert_status(bind(t, 0x5000, PRIORITIES - 1, FAKE_USER_END - 1), OK);
    assert_int_equal(t->root, 0x5000);
    assert_int_equal(t->priority, PRIORITIES - 1);
    assert_int_equal(t->effective, PRIORITIES - 1);
    assert_int_equal(t->fs_base, FAKE_USER_END - 1);
}

static void binding_needs_a_task_that_stands_still(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    start_task(t);
    assert_status(bind(t, 0x5000, 1, 0), E_STATE);
    assert_status(bind(world.vmm, 0x5000, 1, 0), E_STATE);
    assert_status(stop(t), OK);
    assert_status(bind(t, 0x5000, 1, 0), OK);
    assert_status(resume(t), OK);
    assert_int_equal(t->effective, 1);
}

static void what_was_held_begins_once(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    assert_int_equal(t->state, TASK_NEW);
    assert_status(resume(t), OK);
    assert_int_equal(t->state, TASK_READY);
    assert_int_equal(t->regs.rip, TASK_RIP);
    assert_int_equal(t->regs.rsp, 0x8000);
    assert_status(resume(t), E_STATE);
}

static void only_who_is_ready_is_stopped(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *t = s.client[0];
    assert_status(stop(make_task(PRIORITY_DEFAULT)), E_STATE);
    assert_status(stop(world.vmm), E_STATE); // it runs
    assert_status(stop(t), OK);
    assert_int_equal(t->state, TASK_STOPPED);
    assert_status(stop(t), E_STATE);
    assert_status(receive(s.server), BLOCKED);
    assert_status(stop(s.server), E_STATE);
    assert_status(SYS(s.client[1], CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_status(stop(s.client[1]), E_STATE);
}

static void only_who_was_stopped_resumes(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    start_task(t);
    assert_status(resume(t), E_STATE);
    assert_status(stop(t), OK);
    assert_status(resume(t), OK);
    assert_int_equal(t->state, TASK_READY);
}

static void an_ended_task_does_not_resume(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    start_task(t);
    assert_status(SYS(t, EXIT), BLOCKED); // it has no pager
    assert_int_equal(t->state, TASK_STOPPED);
    assert_status(resume(t), E_STATE);
}

static void slots_come_in_frames_up_to_a_limit(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    uint64_t self = t->object.index;
    assert_status(MACHINE(TASK_SLOTS, .w = {self, UNMAPPED_INDEX}), E_FAULT);
    assert_status(MACHINE(TASK_SLOTS, .w = {self, self}), E_BUSY);
    for (unsigned i = 0; i < SLOT_FRAMES_MAX; i++)
        assert_status(MACHINE(TASK_SLOTS, .w = {self, world.next_index++}), OK);
    assert_status(MACHINE(TASK_SLOTS, .w = {self, world.next_index}), E_LIMIT);
    slot_t last = TASK_SLOTS_FIRST + SLOT_FRAMES_MAX * SLOTS_PER_FRAME - 1;
    assert_non_null(slot_at(t, last));
    assert_null(slot_at(t, last + 1));
}

static void who_runs_is_not_destroyed(void **state)
{
    (void)state;
    assert_status(destroy_step(world.vmm), E_STATE);
}

static void destroying_drops_slots_in_bounded_steps(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *t = s.client[0];
    uint64_t slots = world.next_index++;
    assert_status(MACHINE(TASK_SLOTS, .w = {t->object.index, slots}), OK);
    slot_t far = TASK_SLOTS_FIRST + 3;
    assert_status(slot_transfer(slot_of(t, CLIENT_PORTAL), slot_of(t, far), false, 0), OK);
    assert_status(destroy_step(t), E_MORE); // a frame of slots at a time
    assert_int_equal(t->n_swept, TASK_SLOTS_FIRST);
    assert_status(resume(t), E_STATE); // halfway dead
    assert_status(stop(t), E_STATE);
    assert_ptr_not_equal(fake.forgotten, t);
    assert_status(destroy_step(t), OK);
    assert_ptr_equal(fake.forgotten, t);
    assert_int_equal(t->object.kind, OBJECT_NONE);
    assert_int_equal(((struct slots *)fake_frame(slots))->object.kind, OBJECT_NONE);
    assert_int_equal(portal_at(s.portal[0])->refs, 0);
    assert_status(destroy_step(t), E_STATE); // nothing is there
}

static void its_frames_can_be_donated_again(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    uint64_t index = t->object.index;
    start_task(t);
    destroy(t);
    assert_status(MACHINE(OBJECT_CREATE, .w = {index, OBJECT_PORTALS}), OK);
}

static void a_task_that_never_ran_is_destroyed(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    make_pager(t, 5);
    destroy(t);
    assert_status(machine_poll(), OK); // the pager's portal went too
    assert_int_equal(world.vmm->regs.rbx, 5);
}

static void a_ready_task_leaves_its_queue(void **state)
{
    (void)state;
    struct task *a = make_task(PRIORITY_DEFAULT), *b = make_task(PRIORITY_DEFAULT);
    start_task(a);
    start_task(b);
    destroy(a);
    assert_status(SYS(world.vmm, WAIT, .target = SLOT_PARENT), BLOCKED);
    assert_ptr_equal(world.resumed, b);
}

static void who_waits_leaves_its_endpoint(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(SYS(s.server, WAIT, .target = SERVER_ENDPOINT), BLOCKED);
    destroy(s.server);
    struct service r = make_service();
    assert_status(receive(r.server), BLOCKED);
    destroy(r.server);
}

static void its_callers_wake_with_dead(void **state)
{
    (void)state;
    struct service s = make_service();
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_status(SYS(s.client[i], CALL, .target = CLIENT_PORTAL), BLOCKED);
        assert_status(SYS(s.server, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = 20 + i), OK);
    }
    destroy(s.server);
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(s.client[i]->state, TASK_READY);
        assert_status((int32_t)s.client[i]->regs.rax, E_DEAD);
    }
}

static void two_who_wait_for_each_other_can_die(void **state)
{
    (void)state;
    struct service a = make_service(), b = make_service();
    make_portal(world.vmm, 20, a.endpoint, 7);
    assert_status(slot_transfer(slot_of(world.vmm, 20), slot_of(b.server, 20), true, 0), OK);
    make_portal(world.vmm, 20, b.endpoint, 8);
    assert_status(slot_transfer(slot_of(world.vmm, 20), slot_of(a.server, 20), true, 0), OK);
    assert_status(SYS(a.client[0], CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_status(receive_poll(a.server), OK);
    assert_status(SYS(a.server, CALL, .target = 20), BLOCKED);
    assert_status(receive_poll(b.server), OK);
    assert_status(SYS(b.server, CALL, .target = 20), BLOCKED);
    destroy(a.server);
    assert_status((int32_t)a.client[0]->regs.rax, E_DEAD);
    // a's end is not yet known where b's call waits: its endpoint has no receiver any more.
    assert_int_equal(b.server->state, TASK_SENDING);
    destroy(b.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(a_fresh_task_is_new_and_empty),
        KERNEL_TEST(creation_claims_a_frame),
        KERNEL_TEST(creation_checks_with_what_it_starts),
        KERNEL_TEST(binding_checks_every_word),
        KERNEL_TEST(binding_needs_a_task_that_stands_still),
        KERNEL_TEST(what_was_held_begins_once),
        KERNEL_TEST(only_who_is_ready_is_stopped),
        KERNEL_TEST(only_who_was_stopped_resumes),
        KERNEL_TEST(an_ended_task_does_not_resume),
        KERNEL_TEST(slots_come_in_frames_up_to_a_limit),
        KERNEL_TEST(who_runs_is_not_destroyed),
        KERNEL_TEST(destroying_drops_slots_in_bounded_steps),
        KERNEL_TEST(its_frames_can_be_donated_again),
        KERNEL_TEST(a_task_that_never_ran_is_destroyed),
        KERNEL_TEST(a_ready_task_leaves_its_queue),
        KERNEL_TEST(who_waits_leaves_its_endpoint),
        KERNEL_TEST(its_callers_wake_with_dead),
        KERNEL_TEST(two_who_wait_for_each_other_can_die),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
