// SPDX-License-Identifier: MIT
// Tasks: spawn, faults, exit, kill, wait. (endpoint.c, slots.c and fault.c are driven by messages
// here too.)
#include "servers/vmm/core/task.h"

#include <stdio.h>
#include <string.h>

#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/request.h"
#include "servers/vmm/core/slots.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA    0x400000ull
#define WAITS 1

static status_t simple(struct fake *f, struct fake_cap by, enum vmm_request request, uint64_t *w)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, 0)};
    return fake_call(f, by, words, NULL, NULL, w);
}

static struct task *task_named(struct fake *f, struct fake_cap cap)
{
    return task_of(&f->vm, portal_of(&f->vm, cap.value)->owner);
}

// An EXIT or EXCEPTION as it comes through the task's pager portal. True if it is answered.
static bool event(struct fake *f, uint32_t object, enum message_event kind, uint64_t a, uint64_t b,
                  uint64_t c, uint64_t d)
{
    return fake_event(f, object, kind, (const uint64_t[MESSAGE_WORDS]){a, b, c, d});
}

static void test_spawn_gives_capabilities(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, task;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_spawn(f, a, &f->init, &task), OK);
    const struct fake_object *o = &f->objects[task_named(f, task)->object];
    assert_true(o->runs);
    assert_true(o->root == fake_root(f, a));
    assert_int_equal(o->slots[TASK_SLOT_SELF].value, a.value);
    assert_int_equal(o->slots[TASK_SLOT_PARENT].value, f->init.value);
    assert_int_equal(o->slots[TASK_SLOT_CONSOLE].type, CAP_NONE);
    fake_drop(f, &a); // the task keeps the space, and a grant on it
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(simple(f, task, VMM_TASK_KILL, NULL), OK);
    fake_pump(f);
    assert_int_equal(simple(f, task, VMM_TASK_KILL, NULL), OK); // is dead already
    fake_drop(f, &task);
}

static void test_parent_from_a_foreign_endpoint(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, task, endpoint, portal;
    const uint64_t make[MESSAGE_WORDS] = {vmm_word0(VMM_ENDPOINT, 0)};
    const uint64_t mint[MESSAGE_WORDS] = {vmm_word0(VMM_PORTAL, 0), 0xbad9e, SLOT_FLAGS_ALL};
    assert_int_equal(fake_create(f, f->init, 60, &a), OK);
    assert_int_equal(fake_call(f, a, make, NULL, &endpoint, NULL), OK);
    assert_int_equal(fake_call(f, a, mint, &endpoint, &portal, NULL), OK);
    assert_int_equal(fake_spawn(f, a, &portal, &task), OK);
    const struct fake_object *o = &f->objects[task_named(f, task)->object];
    assert_int_equal(o->slots[TASK_SLOT_PARENT].value, portal.value);
    assert_int_equal(fake_spawn(f, a, &endpoint, &a), E_SLOT); // no portal
    fake_drop(f, &portal);
    assert_int_equal(simple(f, task, VMM_TASK_KILL, NULL), OK);
    fake_drop(f, &task);
    fake_drop(f, &endpoint);
    fake_drop(f, &a);
}

// An endpoint that nobody can receive on any more goes, and its portals with it.
static void test_endpoint_goes(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, endpoint, portals[3];
    const uint64_t make[MESSAGE_WORDS] = {vmm_word0(VMM_ENDPOINT, 0)};
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_call(f, a, make, NULL, &endpoint, NULL), OK);
    for (uint64_t i = 0; i < 3; i++) {
        const uint64_t mint[MESSAGE_WORDS] = {vmm_word0(VMM_PORTAL, 0), i, SLOT_FLAGS_ALL};
        assert_int_equal(fake_call(f, a, mint, &endpoint, &portals[i], NULL), OK);
        assert_int_equal(fake_call(f, a, mint, &a, &portals[i], NULL), E_SLOT);
        assert_int_equal(fake_call(f, a, mint, NULL, &portals[i], NULL), E_SLOT);
    }
    const uint64_t bad[MESSAGE_WORDS] = {vmm_word0(VMM_PORTAL, 0), 1, 0x10};
    struct fake_cap got;
    assert_int_equal(fake_call(f, a, bad, &endpoint, &got, NULL), E_INVAL);
    fake_drop(f, &portals[1]);
    fake_drop(f, &endpoint);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &portals[0]);
    fake_drop(f, &portals[2]);
    assert_int_equal(f->vm.state->n_free, before);
    fake_drop(f, &a);
}

static void test_exit_and_wait(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, task;
    uint64_t w[MESSAGE_WORDS];
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    uint32_t object = task_named(f, task)->object;
    assert_int_equal(simple(f, task, VMM_TASK_WAIT, NULL), WAITS);
    assert_int_equal(simple(f, task, VMM_TASK_WAIT, NULL), WAITS);
    assert_int_equal(f->n_replies, 0);
    assert_false(event(f, object, EVENT_EXIT, 42, 0, 0, 0));
    assert_int_equal(f->n_replies, 2);
    assert_int_equal(f->reply_words[0], OK);
    assert_int_equal(f->reply_words[1], EXIT_NORMAL);
    assert_int_equal(f->reply_words[2], 42);
    assert_int_equal(simple(f, task, VMM_TASK_WAIT, w), OK); // the end is remembered
    assert_int_equal(w[2], 42);
    fake_drop(f, &task);
    fake_drop(f, &a);
}

// As many waiters as there can be: each is a task, and has a claim on a slot.
static void test_many_waiters(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, task;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    unsigned n = 0;
    for (; slots_claim(&f->vm, f->vm.state->root_account) == OK; n++)
        assert_int_equal(simple(f, task, VMM_TASK_WAIT, NULL), WAITS);
    assert_true(n > 1500);
    assert_int_equal(simple(f, task, VMM_TASK_KILL, NULL), OK);
    assert_int_equal(f->n_replies, n);
    while (n--)
        slots_unclaim(&f->vm, f->vm.state->root_account);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(f->reply_words[1], EXIT_KILLED);
    fake_drop(f, &task);
    fake_drop(f, &a);
}

// The slot of a waiter that died is used again.
static void test_dead_waiters(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b, first, second;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_create(f, f->init, 0, &b), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &first), OK);
    assert_int_equal(fake_spawn(f, b, NULL, &second), OK);
    for (unsigned i = 0; i < VMM_SLOTS_MAX + 500; i++) {
        uint32_t slot = f->vm.state->reply_slot;
        assert_int_equal(simple(f, i & 1 ? first : second, VMM_TASK_WAIT, NULL), WAITS);
        if (i >= 2)
            f->slots[slot] = (struct fake_cap){CAP_NONE, 0}; // it dies
    }
    assert_int_equal(simple(f, first, VMM_TASK_KILL, NULL), OK);
    assert_int_equal(f->n_replies, 1);
    assert_int_equal(simple(f, second, VMM_TASK_KILL, NULL), OK);
    assert_int_equal(f->n_replies, 2);
    fake_drop(f, &first);
    fake_drop(f, &second);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// A task gets no higher priority than its account allows, which inherits from its payer's.
static void test_priorities(void **state)
{
    static const struct {
        uint64_t most, priority;
        status_t status;
    } cases[] = {
        {0, 30, OK}, {0, 31, E_RIGHT}, {10, 10, OK}, {10, 11, E_RIGHT}, {10, ~0ull, E_RIGHT}};
    struct fake *f = *state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint64_t create[MESSAGE_WORDS] = {vmm_word0(VMM_SPACE_CREATE, 0), 60, cases[i].most};
        const uint64_t spawn[MESSAGE_WORDS] = {vmm_word0(VMM_SPAWN, 0), VA, 0, 0,
                                               cases[i].priority};
        struct fake_cap a, s[3], task;
        assert_int_equal(fake_call(f, f->init, create, NULL, &a, NULL), OK);
        assert_int_equal(fake_create(f, a, 0, &s[0]), OK); // on the same account
        assert_int_equal(fake_create(f, a, 20, &s[1]), OK);
        assert_int_equal(fake_clone(f, a, CLONE_COW, 20, &s[2]), OK);
        for (unsigned j = 0; j < 3; j++) {
            assert_int_equal(fake_call(f, s[j], spawn, NULL, &task, NULL), cases[i].status);
            if (cases[i].status == OK) {
                assert_int_equal(simple(f, task, VMM_TASK_KILL, NULL), OK);
                fake_drop(f, &task);
            }
            fake_drop(f, &s[j]);
        }
        const uint64_t above[MESSAGE_WORDS] = {vmm_word0(VMM_SPACE_CREATE, 0), 20,
                                               (cases[i].most ? cases[i].most : 30) + 1};
        assert_int_equal(fake_call(f, a, above, NULL, &s[0], NULL), E_RIGHT);
        const uint64_t no_quota[MESSAGE_WORDS] = {vmm_word0(VMM_SPACE_CREATE, 0), 0, 5};
        assert_int_equal(fake_call(f, a, no_quota, NULL, &s[0], NULL), E_INVAL);
        fake_drop(f, &a);
    }
}

// F1: a fault that the entry allows is resolved; any other kills, with a line in the log.
static void test_faults(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, task;
    uint64_t w[MESSAGE_WORDS];
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 2, PROT_R | PROT_W, MAP_LAZY), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    uint32_t object = task_named(f, task)->object;
    assert_true(event(f, object, EVENT_EXCEPTION, 14, 6, VA + 0x123, 0x400010));
    assert_true(
        event(f, object, EVENT_EXCEPTION, 14, 7, VA + 0x123, 0x400010)); // by now it is there
    assert_true(event(f, object, EVENT_EXCEPTION, 14, 5, VA + 0x123, 0x400010));
    assert_false(event(f, object, EVENT_EXCEPTION, 14, 4, 0xdead000, 0x400020));
    char line[100];
    snprintf(line, sizeof line,
             "vmm: task %u killed: page fault, read of 0xdead000, rip 0x400020\n",
             task_named(f, task)->number);
    assert_non_null(strstr(f->log, line));
    assert_int_equal(simple(f, task, VMM_TASK_WAIT, w), OK);
    assert_int_equal(w[1], EXIT_FAULT);
    assert_int_equal(w[2], 14);
    assert_int_equal(w[3], 0xdead000);
    assert_int_equal(w[4], 0x400020);
    assert_int_equal(w[5], 4 | (uint64_t)(uint32_t)E_FAULT << 32);
    fake_drop(f, &task);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    assert_false(event(f, task_named(f, task)->object, EVENT_EXCEPTION, 13, 0x1a, 0, 0x400030));
    assert_non_null(strstr(f->log, "killed: exception 13, error 0x1a, rip 0x400030\n"));
    fake_drop(f, &task);
    // Kinds of page fault that are none of a user's page.
    const uint64_t errors[] = {0x6 | 0x8, 0x2, 0x14};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
        object = task_named(f, task)->object;
        assert_false(event(f, object, EVENT_EXCEPTION, 14, errors[i], VA, 0x400040));
        fake_drop(f, &task);
    }
    fake_drop(f, &a);
}

// Tasks of one space are threads: the last one gone, and no grant left, the space goes.
static void test_threads_keep_the_space(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, first, second;
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 10, PROT_R, 0), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &first), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &second), OK);
    fake_drop(f, &a);
    assert_int_equal(simple(f, first, VMM_TASK_KILL, NULL), OK);
    fake_drop(f, &first);
    assert_true(before - f->vm.state->n_free > 10);
    fake_drop(f, &second); // it runs on without a capability to it
    assert_true(before - f->vm.state->n_free > 10);
    unsigned object = 2;
    while (f->objects[object].kind != KERNEL_TASK || !f->objects[object].slots[1].value ||
           f->objects[object].slots[TASK_SLOT_CONSOLE].type == CAP_CONSOLE)
        object++;
    assert_false(event(f, object, EVENT_EXIT, 0, 0, 0, 0));
    assert_int_equal(f->vm.state->n_free, before);
}

// U10: a destroyed space kills its tasks and every capability to it.
static void test_destroy(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, narrow, narrower, task;
    uint64_t w[MESSAGE_WORDS];
    assert_int_equal(fake_create(f, f->init, 50, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 2, PROT_R, 0), OK);
    assert_int_equal(fake_derive(f, a, VA, 1, RIGHT_READ | RIGHT_DERIVE, &narrow), OK);
    assert_int_equal(fake_derive(f, narrow, VA, 1, RIGHT_READ, &narrower), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    assert_int_equal(simple(f, task, VMM_TASK_WAIT, NULL), WAITS);
    assert_int_equal(simple(f, a, VMM_SPACE_DESTROY, NULL), OK);
    assert_int_equal(f->n_replies, 1);
    assert_int_equal(f->reply_words[1], EXIT_KILLED);
    assert_int_equal(fake_unmap(f, a, VA, 1), E_REVOKED);
    fake_pump(f);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(simple(f, task, VMM_TASK_WAIT, w), OK);
    fake_drop(f, &task);
    fake_drop(f, &a);
    fake_drop(f, &narrower);
    fake_drop(f, &narrow);
}

// Whoever carved a quota takes it back by one request, whatever was made on it and whoever holds that;
// what draws on another account stays.
static void test_destroy_takes_the_account(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, clone, part, deep, outside, task[4];
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_create(f, f->init, 200, &a), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &clone), OK);
    assert_int_equal(fake_create(f, a, 80, &part), OK);
    assert_int_equal(fake_create(f, part, 40, &deep), OK);
    assert_int_equal(fake_create(f, f->init, 0, &outside), OK);
    const struct fake_cap homes[] = {a, clone, deep, outside};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(fake_spawn(f, homes[i], NULL, &task[i]), OK);
    assert_int_equal(simple(f, clone, VMM_SPACE_DESTROY, NULL), OK); // it has no account: alone
    assert_int_equal(fake_map(f, part, VA, 1, PROT_R, 0), OK);
    assert_int_equal(simple(f, a, VMM_SPACE_DESTROY, NULL), OK);
    assert_int_equal(fake_map(f, a, VA, 1, PROT_R, 0), E_REVOKED);
    assert_int_equal(fake_map(f, part, VA, 1, PROT_R, 0), E_REVOKED);
    assert_int_equal(fake_map(f, deep, VA, 1, PROT_R, 0), E_REVOKED);
    assert_int_equal(fake_map(f, outside, VA, 1, PROT_R, 0), OK);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t w[MESSAGE_WORDS];
        assert_int_equal(simple(f, task[i], VMM_TASK_WAIT, w), OK);
        assert_int_equal(w[1], EXIT_KILLED);
        fake_drop(f, &task[i]);
    }
    assert_int_equal(simple(f, task[3], VMM_TASK_KILL, NULL), OK);
    fake_drop(f, &task[3]);
    fake_drop(f, &a);
    fake_drop(f, &clone);
    fake_drop(f, &part);
    fake_drop(f, &deep);
    fake_drop(f, &outside);
    fake_pump(f);
    assert_int_equal(f->vm.state->n_free, before);
    assert_int_equal(fake_audit(f), 0);
}

static void test_end_of_init(void **state)
{
    struct fake *f = *state;
    unsigned object = 2;
    while (f->objects[object].kind != KERNEL_TASK)
        object++;
    assert_int_equal(f->objects[object].slots[TASK_SLOT_CONSOLE].type, CAP_CONSOLE);
    fake_drop(f, &f->init);
    fake_drop(f, &f->modules);
    fake_drop(f, &f->devices);
    uint64_t before = f->vm.state->n_free;
    assert_false(event(f, object, EVENT_EXIT, 0, 0, 0, 0));
    assert_int_equal(f->n_failures, 1);
    assert_true(f->vm.state->n_free > before + 10); // its image, its tables, the modules
    // The root account's own record, and the VMM's slots.
    assert_int_equal(f->vm.state->n_charged, 1 + (VMM_SLOTS_MAX - SLOTS_FIRST) / SLOTS_IN_FRAME);
    f->n_free = f->vm.state->n_free;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_spawn_gives_capabilities),
        FAKE_TEST(test_parent_from_a_foreign_endpoint),
        FAKE_TEST(test_endpoint_goes),
        FAKE_TEST(test_exit_and_wait),
        FAKE_TEST(test_many_waiters),
        FAKE_TEST(test_dead_waiters),
        FAKE_TEST(test_priorities),
        FAKE_TEST(test_faults),
        FAKE_TEST(test_threads_keep_the_space),
        FAKE_TEST(test_destroy),
        FAKE_TEST(test_destroy_takes_the_account),
        FAKE_TEST(test_end_of_init),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
