// SPDX-License-Identifier: MIT
// Page faults: what they get, and tasks whose fault waits for memory or quota.
#include "servers/vmm/core/fault.h"

#include <stdio.h>
#include <string.h>

#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/task.h"
#include "test/unit/fake/vmm/fake.h"

#define VA 0x400000ull
#define RW (PROT_R | PROT_W)

static struct task *task_named(struct fake *f, struct fake_cap cap)
{
    return task_of(&f->vm, portal_of(&f->vm, cap.value)->owner);
}

static status_t simple(struct fake *f, struct fake_cap by, enum vmm_request request, uint64_t *w)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, 0)};
    return fake_call(f, by, words, NULL, NULL, w);
}

static void kill(struct fake *f, struct fake_cap *task)
{
    assert_int_equal(simple(f, *task, VMM_TASK_KILL, NULL), OK);
    fake_drop(f, task);
}

// A write fault of a task. True if it goes on at once.
static bool write_fault(struct fake *f, struct fake_cap task, vaddr_t va)
{
    return fake_event(f, task_named(f, task)->object, EVENT_EXCEPTION,
                      (const uint64_t[MESSAGE_WORDS]){14, 6, va, 0x1234});
}

static bool is_starved(struct fake *f, struct fake_cap task)
{
    return task_named(f, task)->is_starved;
}

static void test_resolve(void **state)
{
    struct fake *f = *state;
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    record_t space = fake_space(f, a), pager;
    assert_int_equal(fake_map(f, a, VA, 2, PROT_R, MAP_LAZY), OK);
    assert_int_equal(fake_map(f, a, VA + 0x4000, 1, 0, MAP_LAZY), OK);
    assert_int_equal(fault_resolve(&f->vm, space, VA, PROT_W, &pager), E_FAULT);
    assert_int_equal(fault_resolve(&f->vm, space, VA, PROT_X, &pager), E_FAULT);
    assert_int_equal(fault_resolve(&f->vm, space, VA + 0x4000, PROT_R, &pager), E_FAULT); // a guard
    assert_int_equal(fault_resolve(&f->vm, space, VA + 0x2000, PROT_R, &pager), E_FAULT);
    assert_int_equal(fault_resolve(&f->vm, space, ~0ull, PROT_R, &pager), E_FAULT);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fault_resolve(&f->vm, space, VA, PROT_R, &pager), OK);
    assert_int_equal(before - f->vm.state->n_free, 1);
    assert_int_equal(fault_resolve(&f->vm, space, VA + 0xfff, PROT_R, &pager), OK); // there already
    assert_int_equal(before - f->vm.state->n_free, 1);
    fake_drop(f, &a);
}

// A lazy range of large pages: a large one if there is room, else a small one, whatever is short.
static void test_large_pages(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, 0x40000000, 1024, RW, MAP_LAZY | MAP_2M), OK);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_write(f, a, 0x40012345, 1), OK);
    assert_int_equal(before - f->vm.state->n_free, 512);
    fake_starve(f, 40);
    assert_int_equal(fake_write(f, a, 0x40212345, 1), OK);
    assert_int_equal(40 - f->vm.state->n_free, 2); // a table and a page
    fake_feed(f);
    fake_drop(f, &a);
    assert_int_equal(fake_create(f, f->init, 40, &b), OK);
    assert_int_equal(fake_map(f, b, 0x40000000, 512, RW, MAP_LAZY | MAP_2M), OK);
    before = f->vm.state->n_free;
    assert_int_equal(fake_write(f, b, 0x40012345, 1), OK);
    assert_int_equal(before - f->vm.state->n_free, 2);
    fake_drop(f, &b);
}

// Tasks of two spaces wait for memory, and go on in the order in which they came.
static void test_waits_for_memory(void **state)
{
    struct fake *f = *state;
    struct fake_cap a[2], task[3];
    char line[120];
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fake_create(f, f->init, 0, &a[i]), OK);
        assert_int_equal(fake_map(f, a[i], VA, 8, RW, MAP_LAZY), OK);
        assert_int_equal(fake_write(f, a[i], VA + 0x7000, 1), OK); // its tables are there
    }
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(fake_spawn(f, a[i & 1], NULL, &task[i]), OK);
    fake_starve(f, 0);
    uint64_t sum = fake_sum(f);
    for (unsigned i = 0; i < 3; i++)
        assert_false(write_fault(f, task[i], VA + i * 0x1000 + 5));
    assert_true(fake_sum(f) == sum);
    snprintf(line, sizeof line,
             "vmm: task %u waits: page fault, write of 0x401005, rip 0x1234 (E_NOMEM)\n",
             task_named(f, task[1])->number);
    assert_non_null(strstr(f->log, line));
    assert_int_equal(f->n_replies, 0);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(simple(f, f->init, VMM_STATS, NULL), OK); // nothing was given back
    assert_true(is_starved(f, task[0]));
    assert_int_equal(fake_unmap(f, a[1], VA + 0x7000, 1), OK); // a page for the first
    assert_int_equal(f->n_replies, 1);
    assert_int_equal(f->replied_to, task_named(f, task[0])->object);
    assert_true(is_starved(f, task[1]));
    assert_int_equal(fake_unmap(f, a[0], VA + 0x7000, 1), OK);
    assert_int_equal(f->n_replies, 2);
    assert_int_equal(f->replied_to, task_named(f, task[1])->object);
    fake_feed(f);
    assert_int_equal(f->n_replies, 3);
    assert_int_equal(f->replied_to, task_named(f, task[2])->object);
    for (unsigned i = 0; i < 3; i++)
        assert_false(is_starved(f, task[i]));
    for (unsigned i = 0; i < 3; i++)
        kill(f, &task[i]);
    fake_drop(f, &a[0]);
    fake_drop(f, &a[1]);
}

// What the fault changed is flushed before the task goes on.
static void check_flush_before_it_goes_on(struct fake *f, unsigned pages)
{
    struct fake_cap a, b, task;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, VA, pages, RW, 0), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    assert_int_equal(fake_map(f, f->init, VA + 0x100000, 20, RW, 0), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    fake_starve(f, 0);
    assert_false(write_fault(f, task, VA));
    unsigned flushes = f->n_flushes, replies = f->n_replies;
    assert_int_equal(fake_unmap(f, f->init, VA + 0x100000, 20), OK);
    assert_int_equal(f->n_replies, replies + 1);
    assert_int_equal(f->n_flushes, flushes + 2); // of init's, then of this
    assert_int_equal(f->reply_flushes, flushes + 2);
    assert_true(f->last_flush.root == fake_root(f, a));
    fake_feed(f);
    kill(f, &task);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// A small page, and a part of a large one.
static void test_flush_before_it_goes_on(void **state)
{
    check_flush_before_it_goes_on(*state, 1);
    check_flush_before_it_goes_on(*state, 512);
}

// Quota that comes back feeds them too: of their own account, or of an account that dies.
static void test_waits_for_quota(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b, task;
    assert_int_equal(fake_create(f, f->init, 30, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 30, RW, MAP_LAZY), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    assert_int_equal(fake_create(f, a, 8, &b), OK);
    unsigned n = 0;
    while (write_fault(f, task, VA + n * 0x1000))
        n++;
    assert_true(is_starved(f, task));
    assert_non_null(strstr(f->log, "(E_QUOTA)\n"));
    assert_int_equal(fake_map(f, f->init, VA + 0x100000, 1, RW, 0), OK);
    assert_int_equal(fake_unmap(f, f->init, VA + 0x100000, 1), OK); // of no use to it
    assert_true(is_starved(f, task));
    assert_int_equal(fake_unmap(f, a, VA, 1), OK);
    assert_false(is_starved(f, task));
    assert_int_equal(f->n_replies, 1);
    assert_false(write_fault(f, task, VA + (n + 1) * 0x1000));
    assert_true(is_starved(f, task));
    fake_drop(f, &b); // its quota returns to `a`
    assert_false(is_starved(f, task));
    assert_int_equal(f->n_replies, 2);
    kill(f, &task);
    fake_drop(f, &a);
}

// A page that is taken away meanwhile: the task goes on, and its next fault tells.
static void test_waits_for_nothing(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, task;
    uint64_t w[MESSAGE_WORDS];
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 8, RW, MAP_LAZY), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    fake_starve(f, 0);
    assert_false(write_fault(f, task, VA));
    assert_int_equal(fake_unmap(f, a, VA, 8), OK);
    assert_int_equal(f->n_replies, 1);
    fake_feed(f);
    assert_false(write_fault(f, task, VA));
    assert_int_equal(simple(f, task, VMM_TASK_WAIT, w), OK);
    assert_int_equal(w[1], EXIT_FAULT);
    assert_int_equal((status_t)(w[5] >> 32), E_FAULT);
    fake_drop(f, &task);
    fake_drop(f, &a);
}

// Killed while it waits, first, last or between; alone or with its space.
static void test_killed_while_it_waits(void **state)
{
    struct fake *f = *state;
    for (unsigned victim = 0; victim < 4; victim++) {
        struct fake_cap a, task[3];
        unsigned replies = f->n_replies;
        assert_int_equal(fake_create(f, f->init, 0, &a), OK);
        assert_int_equal(fake_map(f, a, VA, 8, RW, MAP_LAZY), OK);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(fake_spawn(f, a, NULL, &task[i]), OK);
        fake_starve(f, 0);
        for (unsigned i = 0; i < 3; i++)
            assert_false(write_fault(f, task[i], VA));
        if (victim == 3) {
            assert_int_equal(simple(f, a, VMM_SPACE_DESTROY, NULL), OK);
            assert_int_equal(f->n_replies, replies);
        } else {
            kill(f, &task[victim]); // what it held feeds the others
            assert_int_equal(f->n_replies, replies + 2);
        }
        assert_int_equal(f->vm.state->starved, 0);
        fake_pump(f);
        fake_feed(f);
        assert_int_equal(fake_audit(f), 0);
        for (unsigned i = 0; i < 3; i++)
            if (i != victim)
                kill(f, &task[i]);
        fake_drop(f, &a);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// A fragile task is told by its end.
static void test_fragile(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, task;
    uint64_t w[MESSAGE_WORDS];
    const uint64_t spawn[MESSAGE_WORDS] = {vmm_word0(VMM_SPAWN, SPAWN_FRAGILE), VA, 0, 0, 8};
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 8, RW, MAP_LAZY), OK);
    assert_int_equal(fake_call(f, a, spawn, NULL, &task, NULL), OK);
    fake_starve(f, 0);
    assert_false(write_fault(f, task, VA));
    fake_feed(f);
    assert_non_null(strstr(f->log, "killed: page fault, write of 0x400000, rip 0x1234 (E_NOMEM)"));
    assert_int_equal(simple(f, task, VMM_TASK_WAIT, w), OK);
    assert_int_equal(w[1], EXIT_FAULT);
    assert_int_equal(w[5], 6 | (uint64_t)(uint32_t)E_NOMEM << 32);
    fake_drop(f, &task);
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_resolve),
        FAKE_TEST(test_large_pages),
        FAKE_TEST(test_waits_for_memory),
        FAKE_TEST(test_waits_for_quota),
        FAKE_TEST(test_flush_before_it_goes_on),
        FAKE_TEST(test_waits_for_nothing),
        FAKE_TEST(test_killed_while_it_waits),
        FAKE_TEST(test_fragile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
