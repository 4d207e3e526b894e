// SPDX-License-Identifier: MIT
// Slots and what may be done with what they hold. Cases R1, R2, R6 on the level of slots; the
// messages that use them are in test_carry.c.
#include "kernel/slot.h"

#include "kernel/task.h"
#include "test/unit/fake/kernel/world.h"

static void slots_are_found_by_number(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    assert_null(slot_at(t, 0)); // the pager's has no name
    assert_ptr_equal(slot_at(t, 1), &t->slots[1]);
    assert_ptr_equal(slot_at(t, TASK_SLOTS_FIRST - 1), &t->slots[TASK_SLOTS_FIRST - 1]);
    assert_null(slot_at(t, TASK_SLOTS_FIRST));
    assert_null(slot_at(t, SLOT_MAX));
}

static void further_frames_extend_the_numbers(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    uint64_t first = world.next_index, second = first + 1;
    fake_donate(first);
    fake_donate(second);
    assert_status(task_add_slots(t, first), OK);
    assert_status(task_add_slots(t, second), OK);
    struct slots *a = fake_frame(first), *b = fake_frame(second);
    assert_ptr_equal(slot_at(t, TASK_SLOTS_FIRST), &a->slot[0]);
    assert_ptr_equal(slot_at(t, TASK_SLOTS_FIRST + SLOTS_PER_FRAME - 1),
                     &a->slot[SLOTS_PER_FRAME - 1]);
    assert_ptr_equal(slot_at(t, TASK_SLOTS_FIRST + SLOTS_PER_FRAME), &b->slot[0]);
    assert_null(slot_at(t, TASK_SLOTS_FIRST + 2 * SLOTS_PER_FRAME));
}

static void a_slot_is_found_by_type(void **state)
{
    (void)state;
    assert_non_null(slot_of_type(world.vmm, SLOT_SELF, SLOT_MACHINE));
    assert_null(slot_of_type(world.vmm, SLOT_SELF, SLOT_PORTAL));
    assert_null(slot_of_type(world.vmm, 0, SLOT_EMPTY));
    assert_null(slot_of_type(world.vmm, SLOT_MAX, SLOT_EMPTY));
}

static void check_empty_tells_why(void **state)
{
    (void)state;
    assert_status(slot_check_empty(world.vmm, 0), OK); // none is named
    assert_status(slot_check_empty(world.vmm, SLOT_FREE), OK);
    assert_status(slot_check_empty(world.vmm, SLOT_SELF), E_OCCUPIED);
    assert_status(slot_check_empty(world.vmm, TASK_SLOTS_FIRST), E_SLOT);
}

static void check_send_needs_the_flag_it_names_R2(void **state)
{
    (void)state;
    struct service s = make_service();
    struct slot slot = {.portal = portal_at(s.portal[0]), .type = SLOT_PORTAL};
    for (unsigned flags = 0; flags <= SLOT_ALL; flags++) {
        slot.flags = (uint8_t)flags;
        assert_status(slot_check_send(&slot, false), flags & SLOT_COPY ? OK : E_RIGHT);
        assert_status(slot_check_send(&slot, true), flags & SLOT_MOVE ? OK : E_RIGHT);
    }
}

static void check_send_refuses_nothing_and_the_dead(void **state)
{
    (void)state;
    struct service s = make_service();
    struct slot empty = {.type = SLOT_EMPTY, .flags = SLOT_ALL};
    assert_status(slot_check_send(NULL, false), E_SLOT);
    assert_status(slot_check_send(&empty, true), E_SLOT);
    revoke(s.portal[0]);
    assert_status(slot_check_send(slot_of(s.client[0], CLIENT_PORTAL), false), E_REVOKED);
    assert_status(slot_check_send(slot_of(s.client[0], CLIENT_PORTAL), true), E_REVOKED);
}

static void a_copy_counts_and_a_move_does_not_R1(void **state)
{
    (void)state;
    struct service s = make_service();
    struct portal *p = portal_at(s.portal[0]);
    struct slot *from = slot_of(s.client[0], CLIENT_PORTAL), *to = slot_of(s.client[0], 20);
    assert_status(slot_transfer(from, to, false, 0), OK);
    assert_int_equal(p->refs, 2);
    assert_int_equal(from->type, SLOT_PORTAL);
    assert_status(slot_transfer(to, slot_of(s.client[0], 21), true, 0), OK);
    assert_int_equal(p->refs, 2);
    assert_int_equal(to->type, SLOT_EMPTY);
    from = slot_of(s.server, SERVER_ENDPOINT);
    assert_status(slot_transfer(from, slot_of(s.server, 20), false, 0), OK);
    assert_int_equal(s.endpoint->refs, 2);
}

static void masked_flags_do_not_come_back_R1(void **state)
{
    (void)state;
    struct service s = make_service();
    struct slot *a = slot_of(s.client[0], CLIENT_PORTAL), *b = slot_of(s.client[0], 20);
    struct slot *c = slot_of(s.client[0], 21);
    assert_status(slot_transfer(a, b, false, SLOT_CALL | SLOT_MOVE), OK);
    assert_int_equal(b->flags, SLOT_NOTIFY | SLOT_COPY);
    assert_int_equal(a->flags, SLOT_ALL);
    assert_status(slot_transfer(b, c, false, 0), OK); // a copy of the copy is no wider
    assert_int_equal(c->flags, SLOT_NOTIFY | SLOT_COPY);
    assert_status(slot_check_send(c, true), E_RIGHT);
}

static void a_full_count_refuses_the_copy(void **state)
{
    (void)state;
    struct service s = make_service();
    struct slot *from = slot_of(s.client[0], CLIENT_PORTAL), *to = slot_of(s.client[0], 20);
    from->portal->refs = UINT32_MAX;
    assert_status(slot_transfer(from, to, false, 0), E_LIMIT);
    assert_int_equal(from->portal->refs, UINT32_MAX);
    assert_int_equal(to->type, SLOT_EMPTY);
    assert_int_equal(from->type, SLOT_PORTAL);
    assert_status(slot_transfer(from, to, true, 0), OK); // a move needs no reference
    to->portal->refs = 1;

    struct slot *right = slot_of(s.server, SERVER_ENDPOINT);
    s.endpoint->refs = UINT32_MAX;
    assert_status(slot_transfer(right, slot_of(s.server, 20), false, 0), E_LIMIT);
    assert_int_equal(slot_of(s.server, 20)->type, SLOT_EMPTY);
    s.endpoint->refs = 1;
}

static void a_moved_reply_is_still_known_to_its_caller(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    struct slot *to = slot_of(s.server, 20);
    assert_status(slot_transfer(slot_of(s.server, REPLY_SLOT), to, true, 0), OK);
    assert_ptr_equal(s.client[0]->reply_slot, to);
    assert_status(slot_check_send(to, false), E_RIGHT); // one-shot: never copied
}

static void the_kernels_own_capabilities_are_copied_uncounted(void **state)
{
    (void)state;
    struct slot *to = slot_of(world.vmm, 20);
    assert_status(slot_transfer(slot_of(world.vmm, SLOT_CONSOLE), to, false, 0), OK);
    assert_int_equal(to->type, SLOT_CONSOLE_CAP);
    slot_drop(to);
    assert_int_equal(to->type, SLOT_EMPTY);
    assert_int_equal(slot_of(world.vmm, SLOT_CONSOLE)->type, SLOT_CONSOLE_CAP);
}

static void dropping_gives_the_reference_up_R1(void **state)
{
    (void)state;
    struct service s = make_service();
    struct slot *copy = slot_of(s.client[0], 20);
    assert_status(slot_transfer(slot_of(s.client[0], CLIENT_PORTAL), copy, false, 0), OK);
    slot_drop(copy);
    assert_int_equal(copy->type, SLOT_EMPTY);
    assert_int_equal(portal_at(s.portal[0])->refs, 1);
    slot_drop(copy); // empty: nothing
    assert_int_equal(portal_at(s.portal[0])->refs, 1);
}

static void dropping_a_reply_wakes_the_caller(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    slot_drop(slot_of(s.server, REPLY_SLOT));
    assert_int_equal(s.client[0]->state, TASK_READY);
    assert_status((int32_t)s.client[0]->regs.rax, E_DEAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(slots_are_found_by_number),
        KERNEL_TEST(further_frames_extend_the_numbers),
        KERNEL_TEST(a_slot_is_found_by_type),
        KERNEL_TEST(check_empty_tells_why),
        KERNEL_TEST(check_send_needs_the_flag_it_names_R2),
        KERNEL_TEST(check_send_refuses_nothing_and_the_dead),
        KERNEL_TEST(a_copy_counts_and_a_move_does_not_R1),
        KERNEL_TEST(masked_flags_do_not_come_back_R1),
        KERNEL_TEST(a_full_count_refuses_the_copy),
        KERNEL_TEST(a_moved_reply_is_still_known_to_its_caller),
        KERNEL_TEST(the_kernels_own_capabilities_are_copied_uncounted),
        KERNEL_TEST(dropping_gives_the_reference_up_R1),
        KERNEL_TEST(dropping_a_reply_wakes_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
