// SPDX-License-Identifier: MIT
// Frames of capability slots: of tasks, by request, and the VMM's own.
#include "servers/vmm/core/slots.h"

#include "servers/vmm/core/account.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/task.h"
#include "test/unit/fake/vmm/fake.h"

static status_t simple(struct fake *f, struct fake_cap by, enum vmm_request request, uint64_t *w)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, 0)};
    return fake_call(f, by, words, NULL, NULL, w);
}

// 8 frames of them at most, on the account of the task's space; they go with the task.
static void test_slots_of_a_task(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, task;
    uint64_t before[MESSAGE_WORDS], w[MESSAGE_WORDS];
    assert_int_equal(fake_create(f, f->init, 40, &a), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    assert_int_equal(simple(f, a, VMM_STATS, before), OK);
    for (unsigned i = 1; i <= 8; i++) {
        assert_int_equal(simple(f, task, VMM_TASK_SLOTS, NULL), OK);
        assert_int_equal(simple(f, a, VMM_STATS, w), OK);
        assert_int_equal(w[3], before[3] + i);
        assert_int_equal(fake_audit(f), 0);
    }
    assert_int_equal(simple(f, task, VMM_TASK_SLOTS, NULL), E_LIMIT);
    assert_int_equal(simple(f, a, VMM_TASK_SLOTS, NULL), E_RIGHT); // no task
    assert_int_equal(simple(f, task, VMM_TASK_KILL, NULL), OK);
    assert_int_equal(simple(f, task, VMM_TASK_SLOTS, NULL), E_STATE);
    assert_int_equal(simple(f, a, VMM_STATS, w), OK);
    assert_int_equal(w[3], before[3] - 1); // and its own frame
    fake_drop(f, &task);
    fake_drop(f, &a);
}

static void test_slots_without_memory_or_quota(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, task;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    fake_starve(f, 0);
    assert_int_equal(simple(f, task, VMM_TASK_SLOTS, NULL), E_NOMEM);
    assert_int_equal(fake_audit(f), 0);
    fake_feed(f);
    f->fail_call = 1;
    uint64_t n_free = f->vm.state->n_free;
    assert_int_equal(simple(f, task, VMM_TASK_SLOTS, NULL), E_LIMIT);
    assert_int_equal(f->vm.state->n_free, n_free);
    assert_int_equal(simple(f, task, VMM_TASK_SLOTS, NULL), OK);
    assert_int_equal(simple(f, task, VMM_TASK_KILL, NULL), OK);
    fake_drop(f, &task);
    fake_drop(f, &a);
    assert_int_equal(fake_create(f, f->init, 20, &a), OK);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    for (unsigned i = 0; i < 20; i++) {
        status_t status = fake_map(f, a, 0x400000 + i * 0x1000, 1, PROT_R, 0);
        assert_true(status == OK || status == E_QUOTA);
    }
    assert_int_equal(simple(f, task, VMM_TASK_SLOTS, NULL), E_QUOTA);
    assert_int_equal(simple(f, task, VMM_TASK_KILL, NULL), OK);
    fake_drop(f, &task);
    fake_drop(f, &a);
}

// The VMM's own: each once, without another frame, and an end.
static void test_own_slots(void **state)
{
    struct fake *f = *state;
    static uint8_t seen[VMM_SLOTS_MAX];
    static uint16_t slots[VMM_SLOTS_MAX];
    const record_t root = f->vm.state->root_account;
    unsigned n = 0;
    __builtin_memset(seen, 0, sizeof seen);
    uint64_t n_free = f->vm.state->n_free;
    while (slots_claim(&f->vm, root) == OK)
        slots[n++] = slot_take(&f->vm);
    assert_int_equal(slots_claim(&f->vm, root), E_LIMIT);
    assert_true(n > VMM_SLOTS_MAX - SLOTS_IN_FRAME - SLOTS_FIRST);
    for (unsigned i = 0; i < n; i++) {
        assert_true(slots[i] >= VMM_SLOT_FREE && slots[i] < VMM_SLOTS_MAX);
        assert_true(slots[i] != f->vm.state->reply_slot);
        assert_int_equal(seen[slots[i]]++, 0);
    }
    for (unsigned i = 0; i < n; i++) {
        slot_free(&f->vm, slots[i]);
        slots_unclaim(&f->vm, root);
    }
    assert_int_equal(slots_claim(&f->vm, root), OK);
    slots_unclaim(&f->vm, root);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(f->vm.state->n_free, n_free);
}

// All that a space can start.
static unsigned spawn_all(struct fake *f, struct fake_cap by, struct fake_cap *tasks)
{
    unsigned n = 0;
    status_t status;
    while ((status = fake_spawn(f, by, NULL, &tasks[n])) == OK)
        n++;
    assert_int_equal(status, E_LIMIT);
    return n;
}

// Who starts as many tasks as it can, in an account of its own and in some carved from that, leaves half
// of the slots to others; the next one half of those; and the machine has the last ones.
static void test_slots_are_shared(void **state)
{
    struct fake *f = *state;
    static struct fake_cap tasks[VMM_SLOTS_MAX];
    struct fake_cap hog, below, other;
    assert_int_equal(fake_create(f, f->init, 2200, &hog), OK);
    assert_int_equal(fake_create(f, hog, 400, &below), OK);
    assert_int_equal(fake_create(f, f->init, 1000, &other), OK);
    unsigned left = f->vm.state->left_slots, n = 0, half = (left + 1) / 2;
    for (; n < 100; n++)
        assert_int_equal(fake_spawn(f, below, NULL, &tasks[n]), OK);
    n += spawn_all(f, hog, &tasks[n]);
    assert_int_equal(n, half);
    assert_int_equal(fake_spawn(f, below, NULL, &tasks[n]), E_LIMIT);
    unsigned n_other = spawn_all(f, other, &tasks[n]);
    assert_int_equal(n_other, (left - half + 1) / 2);
    assert_int_equal(fake_spawn(f, f->init, NULL, &tasks[n + n_other]), OK);
    n += n_other + 1;
    assert_int_equal(f->vm.state->left_slots, left - n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(simple(f, tasks[i], VMM_TASK_KILL, NULL), OK);
        fake_drop(f, &tasks[i]);
    }
    assert_int_equal(f->vm.state->left_slots, left);
    fake_drop(f, &hog);
    fake_drop(f, &below);
    fake_drop(f, &other);
}

// Probes are paid by the machine, but not with its slots.
static void test_probes_take_slots(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, probe;
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SPAWN, SPAWN_PROBE)};
    assert_int_equal(fake_create(f, f->init, 64, &a), OK);
    record_t account = portal_of(&f->vm, a.value)->owner;
    account = space_of(&f->vm, account)->account;
    assert_int_equal(fake_call(f, a, words, NULL, &probe, NULL), OK);
    assert_int_equal(account_of(&f->vm, account)->n_slots, 1);
    assert_int_equal(simple(f, probe, VMM_TASK_KILL, NULL), OK);
    assert_int_equal(account_of(&f->vm, account)->n_slots, 0);
    fake_drop(f, &probe);
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_slots_of_a_task),   FAKE_TEST(test_slots_without_memory_or_quota),
        FAKE_TEST(test_own_slots),         FAKE_TEST(test_slots_are_shared),
        FAKE_TEST(test_probes_take_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
