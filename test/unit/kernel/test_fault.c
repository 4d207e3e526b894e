// SPDX-License-Identifier: MIT
// Exceptions and exits arrive at the pager as calls; the end of task one is the end of all.
#include "kernel/fault.h"

#include "arch/registers.h"
#include "test/unit/fake/kernel/world.h"

#include <string.h>

#define PAGER_BADGE 0x70u
#define VECTOR_UD   6u

// A task whose pager is the VMM.
static struct task *make_paged(void)
{
    struct task *t = make_task(PRIORITY_DEFAULT);
    make_pager(t, PAGER_BADGE);
    start_task(t);
    return t;
}

static bool page_fault(struct task *t)
{
    return world_fault(t, VECTOR_PAGE_FAULT, 6, 0x123456);
}

static status_t machine_answer(void)
{
    return SYS(world.vmm, REPLY_RECV, .target = SLOT_PARENT, .reply = REPLY_SLOT,
               .flags = SYS_REPLY | SYS_POLL, .w = {0xbad, 0xbad});
}

static void an_exception_calls_the_pager(void **state)
{
    (void)state;
    struct task *t = make_paged();
    assert_true(page_fault(t));
    assert_int_equal(t->state, TASK_SENDING);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, EXCEPTION, PAGER_BADGE, VECTOR_PAGE_FAULT, 0);
    const uint64_t words[] = {VECTOR_PAGE_FAULT, 6, 0x123456, TASK_RIP, 0x8000, 0};
    assert_memory_equal(world.vmm->regs.w, words, sizeof words);
}

static void only_a_page_fault_has_an_address(void **state)
{
    (void)state;
    struct task *t = make_paged();
    assert_true(world_fault(t, VECTOR_UD, 7, 0x123456)); // what CR2 holds is somebody else's
    assert_status(machine_poll(), OK);
    const uint64_t words[] = {VECTOR_UD, 7, 0, TASK_RIP, 0x8000, 0};
    assert_memory_equal(world.vmm->regs.w, words, sizeof words);
}

static void the_answer_resumes_it_as_it_was(void **state)
{
    (void)state;
    struct task *t = make_paged();
    world_switch(t);
    memset(t->regs.w, 0x5a, sizeof t->regs.w);
    t->regs.rax = 0x1234; // not a result: the task's own
    assert_true(page_fault(t));
    struct registers before = t->regs;
    assert_status(machine_poll(), OK);
    assert_status(machine_answer(), E_BUSY);
    assert_int_equal(t->state, TASK_READY);
    assert_memory_equal(&t->regs, &before, sizeof before);
    assert_true(page_fault(t)); // and it may fault again
    assert_status(machine_poll(), OK);
}

static void an_answer_to_an_exception_carries_nothing(void **state)
{
    (void)state;
    struct task *t = make_paged();
    assert_true(page_fault(t));
    assert_status(machine_poll(), OK);
    assert_status(SYS(world.vmm, REPLY_RECV, .target = SLOT_PARENT, .send = SLOT_CONSOLE,
                      .reply = REPLY_SLOT, .flags = SYS_REPLY | SYS_POLL),
                  E_NOSLOT);
    assert_int_equal(t->state, TASK_ANSWER);
}

static void unanswered_it_stays_stopped(void **state)
{
    (void)state;
    struct task *t = make_paged();
    assert_true(page_fault(t));
    assert_status(machine_poll(), OK);
    assert_status(SYS(world.vmm, DROP, .target = REPLY_SLOT), OK);
    assert_int_equal(t->state, TASK_STOPPED);
    assert_status(MACHINE(TASK_RESUME, .w = {t->object.index}), E_STATE);
    destroy(t);
}

static void without_a_pager_it_stops(void **state)
{
    (void)state;
    struct task *t = make_task(PRIORITY_DEFAULT);
    start_task(t);
    assert_true(page_fault(t));
    assert_int_equal(t->state, TASK_STOPPED);
}

static void a_pager_must_be_a_live_portal(void **state)
{
    (void)state;
    struct task *odd = make_task(PRIORITY_DEFAULT), *late = make_task(PRIORITY_DEFAULT);
    make_endpoint(odd, 0); // slot 0 takes what the spawner gives
    start_task(odd);
    assert_true(page_fault(odd));
    assert_int_equal(odd->state, TASK_STOPPED);
    make_pager(late, PAGER_BADGE);
    start_task(late);
    revoke(world.next_portal - 1);
    assert_true(page_fault(late));
    assert_int_equal(late->state, TASK_STOPPED);
}

// A pager that is not the VMM.
static struct task *make_paged_by(struct service *s, uint64_t *number)
{
    struct task *t = make_task(PRIORITY_DEFAULT);
    *number = make_portal(t, 0, s->endpoint, PAGER_BADGE);
    start_task(t);
    return t;
}

static void a_dead_pager_stops_it(void **state)
{
    (void)state;
    uint64_t number;
    struct service s = make_service();
    struct task *before = make_paged_by(&s, &number), *after = make_paged_by(&s, &number);
    assert_true(page_fault(before));
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, EXCEPTION, PAGER_BADGE, VECTOR_PAGE_FAULT, 0);
    destroy(s.server);
    assert_int_equal(before->state, TASK_STOPPED);
    assert_true(page_fault(after));
    assert_int_equal(after->state, TASK_STOPPED);
}

static void a_pager_revoked_in_between_stops_it(void **state)
{
    (void)state;
    uint64_t number;
    struct service s = make_service();
    struct task *t = make_paged_by(&s, &number);
    assert_true(page_fault(t));
    revoke(number);
    assert_status(receive_poll(s.server), E_BUSY);
    assert_int_equal(t->state, TASK_STOPPED);
}

// Answers and goes on.
static status_t server_reply(struct task *server, status_t status)
{
    return SYS(server, REPLY_RECV, .reply = REPLY_SLOT, .flags = SYS_REPLY,
               .w = {(uint64_t)(int64_t)status});
}

static void an_exception_is_forwarded_as_one(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *t = make_paged();
    make_portal(world.vmm, 20, s.endpoint, 0x99);
    assert_true(world_fault(t, VECTOR_UD, 0, 0));
    assert_status(machine_poll(), OK);
    assert_status(SYS(world.vmm, FORWARD, .target = 20, .reply = REPLY_SLOT, .w = {0xbad}), OK);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, EXCEPTION, 0x99, VECTOR_UD, 0);
    assert_int_equal(s.server->regs.w[5], 0);
    assert_status(server_reply(s.server, OK), OK);
    assert_int_equal(t->state, TASK_READY);
}

// A task whose page fault the machine's holder has handed on to the service, which has it.
static struct task *make_handed_on(struct service *s, uint64_t *number)
{
    *s = make_service();
    struct task *t = make_paged();
    *number = make_portal(world.vmm, 20, s->endpoint, 0x99);
    assert_true(page_fault(t));
    assert_status(machine_poll(), OK);
    assert_status(SYS(world.vmm, FORWARD, .target = 20, .reply = REPLY_SLOT), OK);
    assert_status(receive_poll(s->server), OK);
    assert_message(s->server, EXCEPTION, 0x99, VECTOR_PAGE_FAULT, 0);
    return t;
}

// A task whose own pager is the service. VMM_SPARE is empty again.
static struct task *make_asking(struct service *s, uint64_t *number)
{
    *s = make_service();
    struct task *t = make_paged();
    *number = make_portal(world.vmm, VMM_SPARE, s->endpoint, 0x99);
    assert_status(MACHINE(TASK_PAGER, .send = VMM_SPARE, .w = {t->object.index}), OK);
    assert_int_equal(slot_of(world.vmm, VMM_SPARE)->type, SLOT_EMPTY);
    return t;
}

// It comes to the VMM as one that was asked of nobody, or with the reason.
static void assert_comes_to_vmm(uint64_t reason)
{
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, EXCEPTION, PAGER_BADGE, VECTOR_PAGE_FAULT, 0);
    assert_true(world.vmm->regs.w[5] == reason);
}

static void page_faults_go_to_its_own_pager(void **state)
{
    (void)state;
    uint64_t number;
    struct service s;
    struct task *t = make_asking(&s, &number);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(page_fault(t));
        assert_status(machine_poll(), E_BUSY);
        assert_status(receive_poll(s.server), OK);
        assert_message(s.server, EXCEPTION, 0x99, VECTOR_PAGE_FAULT, 0);
        const uint64_t words[] = {VECTOR_PAGE_FAULT, 6, 0x123456, TASK_RIP, 0x8000, 0};
        assert_memory_equal(s.server->regs.w, words, sizeof words);
        assert_status(server_reply(s.server, OK), OK);
        assert_int_equal(t->state, TASK_READY);
        assert_int_equal(t->special, 0);
    }
    assert_true(world_fault(t, VECTOR_UD, 0, 0)); // nothing else does
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, EXCEPTION, PAGER_BADGE, VECTOR_UD, 0);
}

static void what_its_pager_refuses_comes_to_the_vmm(void **state)
{
    (void)state;
    uint64_t number;
    struct service s;
    struct task *t = make_asking(&s, &number);
    assert_true(page_fault(t));
    assert_status(receive_poll(s.server), OK);
    assert_status(server_reply(s.server, E_RIGHT), OK);
    assert_comes_to_vmm(REFUSED_FIRST | (uint32_t)E_RIGHT);
    make_portal(world.vmm, 20, s.endpoint, 0x98); // who hands it on, as to a window's pager
    assert_status(SYS(world.vmm, FORWARD, .target = 20, .reply = REPLY_SLOT), OK);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, EXCEPTION, 0x98, VECTOR_PAGE_FAULT, 0);
    assert_true(s.server->regs.w[5] == (REFUSED_FIRST | (uint32_t)E_RIGHT));
    assert_status(server_reply(s.server, E_REVOKED), OK);
    assert_comes_to_vmm((uint64_t)E_REVOKED);
    assert_status(machine_answer(), E_BUSY);
    assert_int_equal(t->state, TASK_READY);
    assert_true(page_fault(t)); // and the next one is a new one
    assert_status(receive_poll(s.server), OK);
    assert_int_equal(s.server->regs.w[5], 0);
}

static void a_pager_that_is_gone_loses_no_fault(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 5; how++) {
        uint64_t number;
        struct service s;
        struct task *t = make_asking(&s, &number);
        if (how == 0)
            revoke(number); // nobody is asked then
        assert_true(page_fault(t));
        if (how == 1)
            revoke(number);
        if (how == 2)
            destroy(s.server);
        if (how >= 3)
            assert_status(receive_poll(s.server), OK);
        if (how == 3)
            assert_status(SYS(s.server, DROP, .target = REPLY_SLOT), OK);
        if (how == 4)
            destroy(s.server);
        while (machine_poll() == OK && world.vmm->regs.rbx != PAGER_BADGE) {
            if (how == 2 && world.vmm->regs.w[0] == s.endpoint->object.index)
                revoke(number); // as the VMM does with a dead endpoint's
        }
        assert_int_equal(world.vmm->regs.w[0], VECTOR_PAGE_FAULT);
        const uint64_t why[] = {0, REFUSED_FIRST | (uint32_t)E_REVOKED,
                                REFUSED_FIRST | (uint32_t)E_DEAD, REFUSED_FIRST | (uint32_t)E_DEAD,
                                REFUSED_FIRST | (uint32_t)E_DEAD};
        assert_true(world.vmm->regs.w[5] == why[how]);
        assert_int_equal(t->state, TASK_ANSWER);
        world_start();
    }
}

static void its_pager_may_pass_a_fault_on_but_not_to_the_vmm(void **state)
{
    (void)state;
    uint64_t number;
    struct service s, other = make_service();
    struct task *t = make_asking(&s, &number);
    mint_portal(world.next_portal++, world.vmm, VMM_SPARE, machine_endpoint, 0x55, SLOT_ALL);
    assert_status(slot_transfer(slot_of(world.vmm, VMM_SPARE), slot_of(s.server, 20), true, 0), OK);
    mint_portal(world.next_portal++, world.vmm, VMM_SPARE, other.endpoint, 0x56, SLOT_ALL);
    assert_status(slot_transfer(slot_of(world.vmm, VMM_SPARE), slot_of(s.server, 21), true, 0), OK);
    assert_true(page_fault(t));
    assert_status(receive_poll(s.server), OK);
    assert_status(SYS(s.server, FORWARD, .target = 20, .reply = REPLY_SLOT), E_INVAL);
    assert_status(SYS(s.server, FORWARD, .target = 21, .reply = REPLY_SLOT), OK);
    assert_status(receive_poll(other.server), OK);
    assert_message(other.server, EXCEPTION, 0x56, VECTOR_PAGE_FAULT, 0);
    assert_status(server_reply(other.server, E_NOMEM), OK);
    assert_comes_to_vmm(REFUSED_FIRST | (uint32_t)E_NOMEM);
}

static void what_may_be_a_pager(void **state)
{
    (void)state;
    uint64_t number;
    struct service s;
    struct task *t = make_asking(&s, &number);
    const uint64_t self = t->object.index;
    struct portal *p = portal_at(number);
    assert_int_equal(p->refs, 1);
    assert_status(MACHINE(TASK_PAGER, .send = 30, .w = {self}), E_SLOT);
    assert_status(MACHINE(TASK_PAGER, .send = SLOT_PARENT, .w = {self}), E_SLOT);
    assert_status(MACHINE(TASK_PAGER, .w = {UNMAPPED_INDEX}), E_FAULT);
    mint_portal(world.next_portal++, world.vmm, VMM_SPARE, machine_endpoint, 0x55, SLOT_ALL);
    assert_status(MACHINE(TASK_PAGER, .send = VMM_SPARE, .w = {self}), E_INVAL);
    slot_of(world.vmm, VMM_SPARE)->flags = SLOT_CALL;
    assert_status(MACHINE(TASK_PAGER, .send = VMM_SPARE, .w = {self}), E_RIGHT);
    slot_of(world.vmm, VMM_SPARE)->flags = SLOT_MOVE;
    assert_status(MACHINE(TASK_PAGER, .send = VMM_SPARE, .w = {self}), E_RIGHT);
    assert_ptr_equal(t->pager, p);
    assert_true(page_fault(t)); // in its queue
    assert_status(MACHINE(TASK_PAGER, .w = {self}), OK);
    assert_null(t->pager);
    assert_int_equal(p->refs, 1); // the queue's
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, EXCEPTION, 0x99, VECTOR_PAGE_FAULT, 0);
    assert_status(server_reply(s.server, OK), OK);
    assert_true(page_fault(t));
    assert_comes_to_vmm(0);
    assert_status(machine_answer(), E_BUSY);
    make_portal(world.vmm, 20, s.endpoint, 0x97);
    struct portal *last = slot_of(world.vmm, 20)->portal;
    assert_status(MACHINE(TASK_PAGER, .send = 20, .w = {self}), OK);
    destroy(t);
    assert_int_equal(last->refs, 0);
}

// Where its fault is, for whoever supplies pages there.
static void the_vmm_is_shown_where_a_fault_is(void **state)
{
    (void)state;
    uint64_t number;
    struct service s;
    struct task *t = make_asking(&s, &number);
    mint_portal(world.next_portal++, world.vmm, VMM_SPARE, machine_endpoint, 0x55, SLOT_ALL);
    assert_status(slot_transfer(slot_of(world.vmm, VMM_SPARE), slot_of(s.server, 20), true, 0), OK);
    const uint64_t address[] = {0x123456, 0xffffffff80000000}, page[] = {0x123, ~0ull >> 20};
    for (unsigned i = 0; i < 2; i++) {
        assert_true(world_fault(t, VECTOR_PAGE_FAULT, 6, address[i]));
        assert_status(receive_poll(s.server), OK);
        assert_status(SYS(s.server, CALL, .target = 20, .send = REPLY_SLOT, .flags = SYS_MOVE),
                      BLOCKED);
        assert_status(SYS(world.vmm, REPLY_RECV, .target = SLOT_PARENT, .reply = REPLY_SLOT), OK);
        assert_message(world.vmm, CALL, 0x55, 0, RESULT_OBJECT);
        assert_true(world.vmm->regs.r12 == (t->object.index | page[i] << FAULT_PAGE_SHIFT));
        assert_status(machine_answer(), E_BUSY);
        assert_status(server_reply(s.server, OK), OK);
    }
}

// It is back, with the reason, and ends as one that was never handed on.
static void assert_back(const struct task *t, status_t reason)
{
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, EXCEPTION, PAGER_BADGE, VECTOR_PAGE_FAULT, 0);
    assert_int_equal((int64_t)world.vmm->regs.w[5], reason);
    assert_status(SYS(world.vmm, DROP, .target = REPLY_SLOT), OK);
    assert_int_equal(t->state, TASK_STOPPED);
}

static void a_refusal_comes_back(void **state)
{
    (void)state;
    uint64_t number;
    struct service s;
    const struct task *t = make_handed_on(&s, &number);
    assert_status(server_reply(s.server, E_RIGHT), OK);
    assert_int_equal(slot_of(s.server, REPLY_SLOT)->type, SLOT_EMPTY);
    assert_back(t, E_RIGHT);
}

static void a_dropped_one_comes_back(void **state)
{
    (void)state;
    uint64_t number;
    struct service s;
    const struct task *t = make_handed_on(&s, &number);
    assert_status(SYS(s.server, DROP, .target = REPLY_SLOT), OK);
    assert_back(t, E_DEAD);
}

static void that_of_one_who_died_comes_back(void **state)
{
    (void)state;
    uint64_t number;
    struct service s;
    const struct task *t = make_handed_on(&s, &number);
    destroy(s.server);
    assert_status(machine_poll(), OK); // nobody receives on its endpoint any more
    assert_back(t, E_DEAD);
}

static void that_behind_a_revoked_portal_comes_back(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *t = make_paged();
    uint64_t number = make_portal(world.vmm, 20, s.endpoint, 0x99);
    assert_true(page_fault(t));
    assert_status(machine_poll(), OK);
    assert_status(SYS(world.vmm, FORWARD, .target = 20, .reply = REPLY_SLOT), OK);
    revoke(number);
    assert_status(receive_poll(s.server), E_BUSY);
    assert_back(t, E_REVOKED);
}

// What was served is forgotten: the next call is one as any other.
static void afterwards_it_calls_as_ever(void **state)
{
    (void)state;
    uint64_t number;
    struct service s;
    struct task *t = make_handed_on(&s, &number);
    assert_status(server_reply(s.server, OK), OK);
    slot_of(t, CLIENT_PORTAL)->type = SLOT_EMPTY;
    assert_status(slot_transfer(slot_of(world.vmm, 20), slot_of(t, CLIENT_PORTAL), true, 0), OK);
    assert_status(SYS(t, CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_status(receive_poll(s.server), OK);
    assert_status(SYS(s.server, DROP, .target = REPLY_SLOT), OK);
    assert_int_equal(t->state, TASK_READY);
    assert_int_equal((int32_t)t->regs.rax, E_DEAD);
}

// The machine's holder is shown whose exception it is; whoever shows it keeps the capability.
static void the_reply_capability_is_shown(void **state)
{
    (void)state;
    uint64_t number;
    struct service s;
    const struct task *t = make_handed_on(&s, &number);
    make_portal(world.vmm, 21, machine_endpoint, 0x77);
    assert_status(slot_transfer(slot_of(world.vmm, 21), slot_of(s.server, 21), true, 0), OK);
    assert_status(SYS(s.server, CALL, .target = 21, .send = REPLY_SLOT, .flags = SYS_MOVE),
                  BLOCKED);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, CALL, 0x77, 0, RESULT_OBJECT);
    assert_int_equal(world.vmm->regs.r12 & ((1u << FAULT_PAGE_SHIFT) - 1), t->object.index);
    assert_ptr_equal(t->reply_slot, slot_of(s.server, REPLY_SLOT));
    assert_int_equal(slot_of(world.vmm, RECEIVE_SLOT)->type, SLOT_EMPTY);
}

static void a_waiting_pager_runs_at_once(void **state)
{
    (void)state;
    struct task *t = make_paged();
    assert_status(SYS(world.vmm, REPLY_RECV, .target = SLOT_PARENT, .reply = REPLY_SLOT), BLOCKED);
    assert_true(page_fault(t));
    assert_ptr_equal(world.resumed, world.vmm);
    assert_message(world.vmm, EXCEPTION, PAGER_BADGE, VECTOR_PAGE_FAULT, 0);
}

static void an_exit_tells_the_pager_the_code(void **state)
{
    (void)state;
    struct task *t = make_paged();
    assert_status(SYS(t, EXIT, .w = {42, 43}), BLOCKED);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, EXIT, PAGER_BADGE, 42, 0);
    assert_int_equal(world.vmm->regs.w[1], 0); // the code alone
}

static void an_exit_has_no_answer(void **state)
{
    (void)state;
    struct task *t = make_paged();
    assert_status(SYS(t, EXIT), BLOCKED);
    assert_status(machine_poll(), OK);
    assert_status(machine_answer(), E_STATE);
    assert_int_equal(t->state, TASK_ANSWER);
    assert_status(SYS(world.vmm, DROP, .target = REPLY_SLOT), OK);
    assert_int_equal(t->state, TASK_STOPPED);
    assert_status(MACHINE(TASK_RESUME, .w = {t->object.index}), E_STATE);
    destroy(t);
}

static void the_fpu_is_given_without_a_message(void **state)
{
    (void)state;
    struct task *t = make_paged();
    assert_status(SYS(world.vmm, WAIT, .target = SLOT_PARENT), BLOCKED);
    assert_true(world_fault(t, VECTOR_DEVICE_NOT_AVAILABLE, 0, 0));
    assert_ptr_equal(fake.fpu_taken, t);
    assert_ptr_equal(world.resumed, t);
    assert_int_equal(t->special & SPECIAL_EVENT, 0);
}

static void task_ones_exception_is_the_end(void **state)
{
    (void)state;
    assert_false(world_fault(world.vmm, VECTOR_PAGE_FAULT, 5, 0xabc));
    assert_int_equal(fake.power_code, 0x11);
    assert_string_equal(fake.out, "\nPANIC: task 0 (vmm): event 3, vector 14, error 0x5, "
                                  "address 0xabc, rip 0x400000, rbp 0x0\n");
}

static void task_ones_exit_is_the_end(void **state)
{
    (void)state;
    assert_status(SYS(world.vmm, EXIT, .w = {1}), POWERED_OFF);
    assert_int_equal(fake.power_code, 0x11);
    assert_non_null(strstr(fake.out, "PANIC: task 0 (vmm): event 4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(an_exception_calls_the_pager),
        KERNEL_TEST(only_a_page_fault_has_an_address),
        KERNEL_TEST(the_answer_resumes_it_as_it_was),
        KERNEL_TEST(an_answer_to_an_exception_carries_nothing),
        KERNEL_TEST(unanswered_it_stays_stopped),
        KERNEL_TEST(without_a_pager_it_stops),
        KERNEL_TEST(a_pager_must_be_a_live_portal),
        KERNEL_TEST(a_dead_pager_stops_it),
        KERNEL_TEST(a_pager_revoked_in_between_stops_it),
        KERNEL_TEST(an_exception_is_forwarded_as_one),
        KERNEL_TEST(page_faults_go_to_its_own_pager),
        KERNEL_TEST(what_its_pager_refuses_comes_to_the_vmm),
        KERNEL_TEST(a_pager_that_is_gone_loses_no_fault),
        KERNEL_TEST(its_pager_may_pass_a_fault_on_but_not_to_the_vmm),
        KERNEL_TEST(what_may_be_a_pager),
        KERNEL_TEST(the_vmm_is_shown_where_a_fault_is),
        KERNEL_TEST(a_refusal_comes_back),
        KERNEL_TEST(a_dropped_one_comes_back),
        KERNEL_TEST(that_of_one_who_died_comes_back),
        KERNEL_TEST(that_behind_a_revoked_portal_comes_back),
        KERNEL_TEST(afterwards_it_calls_as_ever),
        KERNEL_TEST(the_reply_capability_is_shown),
        KERNEL_TEST(a_waiting_pager_runs_at_once),
        KERNEL_TEST(an_exit_tells_the_pager_the_code),
        KERNEL_TEST(an_exit_has_no_answer),
        KERNEL_TEST(the_fpu_is_given_without_a_message),
        KERNEL_TEST(task_ones_exception_is_the_end),
        KERNEL_TEST(task_ones_exit_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
