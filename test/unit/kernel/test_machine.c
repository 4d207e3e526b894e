// SPDX-License-Identifier: MIT
// The machine capability's system calls: each with every error. What the objects then do is in
// their own tests. Case R1 for minting.
#include "kernel/syscall.h"
#include "test/unit/fake/kernel/world.h"

static status_t create(uint64_t index, uint64_t kind, uint64_t slot)
{
    return MACHINE(OBJECT_CREATE, .w = {index, kind, slot});
}

static void assert_free(uint64_t index)
{
    assert_int_equal(((struct object *)fake_frame(index))->kind, OBJECT_NONE);
}

static void all_of_it_needs_the_capability(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    make_pager(t, 5);
    start_task(t);
    for (unsigned n = SYS_OBJECT_CREATE; n < SYS_COUNT; n++) {
        assert_status(world_call(t, n, (struct call){.target = SLOT_SELF}), E_SLOT);
        assert_status(world_call(t, n, (struct call){.target = 0}), E_SLOT);
        assert_status(world_call(world.vmm, n, (struct call){.target = SLOT_PARENT}), E_SLOT);
    }
}

static void objects_are_created_by_kind(void **state)
{
    (void)state;
    uint64_t index = world.next_index;
    assert_status(create(index + 1, OBJECT_ENDPOINT, 20), OK);
    assert_status(create(index + 2, OBJECT_PORTALS, 0), OK);
    assert_ptr_equal(slot_of(world.vmm, 20)->endpoint, fake_frame(index + 1));
    assert_int_equal(((struct object *)fake_frame(index + 2))->kind, OBJECT_PORTALS);
}

static void creating_what_cannot_be(void **state)
{
    (void)state;
    uint64_t index = world.next_index;
    assert_status(create(index, OBJECT_NONE, 0), E_INVAL);
    assert_status(create(index, OBJECT_SLOTS, 0), E_INVAL); // only for a task: TASK_SLOTS
    assert_status(create(index, OBJECT_TASK, 0), E_INVAL);  // starts: TASK_START
    assert_status(create(index, OBJECT_SLOTS + 1, 0), E_INVAL);
    assert_status(create(index, 1ull << 32 | OBJECT_PORTALS, 0), E_INVAL);
    for (unsigned kind = OBJECT_ENDPOINT; kind <= OBJECT_PORTALS; kind++) {
        assert_status(create(UNMAPPED_INDEX, kind, 20), E_FAULT);
        assert_status(create(0, kind, 20), E_BUSY);
    }
    assert_int_equal(slot_of(world.vmm, 20)->type, SLOT_EMPTY);
    assert_free(index);
}

static void an_endpoints_right_needs_a_slot(void **state)
{
    (void)state;
    uint64_t index = world.next_index;
    assert_status(create(index, OBJECT_ENDPOINT, 0), E_SLOT);
    assert_status(create(index, OBJECT_ENDPOINT, TASK_SLOTS_FIRST), E_SLOT);
    assert_status(create(index, OBJECT_ENDPOINT, (1ull << 32) + 20), E_SLOT);
    assert_status(create(index, OBJECT_ENDPOINT, SLOT_SELF), E_OCCUPIED);
    assert_free(index);
}

static void destroying_what_is_not_there(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    uint64_t slots = world.next_index++;
    assert_status(MACHINE(OBJECT_DESTROY, .w = {UNMAPPED_INDEX}), E_FAULT);
    assert_status(MACHINE(OBJECT_DESTROY, .w = {UINT64_MAX}), E_FAULT);
    assert_status(MACHINE(OBJECT_DESTROY, .w = {world.next_index}), E_STATE);
    assert_status(MACHINE(TASK_SLOTS, .w = {t->object.index, slots}), OK);
    assert_status(MACHINE(OBJECT_DESTROY, .w = {slots}), E_STATE); // goes with its task
}

static void calls_on_tasks_find_a_task(void **state)
{
    (void)state;
    const enum syscall_number calls[] = {SYS_TASK_BIND, SYS_TASK_STOP, SYS_TASK_RESUME,
                                         SYS_TASK_SLOTS};
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct call c = {.target = SLOT_SELF, .w = {UNMAPPED_INDEX}};
        assert_status(world_call(world.vmm, calls[i], c), E_FAULT);
        c.w[0] = machine_endpoint->object.index;
        assert_status(world_call(world.vmm, calls[i], c), E_STATE);
        c.w[0] = world.next_index;
        assert_status(world_call(world.vmm, calls[i], c), E_STATE);
    }
}

static status_t give(uint64_t task, slot_t send, uint64_t slot)
{
    return MACHINE(SLOT_GIVE, .send = send, .w = {task, slot});
}

static void giving_moves_into_a_new_task(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    make_portal(world.vmm, 20, machine_endpoint, 5);
    make_portal(world.vmm, 21, machine_endpoint, 6);
    assert_status(give(t->object.index, 20, 0), OK); // its pager
    assert_status(give(t->object.index, 21, 63), OK);
    assert_int_equal(slot_of(world.vmm, 20)->type, SLOT_EMPTY);
    assert_int_equal(slot_of(t, 0)->portal->badge, 5);
    assert_int_equal(slot_of(t, 63)->portal->badge, 6);
    assert_int_equal(slot_of(t, 63)->flags, SLOT_ALL);
}

static void giving_checks_what_and_where(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    uint64_t self = t->object.index, number = make_portal(world.vmm, 20, machine_endpoint, 5);
    assert_status(give(self, 0, 8), E_SLOT);
    assert_status(give(self, 30, 8), E_SLOT);
    assert_status(give(UNMAPPED_INDEX, 20, 8), E_FAULT);
    assert_status(give(world.portals, 20, 8), E_STATE);
    assert_status(give(self, 20, TASK_SLOTS_FIRST), E_SLOT);
    assert_status(give(self, 20, SLOT_MAX + 1), E_SLOT);
    assert_status(give(self, 20, (1ull << 32) + 8), E_SLOT);
    assert_status(give(0, 20, 8), E_STATE); // it runs already
    make_portal(t, 8, machine_endpoint, 6);
    assert_status(give(self, 20, 8), E_OCCUPIED);
    assert_int_equal(slot_of(world.vmm, 20)->type, SLOT_PORTAL);
    assert_int_equal(portal_at(number)->refs, 1);
    start_task(t);
    make_portal(world.vmm, 21, machine_endpoint, 7);
    assert_status(give(self, 21, 10), E_STATE);
}

// The machine's word stands above a slot's flags, which bind whoever gets the capability.
static void giving_needs_no_flag(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    uint64_t number = make_portal(world.vmm, 20, machine_endpoint, 5);
    slot_of(world.vmm, 20)->flags = SLOT_CALL;
    revoke(number);
    assert_status(give(t->object.index, 20, 8), OK);
    assert_int_equal(slot_of(t, 8)->flags, SLOT_CALL);
    assert_int_equal(slot_of(world.vmm, 20)->type, SLOT_EMPTY);
}

// TASK_START with everything: a new portal, one that is there for its own space, a parent's.
static struct call start_call(uint64_t index, uint64_t portal, uint64_t self)
{
    return (struct call){
        .target = SLOT_SELF,
        .send = 20,
        .receive = 21,
        .w = {index | PRIORITY_DEFAULT << START_PRIORITY_SHIFT | self << 32, 5 | portal << 32, 9,
              TASK_RIP, 0x8000, 0x11},
    };
}

static void a_start_gives_all_at_once(void **state)
{
    (void)state;
    uint64_t index = world.next_index, self = make_portal(world.vmm, 22, machine_endpoint, 5);
    uint64_t parent = make_portal(world.vmm, 20, machine_endpoint, 6), portal = parent + 1;
    SYS(world.vmm, DROP, .target = 22); // its end is not heard of
    struct call c = start_call(index, portal, self);
    assert_status(world_call(world.vmm, SYS_TASK_START, c), OK);
    struct task *t = fake_frame(index);
    assert_int_equal(t->state, TASK_READY);
    assert_int_equal(t->regs.w[0], 0x11);
    assert_int_equal(t->root, 5 * PAGE_SIZE);
    assert_int_equal(t->priority, PRIORITY_DEFAULT);
    assert_ptr_equal(slot_of(t, 0)->portal, portal_at(portal));
    assert_int_equal(slot_of(t, 0)->flags, SLOT_COPY | SLOT_MOVE); // not to be named
    assert_ptr_equal(slot_of(world.vmm, 21)->portal, portal_at(portal));
    assert_int_equal(slot_of(world.vmm, 21)->flags, SLOT_ALL);
    assert_int_equal(portal_at(portal)->refs, 2);
    assert_int_equal(portal_at(portal)->badge, 9);
    assert_ptr_equal(slot_of(t, SLOT_SELF)->portal, portal_at(self));
    assert_int_equal(portal_at(self)->refs, 1);
    assert_ptr_equal(slot_of(t, SLOT_PARENT)->portal, portal_at(parent));
    assert_int_equal(slot_of(world.vmm, 20)->type, SLOT_EMPTY);
}

// Whatever of it cannot be, nothing of it is.
static void a_start_is_all_or_nothing(void **state)
{
    (void)state;
    uint64_t index = world.next_index, self = make_portal(world.vmm, 22, machine_endpoint, 5);
    uint64_t parent = make_portal(world.vmm, 20, machine_endpoint, 6), portal = parent + 1;
    const struct call good = start_call(index, portal, self);
    struct {
        struct call call;
        status_t status;
    } bad[] = {
        {start_call(UNMAPPED_INDEX, portal, self), E_FAULT},
        {start_call(0, portal, self), E_BUSY},
        {start_call(index, UNMAPPED_INDEX * PORTALS_PER_FRAME, self), E_FAULT},
        {start_call(index, 1, self), E_STATE},      // no frame of portals
        {start_call(index, parent, self), E_STATE}, // is live
        {start_call(index, portal, portal), E_STATE},
        {start_call(index, portal, portal + 1), E_STATE}, // is not
        {start_call(index, 0, self), E_INVAL},            // of what would the slot hold?
        {good, E_SLOT},
        {good, E_SLOT},
        {good, E_SLOT},
        {good, E_OCCUPIED},
        {good, E_INVAL},
        {good, E_INVAL},
        {good, E_INVAL},
    };
    unsigned i = 8;
    bad[i++].call.send = 30;
    bad[i++].call.send = TASK_SLOTS_FIRST;
    bad[i++].call.receive = TASK_SLOTS_FIRST;
    bad[i++].call.receive = 22;
    bad[i++].call.w[0] |= 0xffull << START_PRIORITY_SHIFT;
    bad[i++].call.w[1] &= ~0xffull; // no root
    bad[i++].call.w[3] = FAKE_USER_END;
    assert_int_equal(i, sizeof bad / sizeof *bad);
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_status(world_call(world.vmm, SYS_TASK_START, bad[i].call), bad[i].status);
        assert_free(index);
        assert_true(portal_is_free(portal_at(portal)));
        assert_int_equal(portal_at(self)->refs, 1);
        assert_int_equal(slot_of(world.vmm, 20)->type, SLOT_PORTAL);
        assert_int_equal(slot_of(world.vmm, 21)->type, SLOT_EMPTY);
    }
    fake_donate(index);
    portal_at(self)->refs = UINT32_MAX;
    world_load(world.vmm, SYS_TASK_START, &good);
    assert_status(machine_call(world.vmm, SYS_TASK_START), E_LIMIT);
    portal_at(self)->refs = 1;
    assert_free(index);
    assert_status(world_call(world.vmm, SYS_TASK_START, good), OK);
}

static void a_start_needs_but_a_frame_and_a_root(void **state)
{
    (void)state;
    uint64_t index = world.next_index;
    assert_status(MACHINE(TASK_START, .w = {index, 5}), OK);
    struct task *t = fake_frame(index);
    assert_int_equal(t->state, TASK_READY);
    for (unsigned i = 0; i < TASK_SLOTS_FIRST; i++)
        assert_int_equal(t->slots[i].type, SLOT_EMPTY);
}

static status_t mint(uint64_t number, uint64_t endpoint, uint64_t slot, uint64_t flags)
{
    return MACHINE(PORTAL_MINT, .w = {number, endpoint, 5, slot, flags});
}

static void minting_gives_the_flags_asked_for_R1(void **state)
{
    (void)state;
    uint64_t number = world.next_portal, home = machine_endpoint->object.index;
    for (unsigned flags = 0; flags <= SLOT_ALL; flags++) {
        assert_status(mint(number, home, 20 + flags, flags | 0xfff0), OK);
        assert_int_equal(slot_of(world.vmm, 20 + flags)->flags, flags);
    }
}

static void minting_checks_every_word(void **state)
{
    (void)state;
    uint64_t number = world.next_portal, home = machine_endpoint->object.index;
    assert_status(mint(UNMAPPED_INDEX * PORTALS_PER_FRAME, home, 20, SLOT_ALL), E_FAULT);
    assert_status(mint(0, home, 20, SLOT_ALL), E_STATE);
    assert_status(mint(number, UNMAPPED_INDEX, 20, SLOT_ALL), E_FAULT);
    assert_status(mint(number, world.portals, 20, SLOT_ALL), E_STATE);
    assert_status(mint(number, home, 0, SLOT_ALL), E_SLOT);
    assert_status(mint(number, home, TASK_SLOTS_FIRST, SLOT_ALL), E_SLOT);
    assert_status(mint(number, home, SLOT_SELF, SLOT_ALL), E_OCCUPIED);
    assert_int_equal(portal_at(number)->refs, 0);
    assert_status(mint(number, home, 20, SLOT_ALL), OK);
    assert_status(MACHINE(PORTAL_MINT, .w = {number, home, 6, 21, SLOT_ALL}), E_STATE);
    assert_int_equal(slot_of(world.vmm, 21)->type, SLOT_EMPTY);
}

static void revoking_finds_a_live_portal(void **state)
{
    (void)state;
    assert_status(MACHINE(PORTAL_REVOKE, .w = {UNMAPPED_INDEX, 1}), E_FAULT);
    assert_status(MACHINE(PORTAL_REVOKE, .w = {world.vmm->object.index, 1}), E_STATE);
    assert_status(MACHINE(PORTAL_REVOKE, .w = {world.portals, 0, 1ull << 36}), E_INVAL);
    uint64_t number = make_portal(world.vmm, 20, machine_endpoint, 5);
    uint64_t place = number % PORTALS_PER_FRAME;
    assert_status(MACHINE(PORTAL_REVOKE, .w = {world.portals, ~(1ull << place)}), OK);
    assert_non_null(portal_at(number)->endpoint);
    assert_status(MACHINE(PORTAL_REVOKE, .w = {world.portals, 1ull << place}), OK);
    assert_null(portal_at(number)->endpoint);
    assert_status(MACHINE(PORTAL_REVOKE, .w = {world.portals, 1ull << place}), OK);
}

// A frame of portals dies in as many calls as it takes; each kills no more than a call may do.
static void revoking_many_takes_steps(void **state)
{
    (void)state;
    struct task *holders[] = {make_task(PRIORITY_DEFAULT), make_task(PRIORITY_DEFAULT)};
    unsigned n = 80, n_calls = 0;
    for (unsigned i = 0; i < n; i++)
        make_portal(holders[i / 40], SLOT_FREE + i % 40, machine_endpoint, 7 + i);
    uint32_t live = machine_endpoint->n_portals;
    for (status_t status = E_MORE; status == E_MORE; n_calls++) {
        status = MACHINE(PORTAL_REVOKE, .w = {world.portals, ~0ull, (1ull << 36) - 1});
        assert_true(live - machine_endpoint->n_portals <= KERNEL_WORK_MAX);
        live = machine_endpoint->n_portals;
    }
    assert_true(n_calls >= n / KERNEL_WORK_MAX);
    assert_int_equal(live, 0);
}

static void a_flush_reaches_the_architecture(void **state)
{
    (void)state;
    assert_status(MACHINE(FLUSH, .w = {0x5000, 0x123000, 7}), OK);
    assert_int_equal(fake.flush.count, 1);
    assert_int_equal(fake.flush.root, 0x5000);
    assert_int_equal(fake.flush.va, 0x123000);
    assert_int_equal(fake.flush.pages, 7);
}

static void the_machine_goes_off_with_a_code(void **state)
{
    (void)state;
    assert_status(MACHINE(POWER_OFF, .w = {0x31}), POWERED_OFF);
    assert_int_equal(fake.power_code, 0x31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(all_of_it_needs_the_capability),
        KERNEL_TEST(objects_are_created_by_kind),
        KERNEL_TEST(creating_what_cannot_be),
        KERNEL_TEST(an_endpoints_right_needs_a_slot),
        KERNEL_TEST(destroying_what_is_not_there),
        KERNEL_TEST(calls_on_tasks_find_a_task),
        KERNEL_TEST(giving_moves_into_a_new_task),
        KERNEL_TEST(giving_checks_what_and_where),
        KERNEL_TEST(giving_needs_no_flag),
        KERNEL_TEST(a_start_gives_all_at_once),
        KERNEL_TEST(a_start_is_all_or_nothing),
        KERNEL_TEST(a_start_needs_but_a_frame_and_a_root),
        KERNEL_TEST(minting_gives_the_flags_asked_for_R1),
        KERNEL_TEST(minting_checks_every_word),
        KERNEL_TEST(revoking_finds_a_live_portal),
        KERNEL_TEST(revoking_many_takes_steps),
        KERNEL_TEST(a_flush_reaches_the_architecture),
        KERNEL_TEST(the_machine_goes_off_with_a_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
