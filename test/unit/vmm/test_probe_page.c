// SPDX-License-Identifier: MIT
// The probe's page, and tasks that run it.
#include "servers/vmm/core/probe_page.h"

#include <string.h>

#include "arch/layout.h"
#include "servers/vmm/core/account.h"
#include "servers/vmm/core/audit.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/task.h"
#include "test/unit/fake/vmm/fake.h"
#include "test/unit/fake/vmm/walker.h"

#define VA 0x400000ull

static status_t spawn(struct fake *f, struct fake_cap a, unsigned flags, struct fake_cap *task)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SPAWN, flags), VA, 0, 0, 8};
    return fake_call(f, a, words, &f->init, task, NULL);
}

static struct task *task_named(struct fake *f, struct fake_cap cap)
{
    return task_of(&f->vm, portal_of(&f->vm, cap.value)->owner);
}

static status_t simple(struct fake *f, struct fake_cap by, enum vmm_request request, uint64_t *w)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, 0)};
    return fake_call(f, by, words, NULL, NULL, w);
}

static struct walk look(struct fake *f, struct fake_cap a, vaddr_t va, enum walk_access access)
{
    return walk_user(f->memory, fake_root(f, a), f->info.levels, va, access);
}

// The code is there in every space, at the address that the levels say, and nothing beside it.
static void test_every_space_has_it(void **state)
{
    struct fake *f = *state;
    struct fake_cap s[3] = {fake_copy(f, f->init)};
    vaddr_t va = f->info.levels == 4 ? PROBE_4LEVEL : PROBE_5LEVEL;
    assert_int_equal(probe_address(&f->vm), va);
    assert_int_equal(fake_create(f, f->init, 0, &s[1]), OK);
    assert_int_equal(fake_clone(f, s[1], CLONE_COW, 0, &s[2]), OK);
    for (unsigned i = 0; i < 3; i++) {
        struct walk w = look(f, s[i], va, WALK_FETCH);
        assert_true(w.is_allowed);
        assert_memory_equal(f->memory + w.address, probe_code, FAKE_PROBE_BYTES);
        for (unsigned j = FAKE_PROBE_BYTES; j < PAGE_SIZE; j++)
            assert_int_equal(f->memory[w.address + j], 0);
        assert_true(look(f, s[i], va, WALK_READ).is_allowed);
        assert_false(look(f, s[i], va, WALK_WRITE).is_allowed);
        assert_false(look(f, s[i], va + PAGE_SIZE, WALK_READ).is_allowed);
        assert_false(look(f, s[i], va + (1ull << 21), WALK_READ).is_allowed);
        assert_false(look(f, s[i], va + (1ull << 39), WALK_READ).is_allowed);
    }
    for (unsigned i = 0; i < 3; i++)
        fake_drop(f, &s[i]);
}

// Whatever stands in its tables beside the page, the audit finds.
static void test_audit_knows_it(void **state)
{
    struct fake *f = *state;
    for (unsigned i = 0; i < f->info.levels - 1; i++) {
        pte_t *entries = frame_at(&f->vm, (pfn_t){f->vm.state->probe.n + i});
        assert_true(probe_page_is_intact(&f->vm));
        entries[7].bits = PTE_P | PTE_U;
        assert_int_equal(audit(&f->vm), 1);
        entries[7].bits = 0;
        entries[0].bits ^= PTE_W;
        assert_int_equal(audit(&f->vm), 1);
        entries[0].bits ^= PTE_W;
    }
    pte_t *root = (pte_t *)(void *)(f->memory + fake_root(f, f->init));
    root[ROOT_ENTRY_PROBE].bits ^= PTE_W;
    assert_int_equal(audit(&f->vm), 1);
    root[ROOT_ENTRY_PROBE].bits ^= PTE_W;
}

// It runs at the probe's address with its parent's portal and no capability to the space.
static void test_spawn_of_a_probe(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, probe, task, other;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(spawn(f, a, 0x4, &probe), E_INVAL);
    assert_int_equal(spawn(f, a, SPAWN_PROBE, &probe), OK);
    const struct fake_object *o = &f->objects[task_named(f, probe)->object];
    assert_true(o->runs);
    assert_int_equal(o->rip, probe_address(&f->vm));
    assert_int_equal(o->slots[TASK_SLOT_SELF].type, CAP_NONE);
    assert_int_equal(o->slots[TASK_SLOT_PARENT].value, f->init.value);
    // One at a time; ordinary tasks are not meant.
    assert_int_equal(spawn(f, a, SPAWN_PROBE, &other), E_BUSY);
    assert_int_equal(spawn(f, a, 0, &task), OK);
    assert_int_equal(simple(f, probe, VMM_TASK_KILL, NULL), OK);
    assert_int_equal(spawn(f, a, SPAWN_PROBE, &other), OK);
    assert_int_equal(simple(f, other, VMM_TASK_KILL, NULL), OK);
    assert_int_equal(simple(f, task, VMM_TASK_KILL, NULL), OK);
    fake_drop(f, &other);
    fake_drop(f, &probe);
    fake_drop(f, &task);
    fake_drop(f, &a);
}

// A space whose account is full can be probed, and nothing of it shows there.
static void test_nobody_pays(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, probe;
    uint64_t before[MESSAGE_WORDS], w[MESSAGE_WORDS];
    assert_int_equal(fake_create(f, f->init, 12, &a), OK);
    status_t status = OK;
    for (unsigned i = 0; status == OK; i++)
        status = fake_map(f, a, VA + i * 0x1000, 1, PROT_R | PROT_W, 0);
    assert_int_equal(status, E_QUOTA);
    assert_int_equal(simple(f, a, VMM_STATS, before), OK);
    assert_int_equal(before[3], 12);
    assert_int_equal(spawn(f, a, SPAWN_PROBE, &probe), OK);
    assert_int_equal(simple(f, a, VMM_STATS, w), OK);
    assert_memory_equal(w, before, 5 * sizeof *w);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(simple(f, probe, VMM_TASK_KILL, NULL), OK);
    fake_drop(f, &probe);
    fake_drop(f, &a);
}

// It dies of any fault without a line in the log, and says why.
static void test_faults_of_a_probe(void **state)
{
    struct fake *f = *state;
    static const struct {
        uint64_t va, error;
        status_t reason;
    } faults[] = {{VA + 0x5000, 4, E_FAULT},
                  {VA, 6, E_QUOTA},
                  {0, 0x14, E_FAULT},
                  {0xffffff0000000000, 7, E_FAULT}};
    struct fake_cap a;
    uint64_t w[MESSAGE_WORDS];
    assert_int_equal(fake_create(f, f->init, 5 + f->info.levels, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 4, PROT_R | PROT_W, MAP_LAZY), OK);
    f->log[0] = 0;
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct fake_cap probe;
        assert_int_equal(spawn(f, a, SPAWN_PROBE, &probe), OK);
        uint32_t object = task_named(f, probe)->object;
        uint64_t e = faults[i].error;
        bool goes_on;
        unsigned n = 0;
        do {
            goes_on =
                fake_event(f, object, EVENT_EXCEPTION,
                           (const uint64_t[MESSAGE_WORDS]){14, e, faults[i].va + n * 0x1000, 0x10});
            n += goes_on;
        } while (goes_on && n < 4);
        assert_false(goes_on);
        assert_int_equal(simple(f, probe, VMM_TASK_WAIT, w), OK);
        assert_int_equal(w[1], EXIT_FAULT);
        assert_int_equal(w[2], 14);
        assert_int_equal(w[3], faults[i].va + n * 0x1000);
        assert_int_equal(w[5], e | (uint64_t)(uint32_t)faults[i].reason << 32);
        fake_drop(f, &probe);
    }
    assert_string_equal(f->log, "");
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_every_space_has_it), FAKE_TEST(test_audit_knows_it),
        FAKE_TEST(test_spawn_of_a_probe),   FAKE_TEST(test_nobody_pays),
        FAKE_TEST(test_faults_of_a_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
