// SPDX-License-Identifier: MIT
// R9: a capability to what is gone never reaches what came later, however many come and whichever
// records, portals, tables and window indices they get that were the old one's.
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/task.h"
#include "test/unit/fake/vmm/fake.h"

#define VA        0x400000ull
#define RW        (PROT_R | PROT_W)
#define NEWCOMERS 120u // more than a frame of records, or of portals, has room for

static status_t simple(struct fake *f, struct fake_cap by, enum vmm_request request, uint64_t *w)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, 0)};
    return fake_call(f, by, words, NULL, NULL, w);
}

static struct fake_cap new_space(struct fake *f)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    return a;
}

static void assert_dead(struct fake *f, struct fake_cap old)
{
    uint64_t w[MESSAGE_WORDS];
    struct fake_cap got;
    assert_int_equal(fake_map(f, old, VA, 1, RW, 0), E_REVOKED);
    assert_int_equal(fake_query(f, old, VA, w), E_REVOKED);
    assert_int_equal(fake_create(f, old, 0, &got), E_REVOKED);
    assert_int_equal(simple(f, old, VMM_SPACE_DESTROY, w), E_REVOKED);
}

// A record, a root and a portal each, of the first space and of all that follow it.
static void test_a_destroyed_space(void **state)
{
    struct fake *f = *state;
    static struct fake_cap newcomers[NEWCOMERS];
    struct fake_cap old = new_space(f);
    record_t record = fake_space(f, old);
    bool is_reused = false;
    uint8_t byte;
    assert_int_equal(simple(f, old, VMM_SPACE_DESTROY, NULL), OK);
    for (unsigned i = 0; i < NEWCOMERS; i++) {
        newcomers[i] = new_space(f);
        is_reused |= fake_space(f, newcomers[i]) == record;
        assert_int_not_equal(newcomers[i].value, old.value);
        assert_int_equal(fake_map(f, newcomers[i], VA, 1, RW, 0), OK);
        assert_int_equal(fake_write(f, newcomers[i], VA, (uint8_t)i), OK);
        assert_dead(f, old);
    }
    assert_true(is_reused); // or this shows nothing
    for (unsigned i = 0; i < NEWCOMERS; i++) {
        assert_int_equal(fake_read(f, newcomers[i], VA, &byte), OK);
        assert_int_equal(byte, i);
        fake_drop(f, &newcomers[i]);
    }
    fake_drop(f, &old);
}

// When the last slot with the dead one is empty, and not before, its number is another's.
static void test_a_number_lives_again(void **state)
{
    struct fake *f = *state;
    for (unsigned i = 0; i < NEWCOMERS; i++) {
        struct fake_cap old = new_space(f), copy = fake_copy(f, old), new;
        uint32_t number = old.value;
        assert_int_equal(simple(f, old, VMM_SPACE_DESTROY, NULL), OK);
        fake_drop(f, &old);
        new = new_space(f);
        assert_int_not_equal(new.value, number);
        assert_dead(f, copy);
        fake_drop(f, &new);
        fake_drop(f, &copy);
        new = new_space(f);
        assert_int_equal(fake_map(f, new, VA, 1, RW, 0), OK);
        fake_drop(f, &new);
    }
}

// The capability to a task that has ended tells of that end, and kills nobody else.
static void test_an_ended_task(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), old, new;
    uint64_t w[MESSAGE_WORDS];
    assert_int_equal(fake_spawn(f, a, NULL, &old), OK);
    uint32_t object = task_of(&f->vm, portal_of(&f->vm, old.value)->owner)->object;
    bool is_reused = false;
    assert_false(fake_event(f, object, EVENT_EXIT, (const uint64_t[MESSAGE_WORDS]){4711}));
    for (unsigned i = 0; i < NEWCOMERS; i++) {
        assert_int_equal(fake_spawn(f, a, NULL, &new), OK);
        const struct task *task = task_of(&f->vm, portal_of(&f->vm, new.value)->owner);
        is_reused |= task->object == object;
        assert_int_equal(simple(f, old, VMM_TASK_KILL, w), OK); // is dead already
        assert_true(task->is_running && f->objects[task->object].runs);
        assert_int_equal(simple(f, old, VMM_TASK_WAIT, w), OK);
        assert_int_equal(w[1], EXIT_NORMAL);
        assert_int_equal(w[2], 4711);
        assert_int_equal(simple(f, new, VMM_TASK_KILL, NULL), OK);
        fake_drop(f, &new);
    }
    assert_true(is_reused);
    fake_drop(f, &old);
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_a_destroyed_space),
        FAKE_TEST(test_a_number_lives_again),
        FAKE_TEST(test_an_ended_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
