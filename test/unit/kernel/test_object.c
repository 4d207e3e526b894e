// SPDX-License-Identifier: MIT
// Donated frames: claimed once, found by index and kind.
#include "kernel/object.h"

#include "test/unit/fake/kernel/world.h"

static void claiming_marks_the_frame(void **state)
{
    (void)state;
    struct object *o;
    uint64_t index = world.next_index;
    fake_donate(index);
    assert_status(object_claim(index, OBJECT_SLOTS, PAGE_SIZE, &o), OK);
    assert_ptr_equal(o, fake_frame(index));
    assert_int_equal(o->kind, OBJECT_SLOTS);
    assert_int_equal(o->index, index);
    o->kind = OBJECT_NONE;
}

static void a_frame_that_is_not_there_is_a_fault(void **state)
{
    (void)state;
    struct object *o = NULL;
    const uint64_t bad[] = {UNMAPPED_INDEX, FAKE_FRAMES, 1ull << 32, UINT64_MAX};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_status(object_claim(bad[i], OBJECT_TASK, PAGE_SIZE, &o), E_FAULT);
        assert_status(object_find(bad[i], OBJECT_TASK, &o), E_FAULT);
    }
    assert_null(o);
}

static void a_frame_in_use_is_busy(void **state)
{
    (void)state;
    struct object *o = NULL;
    assert_status(object_claim(0, OBJECT_TASK, PAGE_SIZE, &o), E_BUSY);
    assert_status(object_claim(1, OBJECT_TASK, PAGE_SIZE, &o), E_BUSY);
    assert_null(o);
}

static void finding_asks_for_the_kind(void **state)
{
    (void)state;
    struct object *o = NULL;
    assert_status(object_find(0, OBJECT_ENDPOINT, &o), E_STATE);
    assert_status(object_find(world.next_index, OBJECT_TASK, &o), E_STATE);
    assert_null(o);
    assert_status(object_find(1, OBJECT_ENDPOINT, &o), OK);
    assert_ptr_equal(o, machine_endpoint);
}

// The VMM maps one frame at two indices: the object answers to its own alone.
static void an_object_has_one_index(void **state)
{
    (void)state;
    struct object *o = NULL;
    struct task *t = make_task(PRIORITY_DEFAULT);
    uint32_t index = t->object.index;
    t->object.index = index + 1;
    assert_status(object_find(index, OBJECT_TASK, &o), E_STATE);
    world_switch(world.vmm);
    world.vmm->regs.rax = sys_header(SYS_OBJECT_DESTROY, SLOT_SELF, 0, 0, 0, 0);
    world.vmm->regs.w[0] = index;
    const char *problem;
    assert_true(world_enter(ENTRY_SYSCALL, 0, &problem));
    assert_status((int32_t)world.vmm->regs.rax, E_STATE);
    t->object.index = index;
    assert_null(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(claiming_marks_the_frame), KERNEL_TEST(a_frame_that_is_not_there_is_a_fault),
        KERNEL_TEST(a_frame_in_use_is_busy),   KERNEL_TEST(finding_asks_for_the_kind),
        KERNEL_TEST(an_object_has_one_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
