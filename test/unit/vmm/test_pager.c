// SPDX-License-Identifier: MIT
// External pagers: SET_PAGER, the faults of what is paged, SUPPLY.
#include "servers/vmm/core/pager.h"

#include <string.h>

#include "servers/vmm/core/account.h"
#include "servers/vmm/core/compare.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/task.h"
#include "test/unit/fake/vmm/fake.h"

#define VA    0x400000ull
#define LAND  0x40000000ull // paged
#define PAGES 1024ull
#define RW    (PROT_R | PROT_W)
#define READ  0x4u // error codes of page faults by user code
#define WRITE 0x6u

// A pager with pages of its own in `land`, and a client with a window that it serves.
struct scene {
    struct fake_cap land, endpoint, portal;
    struct fake_cap client, task;
};

static status_t set_pager(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages,
                          unsigned prot, unsigned flags, const struct fake_cap *portal)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SET_PAGER, flags), va, pages, prot};
    return fake_call(f, by, words, portal, NULL, NULL);
}

static status_t supply(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages, vaddr_t va2,
                       unsigned prot, unsigned flags)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SUPPLY, flags), va, pages, va2, prot};
    return fake_call(f, by, words, &f->forwarded, NULL, NULL);
}

// Of all spaces: each has a claim on one of the VMM's slots, as each task.
static unsigned n_pagers(struct fake *f)
{
    unsigned n = account_of(&f->vm, f->vm.state->root_account)->n_slots;
    for (unsigned i = VMM_OBJECT_TASK + 1; i < FAKE_OBJECTS; i++)
        n -= f->objects[i].kind == KERNEL_TASK;
    return n;
}

static struct fake_cap new_portal(struct fake *f, const struct scene *s)
{
    struct fake_cap portal;
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_PORTAL, 0), 0x77, SLOT_FLAGS_ALL};
    assert_int_equal(fake_call(f, s->land, words, &s->endpoint, &portal, NULL), OK);
    return portal;
}

static struct scene make_scene(struct fake *f)
{
    struct scene s;
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_ENDPOINT, 0)};
    assert_int_equal(fake_create(f, f->init, 0, &s.land), OK);
    assert_int_equal(fake_create(f, f->init, 0, &s.client), OK);
    assert_int_equal(fake_call(f, s.land, words, NULL, &s.endpoint, NULL), OK);
    s.portal = new_portal(f, &s);
    assert_int_equal(fake_map(f, s.land, VA, 8, RW, 0), OK);
    for (uint8_t i = 0; i < 8; i++)
        assert_int_equal(fake_write(f, s.land, VA + i * PAGE_SIZE, i), OK);
    assert_int_equal(set_pager(f, s.client, LAND, PAGES, RW, 0, &s.portal), OK);
    assert_int_equal(fake_spawn(f, s.client, NULL, &s.task), OK);
    return s;
}

static void end_task(struct fake *f, struct fake_cap *task)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_TASK_KILL, 0)};
    assert_int_equal(fake_call(f, *task, words, NULL, NULL, NULL), OK);
    fake_drop(f, task);
}

static void drop_scene(struct fake *f, struct scene *s)
{
    end_task(f, &s->task);
    fake_drop(f, &s->client);
    fake_drop(f, &s->portal);
    fake_drop(f, &s->endpoint);
    fake_drop(f, &s->land);
}

static const struct task *task_named(struct fake *f, struct fake_cap cap)
{
    return task_of(&f->vm, portal_of(&f->vm, cap.value)->owner);
}

// A fault of the task, and again when its pager did not serve it. True if it goes on at once.
static bool fault(struct fake *f, struct fake_cap task, vaddr_t va, uint64_t error, status_t why)
{
    const uint64_t words[MESSAGE_WORDS] = {14, error, va, 0x1234, 0, (uint64_t)(int64_t)why};
    return fake_event(f, task_named(f, task)->object, EVENT_EXCEPTION, words);
}

// A fault that the pager gets.
static void paged_fault(struct fake *f, const struct scene *s, struct fake_cap task, vaddr_t va)
{
    unsigned n = f->n_forwards;
    assert_false(fault(f, task, va, WRITE, OK));
    assert_int_equal(f->n_forwards, n + 1);
    assert_int_equal(f->forwarded_to, s->portal.value);
    assert_int_equal(f->forwarded.value, task_named(f, task)->object);
    assert_true(task_named(f, task)->is_running);
}

static void expect_ended(struct fake *f, struct fake_cap task, status_t reason)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_TASK_WAIT, 0)};
    uint64_t answer[MESSAGE_WORDS];
    fake_pump(f);
    assert_int_equal(fake_call(f, task, words, NULL, NULL, answer), OK);
    assert_int_equal(answer[1], EXIT_FAULT);
    assert_int_equal((status_t)(answer[5] >> 32), reason);
}

static unsigned attributes(struct fake *f, struct fake_cap a, vaddr_t va)
{
    uint64_t answer[MESSAGE_WORDS];
    assert_int_equal(fake_query(f, a, va, answer), OK);
    return (unsigned)answer[3];
}

static void expect(struct fake *f, struct fake_cap a, vaddr_t va, uint8_t wanted)
{
    uint8_t byte;
    assert_int_equal(fake_read(f, a, va, &byte), OK);
    assert_int_equal(byte, wanted);
}

// A large range is few entries; parts of it are protected and unmapped as if it was lazy.
static void test_paged_ranges(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    const uint64_t tib = 1ull << 28;
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(set_pager(f, s.client, 1ull << 40, tib, RW, 0, &s.portal), OK);
    assert_true(before - f->vm.state->n_free <= 2);
    assert_int_equal(attributes(f, s.client, (1ull << 40) + 0x12345000), RW | PAGE_PAGED);
    assert_int_equal(fake_protect(f, s.client, (1ull << 40) + 0x3000, 2, PROT_R), OK);
    assert_int_equal(fake_unmap(f, s.client, (1ull << 40) + 0x9000, 1), OK);
    assert_int_equal(attributes(f, s.client, (1ull << 40) + 0x4000), PROT_R | PAGE_PAGED);
    assert_int_equal(attributes(f, s.client, (1ull << 40) + 0x9000), 0);
    assert_int_equal(attributes(f, s.client, (1ull << 40) + 0xa000), RW | PAGE_PAGED);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_protect(f, s.client, (1ull << 40) + 0x3000, 2, RW), OK);
    assert_int_equal(set_pager(f, s.client, (1ull << 40) + 0x9000, 1, RW, 0, &s.portal), OK);
    assert_true(before - f->vm.state->n_free <= 2); // merged again
    assert_int_equal(fake_map(f, s.client, 1ull << 40, 1, RW, 0), E_EXISTS);
    assert_int_equal(fake_unmap(f, s.client, 1ull << 40, tib), OK);
    assert_int_equal(f->vm.state->n_free, before);
    drop_scene(f, &s);
}

// F3: the fault goes to the pager; the task waits for it alone, and finds the page that was supplied.
static void test_supply(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    paged_fault(f, &s, s.task, LAND + 0x5008);
    assert_int_equal(supply(f, s.land, VA + 0x1000, 1, LAND + 0x5000, RW, 0), OK);
    expect(f, s.client, LAND + 0x5000, 1);
    assert_int_equal(fake_write(f, s.client, LAND + 0x5000, 9), OK);
    expect(f, s.land, VA + 0x1000, 9);                       // coherent
    assert_true(fault(f, s.task, LAND + 0x5008, WRITE, OK)); // it is there: the task goes on
    paged_fault(f, &s, s.task, LAND + 0x6000);
    assert_int_equal(supply(f, s.land, VA + 0x2000, 3, LAND + 0x6000, RW, SUPPLY_MOVE), OK);
    expect(f, s.client, LAND + 0x8000, 4);
    assert_int_equal(attributes(f, s.land, VA + 0x2000), 0);
    assert_int_equal(attributes(f, s.client, LAND + 0x4000), RW | PAGE_PAGED);
    assert_int_equal(attributes(f, s.client, LAND + 0x9000), RW | PAGE_PAGED);
    assert_int_equal(fake_audit(f), 0);
    // A read-only share is one for good, in the client too.
    paged_fault(f, &s, s.task, LAND + 0xf000);
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0xf000, PROT_R, 0), OK);
    assert_int_equal(fake_protect(f, s.client, LAND + 0xf000, 1, RW), E_RIGHT);
    drop_scene(f, &s);
}

// What is refused has changed nothing, and the pager can try again.
static void test_supply_is_refused(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    struct fake_cap narrow, other = new_portal(f, &s);
    const unsigned most = RIGHT_READ | RIGHT_SHARE;
    assert_int_equal(fake_derive(f, s.land, VA, 2, most, &narrow), OK);
    assert_int_equal(fake_protect(f, s.client, LAND + 0x8000, 8, PROT_R), OK);
    assert_int_equal(set_pager(f, s.client, LAND + 0x6000, 1, RW, MAP_REPLACE, &other), OK);
    assert_int_equal(fake_unmap(f, s.client, LAND + 0x2000, 1), OK);
    paged_fault(f, &s, s.task, LAND + 0x5008);
    uint64_t sum = fake_sum(f);
    assert_int_equal(supply(f, narrow, VA, 1, LAND + 0x5000, RW, 0), E_RIGHT);
    assert_int_equal(supply(f, narrow, VA, 1, LAND + 0x5000, PROT_R, SUPPLY_MOVE), E_RIGHT);
    assert_int_equal(supply(f, narrow, VA + 0x2000, 1, LAND + 0x5000, PROT_R, 0), E_RIGHT);
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x4000, RW, 0), E_RIGHT); // not there
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x6000, RW, 0), E_RIGHT);
    assert_int_equal(supply(f, s.land, VA, 2, LAND + 0x5000, RW, 0), E_EXISTS);         // another's
    assert_int_equal(supply(f, s.land, VA, 4, LAND + 0x2000, RW, 0), E_EXISTS);         // a hole
    assert_int_equal(supply(f, s.land, VA + 0x4000, 5, LAND + 0x1000, RW, 0), E_FAULT); // in land
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x5001, RW, 0), E_INVAL);
    assert_int_equal(supply(f, s.land, VA, 0, LAND + 0x5000, RW, 0), E_INVAL);
    assert_int_equal(supply(f, s.land, VA, 1, ~0xfffull, RW, 0), E_INVAL);
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x5000, 7, 0), E_WX);
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x5000, RW, 2), E_INVAL);
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x5000, PROT_R | PROT_X, 0), E_RIGHT);
    assert_true(fake_sum(f) == sum);
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x5000, RW, 0), OK);
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x5000, RW, 0), E_EXISTS); // is there
    unsigned n = f->n_forwards;
    assert_false(fault(f, s.task, LAND + 0x8000, READ, OK));
    assert_int_equal(f->n_forwards, n + 1);
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x8000, RW, 0), E_RIGHT); // paged r--
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x8000, PROT_R, 0), OK);
    // Without the reply capability of a fault there is nothing to supply.
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SUPPLY, 0), VA, 1, LAND + 0x8000, RW};
    struct fake_cap window = {CAP_REPLY, s.portal.value / PORTALS_IN_FRAME};
    struct fake_cap nothing = {CAP_REPLY, 100000};
    assert_int_equal(fake_call(f, s.land, words, NULL, NULL, NULL), E_SLOT);
    assert_int_equal(fake_call(f, s.land, words, &s.portal, NULL, NULL), E_SLOT);
    assert_int_equal(fake_call(f, s.land, words, &s.endpoint, NULL, NULL), E_SLOT);
    assert_int_equal(fake_call(f, s.land, words, &window, NULL, NULL), E_SLOT);
    assert_int_equal(fake_call(f, s.land, words, &nothing, NULL, NULL), E_SLOT);
    fake_drop(f, &narrow);
    fake_drop(f, &other);
    drop_scene(f, &s);
}

// A right to map, a portal to somebody else's endpoint, a free range.
static void test_set_pager_is_refused(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    struct fake_cap narrow;
    assert_int_equal(fake_derive(f, s.client, LAND, 4, RIGHTS_SPACE & ~RIGHT_MAP, &narrow), OK);
    uint64_t sum = fake_sum(f), charged = f->vm.state->n_charged;
    assert_int_equal(set_pager(f, narrow, LAND, 1, RW, MAP_REPLACE, &s.portal), E_RIGHT);
    assert_int_equal(set_pager(f, s.client, LAND, 1, RW, 0, &s.portal), E_EXISTS);
    assert_int_equal(set_pager(f, s.client, VA, 1, RW, 0, NULL), E_SLOT);
    assert_int_equal(set_pager(f, s.client, VA, 1, RW, 0, &s.land), E_SLOT);
    assert_int_equal(set_pager(f, s.client, VA, 1, RW, 0, &s.endpoint), E_SLOT);
    assert_int_equal(set_pager(f, s.client, VA, 1, 7, 0, &s.portal), E_WX);
    assert_int_equal(set_pager(f, s.client, VA + 1, 1, RW, 0, &s.portal), E_INVAL);
    assert_int_equal(set_pager(f, s.client, VA, 1, RW, MAP_LAZY, &s.portal), E_INVAL);
    assert_true(fake_sum(f) == sum && f->vm.state->n_charged == charged);
    fake_drop(f, &narrow);
    drop_scene(f, &s);
}

// Refused, dropped or dead, before or after it has the fault: the task ends, and says why.
static void test_unserved_faults_end(void **state)
{
    static const status_t reasons[] = {E_FAULT, E_RIGHT, E_NOMEM, E_DEAD, E_REVOKED};
    struct fake *f = *state;
    struct scene s = make_scene(f);
    struct fake_cap task;
    for (unsigned i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        assert_int_equal(fake_spawn(f, s.client, NULL, &task), OK);
        paged_fault(f, &s, task, LAND);
        assert_false(fault(f, task, LAND, WRITE, reasons[i]));
        expect_ended(f, task, reasons[i]);
        fake_drop(f, &task);
    }
    assert_int_equal(fake_spawn(f, s.client, NULL, &task), OK);
    paged_fault(f, &s, task, LAND);
    assert_false(fault(f, task, LAND, WRITE, 4711)); // no status
    expect_ended(f, task, E_FAULT);
    fake_drop(f, &task);
    unsigned n = f->n_forwards;
    assert_false(fault(f, s.task, LAND + PAGES * PAGE_SIZE, WRITE, OK)); // behind the window
    assert_int_equal(f->n_forwards, n);
    expect_ended(f, s.task, E_FAULT);
    drop_scene(f, &s);
}

static void test_a_dead_pager(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    fake_drop(f, &s.endpoint);
    assert_false(fault(f, s.task, LAND, WRITE, OK));
    assert_int_equal(f->n_forwards, 0);
    expect_ended(f, s.task, E_REVOKED);
    assert_non_null(strstr(f->log, "(E_REVOKED)"));
    drop_scene(f, &s);
}

// Clones and snapshots ask the same pager, which is told when the last of them is gone.
static void test_clones(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    struct fake_cap clone[2], task, snapshot;
    paged_fault(f, &s, s.task, LAND);
    assert_int_equal(supply(f, s.land, VA, 1, LAND, RW, SUPPLY_MOVE), OK);
    for (unsigned mode = CLONE_COPY; mode <= CLONE_COW; mode++) {
        assert_int_equal(fake_clone(f, s.client, mode, 0, &clone[0]), OK);
        assert_int_equal(fake_clone(f, clone[0], mode, 0, &clone[1]), OK);
        assert_int_equal(fake_audit(f), 0);
        assert_int_equal(fake_spawn(f, clone[1], NULL, &task), OK);
        paged_fault(f, &s, task, LAND + 0x1000);
        assert_int_equal(supply(f, s.land, VA + 0x1000, 1, LAND + 0x1000, RW, 0), OK);
        expect(f, clone[1], LAND + 0x1000, 1);
        assert_int_equal(attributes(f, s.client, LAND + 0x1000), RW | PAGE_PAGED);
        assert_int_equal(attributes(f, clone[0], LAND + 0x1000), RW | PAGE_PAGED);
        expect(f, clone[1], LAND, 0);
        end_task(f, &task);
        fake_drop(f, &clone[0]);
        fake_drop(f, &clone[1]);
    }
    const uint64_t take[MESSAGE_WORDS] = {vmm_word0(VMM_SNAPSHOT, 0)};
    const uint64_t back[MESSAGE_WORDS] = {vmm_word0(VMM_ROLLBACK, 0)};
    uint64_t answer[MESSAGE_WORDS];
    const uint64_t diff[MESSAGE_WORDS] = {vmm_word0(VMM_DIFF, 0)};
    struct fake_cap other = new_portal(f, &s);
    assert_int_equal(fake_call(f, s.client, take, NULL, &snapshot, NULL), OK);
    assert_int_equal(set_pager(f, s.client, LAND, 512, RW, MAP_REPLACE, &other), OK);
    assert_int_equal(fake_call(f, s.client, diff, &snapshot, NULL, answer), OK);
    assert_int_equal(answer[2], 512);
    assert_int_equal(fake_call(f, s.client, back, &snapshot, NULL, NULL), OK);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(n_pagers(f), 1); // the other one is not asked any more
    paged_fault(f, &s, s.task, LAND + 0x1000);
    fake_drop(f, &other);
    fake_drop(f, &s.client); // the task holds the space
    s.client = snapshot;
    drop_scene(f, &s);
}

// A portal is one pager, however often it is set; the chain has an end.
static void test_limits(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    struct fake_cap portals[PAGERS_OF_SPACE];
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(set_pager(f, s.client, LAND, 1, RW, MAP_REPLACE, &s.portal), OK);
    assert_int_equal(n_pagers(f), 1);
    for (unsigned i = 1; i < PAGERS_OF_SPACE; i++) {
        portals[i] = new_portal(f, &s);
        assert_int_equal(set_pager(f, s.client, LAND, 1, RW, MAP_REPLACE, &portals[i]), OK);
    }
    portals[0] = new_portal(f, &s);
    uint64_t sum = fake_sum(f);
    assert_int_equal(set_pager(f, s.client, LAND, 1, RW, MAP_REPLACE, &portals[0]), E_LIMIT);
    assert_true(fake_sum(f) == sum);
    assert_int_equal(fake_audit(f), 0);
    for (unsigned i = 0; i < PAGERS_OF_SPACE; i++)
        fake_drop(f, &portals[i]);
    drop_scene(f, &s);
    assert_int_equal(n_pagers(f), 0);
}

// Each frame that SET_PAGER, at once or in steps, or SUPPLY takes is refused once.
static void test_without_memory(void **state)
{
    struct fake *f = *state;
    for (unsigned op = 0; op < 4; op++) {
        struct scene s = make_scene(f);
        struct fake_cap other = new_portal(f, &s);
        bool supplies = op == 1 || op == 2;
        status_t status;
        unsigned k = 0;
        if (supplies)
            paged_fault(f, &s, s.task, LAND + 0x5000);
        do {
            fake_starve(f, k++);
            uint64_t sum = fake_sum(f), pagers = n_pagers(f);
            f->vm.state->step_work = op == 3 ? 1 : STEP_WORK;
            status = supplies
                         ? supply(f, s.land, VA, 2, LAND + 0x5000, RW, op == 1 ? 0 : SUPPLY_MOVE)
                         : set_pager(f, s.client, VA, 3, RW, 0, &other);
            f->vm.state->step_work = STEP_WORK;
            assert_true(status == OK ||
                        (status == E_NOMEM && fake_sum(f) == sum && n_pagers(f) == pagers));
            fake_feed(f);
            assert_int_equal(fake_audit(f), 0);
        } while (status != OK);
        assert_true(k > 1);
        fake_drop(f, &other);
        drop_scene(f, &s);
    }
}

static status_t task_pager(struct fake *f, struct fake_cap task, const struct fake_cap *portal)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_TASK_PAGER, 0)};
    return fake_call(f, task, words, portal, NULL, NULL);
}

// The kernel asked the task's own pager, who refused: what the VMM hears then.
static bool declined_fault(struct fake *f, struct fake_cap task, vaddr_t va, status_t why)
{
    const uint64_t words[MESSAGE_WORDS] = {14, WRITE, va, 0x1234, 0, 1ull << 32 | (uint32_t)why};
    return fake_event(f, task_named(f, task)->object, EVENT_EXCEPTION, words);
}

static void test_own_pager_is_set(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    struct fake_cap other = new_portal(f, &s);
    const struct fake_object *o = &f->objects[task_named(f, s.task)->object];
    const struct fake_cap wrong[] = {s.endpoint, s.client, {CAP_CONSOLE, 0}};
    assert_int_equal(task_pager(f, s.task, &s.portal), OK);
    assert_int_equal(o->pager.value, s.portal.value);
    assert_int_equal(task_pager(f, s.task, &other), OK);
    assert_int_equal(o->pager.value, other.value);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(task_pager(f, s.task, &wrong[i]), E_SLOT);
    f->fail_call = 1;
    assert_int_equal(task_pager(f, s.task, &s.portal), E_RIGHT); // as the kernel says
    assert_int_equal(o->pager.value, other.value);
    assert_int_equal(task_pager(f, s.task, NULL), OK);
    assert_int_equal(o->pager.type, CAP_NONE);
    assert_int_equal(task_pager(f, s.task, &other), OK);
    const uint64_t kill[MESSAGE_WORDS] = {vmm_word0(VMM_TASK_KILL, 0)};
    assert_int_equal(fake_call(f, s.task, kill, NULL, NULL, NULL), OK);
    assert_int_equal(task_pager(f, s.task, &other), E_STATE);
    assert_int_equal(task_pager(f, s.task, NULL), E_STATE);
    fake_drop(f, &other);
    drop_scene(f, &s);
}

// What it refuses is served as if it had not been asked: by the VMM, by a window's pager; who ends by
// it ends for its reason.
static void test_own_pager_declines(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    assert_int_equal(fake_map(f, s.client, VA, 2, RW, MAP_LAZY), OK);
    assert_true(declined_fault(f, s.task, VA, E_RIGHT));
    assert_int_equal(attributes(f, s.client, VA) & PAGE_MAPPED, PAGE_MAPPED);
    unsigned n = f->n_forwards;
    assert_false(declined_fault(f, s.task, LAND, E_DEAD));
    assert_int_equal(f->n_forwards, n + 1);
    assert_false(fault(f, s.task, LAND, WRITE, E_REVOKED)); // nor does the window's
    assert_int_equal(f->n_forwards, n + 1);
    expect_ended(f, s.task, E_REVOKED);
    fake_drop(f, &s.task);
    assert_int_equal(fake_spawn(f, s.client, NULL, &s.task), OK);
    assert_false(declined_fault(f, s.task, 0x1000, E_RIGHT));
    expect_ended(f, s.task, E_RIGHT);
    fake_drop(f, &s.task);
    assert_int_equal(fake_spawn(f, s.client, NULL, &s.task), OK);
    assert_false(declined_fault(f, s.task, 0x1000, 5)); // no status
    expect_ended(f, s.task, E_FAULT);
    drop_scene(f, &s);
}

// Without memory it waits, whoever was asked first.
static void test_own_pager_declines_without_memory(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    assert_int_equal(fake_map(f, s.client, VA, 2, RW, MAP_LAZY), OK);
    fake_starve(f, 0);
    assert_false(declined_fault(f, s.task, VA, E_RIGHT));
    assert_true(task_named(f, s.task)->is_starved);
    fake_feed(f);
    fake_pump(f);
    assert_int_equal(fake_audit(f), 0);
    drop_scene(f, &s);
}

// The VMM has not heard of the fault: the kernel says where it is.
static void test_own_pager_supplies(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    uint32_t object = task_named(f, s.task)->object;
    assert_int_equal(task_pager(f, s.task, &s.portal), OK);
    f->objects[object].fault = LAND + 0x3000;
    f->forwarded = (struct fake_cap){CAP_REPLY, object};
    assert_int_equal(supply(f, s.land, VA, 1, LAND, RW, 0), E_RIGHT);
    assert_int_equal(supply(f, s.land, VA + 0x1000, 1, LAND + 0x3000, RW, 0), OK);
    expect(f, s.client, LAND + 0x3000, 1);
    f->objects[object].fault = VA; // nobody's
    assert_int_equal(supply(f, s.land, VA, 1, VA, RW, 0), E_EXISTS);
    f->objects[object].fault = 0xffff800000000000; // out of every window
    assert_int_equal(supply(f, s.land, VA, 1, LAND + 0x4000, RW, 0), E_RIGHT);
    drop_scene(f, &s);
}

static struct fake_cap hoarded[80];
static unsigned n_hoarded;

// As many pagers as it can get, in spaces of an account and of its sub-accounts. Answers how many.
static unsigned hoard(struct fake *f, const struct scene *s, struct fake_cap by, uint64_t quota)
{
    unsigned n = 0, got;
    do {
        struct fake_cap space, portals[PAGERS_OF_SPACE];
        got = 0;
        assert_int_equal(fake_create(f, by, quota, &space), OK);
        for (unsigned i = 0; i < PAGERS_OF_SPACE; i++) {
            portals[i] = new_portal(f, s);
            got += set_pager(f, space, LAND, 1, RW, MAP_REPLACE, &portals[i]) == OK;
        }
        for (unsigned i = 0; i < PAGERS_OF_SPACE; i++)
            fake_drop(f, &portals[i]);
        n += got;
        hoarded[n_hoarded++] = space;
    } while (got == PAGERS_OF_SPACE);
    return n;
}

// One account cannot have so many that there are none for others.
static void test_a_hoarder(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    struct fake_cap a, b;
    assert_int_equal(fake_create(f, f->init, 1000, &a), OK);
    assert_int_equal(fake_create(f, f->init, 1000, &b), OK);
    unsigned left = f->vm.state->left_slots;
    unsigned n_a = hoard(f, &s, a, 0), n_sub = hoard(f, &s, a, 100), n_b = hoard(f, &s, b, 0);
    assert_in_range(n_a, left / 2, left / 2 + 1);
    assert_int_equal(n_sub, 0);
    assert_in_range(n_b, left / 4, left / 4 + 1);
    assert_int_equal(set_pager(f, a, LAND, 1, RW, 0, &s.portal), E_LIMIT);
    assert_int_equal(set_pager(f, s.client, LAND, 1, RW, MAP_REPLACE, &s.portal), OK);
    assert_int_equal(fake_audit(f), 0);
    while (n_hoarded)
        fake_drop(f, &hoarded[--n_hoarded]);
    fake_drop(f, &a);
    fake_drop(f, &b);
    drop_scene(f, &s);
    assert_int_equal(n_pagers(f), 0);
}

// What is paged is no page that could be taken elsewhere; a killed task is waited for by nobody.
static void test_the_rest_of_the_world(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    const uint64_t kill[MESSAGE_WORDS] = {vmm_word0(VMM_TASK_KILL, 0)};
    assert_int_equal(fake_share(f, s.client, LAND, 1, s.land, LAND, RW), E_FAULT);
    assert_int_equal(fake_move(f, s.client, LAND, 1, s.land, LAND, RW), E_FAULT);
    paged_fault(f, &s, s.task, LAND);
    assert_int_equal(fake_call(f, s.task, kill, NULL, NULL, NULL), OK);
    fake_pump(f);
    assert_int_equal(supply(f, s.land, VA, 1, LAND, RW, 0), E_SLOT); // the kernel would say so
    drop_scene(f, &s);
}

// The grant through which pages were supplied takes them back.
static void test_revoke(void **state)
{
    struct fake *f = *state;
    struct scene s = make_scene(f);
    struct fake_cap through;
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_REVOKE, 0)};
    assert_int_equal(fake_derive(f, s.land, VA, 8, RIGHTS_SPACE, &through), OK);
    paged_fault(f, &s, s.task, LAND + 0x5000);
    assert_int_equal(supply(f, through, VA, 2, LAND + 0x5000, RW, 0), OK);
    paged_fault(f, &s, s.task, LAND + 0x7000);
    assert_int_equal(supply(f, through, VA + 0x2000, 1, LAND + 0x7000, RW, SUPPLY_MOVE), OK);
    assert_int_equal(fake_call(f, through, words, NULL, NULL, NULL), OK);
    assert_int_equal(attributes(f, s.client, LAND + 0x5000), 0);
    assert_int_equal(attributes(f, s.client, LAND + 0x6000), 0);
    expect(f, s.client, LAND + 0x7000, 2); // moved: it is the client's
    expect(f, s.land, VA, 0);
    fake_drop(f, &through);
    drop_scene(f, &s);
}

// It was set through a capability that is revoked, or through one that was dropped, whose parent is: it is
// asked no more, here and in clones, and cannot serve the fault that it has. What it supplied stays.
static void test_its_grant_is_revoked(void **state)
{
    struct fake *f = *state;
    for (unsigned drops = 0; drops < 2; drops++) {
        struct scene s = make_scene(f);
        struct fake_cap by, own, copy, task[2];
        unsigned n = n_pagers(f);
        assert_int_equal(fake_derive(f, s.client, LAND, 8, RIGHTS_SPACE, &by), OK);
        assert_int_equal(fake_derive(f, by, LAND, 8, RIGHTS_SPACE, &own), OK);
        assert_int_equal(set_pager(f, own, LAND, 8, RW, MAP_REPLACE, &s.portal), OK);
        assert_int_equal(n_pagers(f), n + 1);
        if (drops)
            fake_drop(f, &own);
        assert_int_equal(fake_audit(f), 0);
        assert_int_equal(fake_clone(f, s.client, CLONE_COW, 0, &copy), OK);
        assert_int_equal(fake_spawn(f, s.client, NULL, &task[0]), OK);
        assert_int_equal(fake_spawn(f, copy, NULL, &task[1]), OK);
        paged_fault(f, &s, task[0], LAND);
        assert_int_equal(supply(f, s.land, VA, 1, LAND, RW, SUPPLY_MOVE), OK);
        paged_fault(f, &s, task[0], LAND + 0x1000);
        assert_int_equal(fake_revoke(f, s.client, &by), OK);
        assert_int_equal(fake_audit(f), 0);
        assert_int_equal(n_pagers(f), n);
        uint64_t sum = fake_sum(f);
        assert_int_equal(supply(f, s.land, VA + 0x1000, 1, LAND + 0x1000, RW, 0), E_REVOKED);
        assert_int_equal(supply(f, s.land, VA + 0x1000, 2, LAND + 0x1000, RW, 1), E_REVOKED);
        assert_true(fake_sum(f) == sum);
        unsigned n_forwards = f->n_forwards;
        for (unsigned i = 0; i < 2; i++) {
            assert_false(fault(f, task[i], LAND + 0x1000, WRITE, OK));
            expect_ended(f, task[i], E_REVOKED);
            fake_drop(f, &task[i]);
        }
        assert_int_equal(f->n_forwards, n_forwards);
        expect(f, s.client, LAND, 0);
        paged_fault(f, &s, s.task, LAND + 0x9000); // what was set through another goes on
        assert_int_equal(set_pager(f, s.client, LAND + 0x1000, 1, RW, MAP_REPLACE, &s.portal), OK);
        paged_fault(f, &s, s.task, LAND + 0x1000);
        assert_int_equal(supply(f, s.land, VA + 0x1000, 1, LAND + 0x1000, RW, 0), OK);
        fake_drop(f, &by);
        if (!drops)
            fake_drop(f, &own);
        fake_drop(f, &copy);
        drop_scene(f, &s);
        assert_int_equal(n_pagers(f), 0);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// What it supplies in steps is there when the revoke of the pager's grant is done, or never will be.
static void test_a_revoke_meets_a_supply(void **state)
{
    struct fake *f = *state;
    for (unsigned work = 1; work < 3000; work = work * 3 + 1) {
        struct scene s = make_scene(f);
        struct fake_cap by;
        assert_int_equal(fake_derive(f, s.client, LAND, 8, RIGHTS_SPACE, &by), OK);
        assert_int_equal(set_pager(f, by, LAND, 8, RW, MAP_REPLACE, &s.portal), OK);
        paged_fault(f, &s, s.task, LAND);
        f->vm.state->step_work = work;
        uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SUPPLY, 0), VA, 8, LAND, RW};
        status_t status = fake_step(f, s.land, words, &f->forwarded);
        assert_true(status == OK || status == E_MORE);
        assert_int_equal(fake_revoke(f, s.client, &by), OK);
        f->vm.state->step_work = STEP_WORK;
        assert_int_equal(space_of(&f->vm, fake_space(f, s.client))->job, 0);
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &by);
        drop_scene(f, &s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_paged_ranges),
        FAKE_TEST(test_supply),
        FAKE_TEST(test_supply_is_refused),
        FAKE_TEST(test_set_pager_is_refused),
        FAKE_TEST(test_unserved_faults_end),
        FAKE_TEST(test_a_dead_pager),
        FAKE_TEST(test_clones),
        FAKE_TEST(test_limits),
        FAKE_TEST(test_revoke),
        FAKE_TEST(test_its_grant_is_revoked),
        FAKE_TEST(test_a_revoke_meets_a_supply),
        FAKE_TEST(test_own_pager_is_set),
        FAKE_TEST(test_own_pager_declines),
        FAKE_TEST(test_own_pager_declines_without_memory),
        FAKE_TEST(test_own_pager_supplies),
        FAKE_TEST(test_without_memory),
        FAKE_TEST(test_a_hoarder),
        FAKE_TEST(test_the_rest_of_the_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
