// SPDX-License-Identifier: MIT
// Requests from the words of a message to the answer: rights, windows, garbage.
#include "servers/vmm/core/request.h"

#include <stdlib.h>
#include <string.h>

#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA 0x400000ull
#define RW (PROT_R | PROT_W)

static status_t request(struct fake *f, struct fake_cap by, uint64_t word0, struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {word0, VA, 1, PROT_R};
    return fake_call(f, by, words, NULL, got, NULL);
}

static void test_versions_and_opcodes(void **state)
{
    struct fake *f = *state;
    uint64_t map = vmm_word0(VMM_MAP, 0);
    assert_int_equal(request(f, f->init, map ^ 1ull << 16, NULL), E_VERSION);
    assert_int_equal(request(f, f->init, map & ~0xffff0000ull, NULL), E_VERSION);
    assert_int_equal(request(f, f->init, VMM_REQUESTS | VMM_VERSION << 16, NULL), E_NOSYS);
    assert_int_equal(request(f, f->init, 0xffff | VMM_VERSION << 16, NULL), E_NOSYS);
}

// Messages that the kernel would not deliver, or no more: a capability that went while the call was on
// its way, one that was carried, and words that mean nothing here.
static void test_dead_badges(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_create(f, f->init, 0, &b), OK);
    uint64_t badge = portal_badge(&f->vm, PORTAL_GRANT, a.value),
             other = portal_badge(&f->vm, PORTAL_GRANT, b.value);
    fake_drop(f, &b);
    const struct request calls[] = {
        {.badge = other, .words = {vmm_word0(VMM_QUERY, 0)}},
        {.badge = portal_badge(&f->vm, PORTAL_TASK, a.value), .words = {vmm_word0(VMM_QUERY, 0)}},
        {.badge = portal_badge(&f->vm, PORTAL_DEAD, a.value), .words = {vmm_word0(VMM_QUERY, 0)}},
        {.badge = badge,
         .words = {vmm_word0(VMM_SHARE, 0), VA, 1, VA, PROT_R},
         .carried = CARRIED_BADGE,
         .carried_value = other},
        {.badge = badge,
         .words = {vmm_word0(VMM_SPAWN, 0)},
         .wants_cap = true,
         .carried = CARRIED_BADGE,
         .carried_value = other},
    };
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct request r = calls[i];
        request_serve(&f->vm, &r);
        assert_true(r.is_answered && !r.gives_cap);
        assert_int_equal((status_t)r.answer[0], E_REVOKED);
    }
    struct request notification = {.event = EVENT_NOTIFICATION, .words = {77}};
    request_serve(&f->vm, &notification);
    assert_false(notification.is_answered);
    fake_drop(f, &a);
}

// Each right that a request needs, left out.
static void test_each_right(void **state)
{
    static const struct {
        enum vmm_request request;
        unsigned rights;
    } table[] = {
        {VMM_SPACE_CREATE, RIGHT_CREATE},
        {VMM_SPACE_CLONE, RIGHT_CLONE},
        {VMM_SPACE_CLONE, RIGHT_READ},
        {VMM_SPACE_DESTROY, RIGHT_DESTROY},
        {VMM_MAP, RIGHT_MAP},
        {VMM_MAP, RIGHT_READ},
        {VMM_UNMAP, RIGHT_MAP},
        {VMM_PROTECT, RIGHT_MAP},
        {VMM_PROTECT, RIGHT_READ},
        {VMM_SHARE, RIGHT_SHARE},
        {VMM_MOVE, RIGHT_SHARE},
        {VMM_MOVE, RIGHT_MAP},
        {VMM_DERIVE, RIGHT_DERIVE},
        {VMM_QUERY, RIGHT_QUERY},
        {VMM_STATS, RIGHT_QUERY},
        {VMM_AUDIT, RIGHT_AUDIT},
        {VMM_SPAWN, RIGHT_SPAWN},
        {VMM_ENDPOINT, RIGHT_CREATE},
        {VMM_PORTAL, RIGHT_CREATE},
        {VMM_SNAPSHOT, RIGHT_CLONE},
        {VMM_SNAPSHOT, RIGHT_READ},
        {VMM_DIFF, RIGHT_QUERY},
        {VMM_ROLLBACK, RIGHT_MAP},
        {VMM_ROLLBACK, RIGHT_READ},
        {VMM_MAPS, RIGHT_QUERY},
        {VMM_POWER_OFF, RIGHT_POWER},
    };
    struct fake *f = *state;
    uint64_t sum = fake_sum(f);
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        struct fake_cap weak, got;
        assert_int_equal(fake_derive(f, f->init, 0, f->vm.state->user_pages,
                                     RIGHTS_ALL & ~table[i].rights, &weak),
                         OK);
        assert_int_equal(request(f, weak, vmm_word0(table[i].request, 0), &got), E_RIGHT);
        fake_drop(f, &weak);
    }
    assert_true(fake_sum(f) == sum);
    assert_int_equal(f->power_code, 0);
    assert_int_equal(request(f, f->init, vmm_word0(VMM_POWER_OFF, 0), NULL), OK);
    assert_int_equal(f->power_code, VA);
}

// Requests that reach beyond a window need a capability to all of the space.
static void test_whole_space_requests(void **state)
{
    struct fake *f = *state;
    const enum vmm_request whole[] = {VMM_SPACE_CLONE, VMM_SPACE_DESTROY, VMM_SPAWN, VMM_SNAPSHOT,
                                      VMM_ROLLBACK};
    struct fake_cap window, got;
    assert_int_equal(fake_derive(f, f->init, 0, f->vm.state->user_pages - 1, RIGHTS_ALL, &window),
                     OK);
    for (unsigned i = 0; i < sizeof whole / sizeof *whole; i++)
        assert_int_equal(request(f, window, vmm_word0(whole[i], 0), &got), E_RIGHT);
    fake_drop(f, &window);
}

// Without a slot for what comes back nothing is done.
static void test_no_slot_for_the_answer(void **state)
{
    struct fake *f = *state;
    const enum vmm_request giving[] = {VMM_SPACE_CREATE, VMM_SPACE_CLONE, VMM_DERIVE,  VMM_SPAWN,
                                       VMM_ENDPOINT,     VMM_PORTAL,      VMM_SNAPSHOT};
    uint64_t sum = fake_sum(f);
    for (unsigned i = 0; i < sizeof giving / sizeof *giving; i++)
        assert_int_equal(request(f, f->init, vmm_word0(giving[i], 0), NULL), E_NOSLOT);
    assert_true(fake_sum(f) == sum);
}

static void test_query(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b, window;
    uint64_t w[MESSAGE_WORDS];
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 2, RW, 0), OK);
    assert_int_equal(fake_map(f, a, VA + 0x200000, 512, PROT_R, MAP_LAZY), OK);
    assert_int_equal(fake_query(f, a, VA + 0x1234, w), OK);
    assert_int_equal(w[1], VA + 0x1000);
    assert_int_equal(w[2], 1);
    assert_int_equal(w[3], RW | PAGE_MAPPED);
    assert_true(w[4] != 0);
    assert_int_equal(fake_query(f, a, VA + 0x212345, w), OK);
    assert_int_equal(w[1], VA + 0x200000);
    assert_int_equal(w[2], 512);
    assert_int_equal(w[3], PROT_R | PAGE_LAZY);
    assert_int_equal(w[4], 0);
    assert_int_equal(fake_query(f, a, VA + 0x2000, w), OK);
    assert_int_equal(w[3], 0);
    assert_int_equal(fake_query(f, a, f->vm.state->user_pages << 12, w), E_INVAL);
    assert_int_equal(fake_derive(f, a, VA + 0x204000, 4, RIGHT_QUERY, &window), OK);
    assert_int_equal(fake_query(f, window, VA + 0x205000, w), OK); // cut to the window
    assert_int_equal(w[1], VA + 0x204000);
    assert_int_equal(w[2], 4);
    assert_int_equal(fake_query(f, window, VA, w), E_RIGHT);
    fake_drop(f, &window);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    assert_int_equal(fake_query(f, a, VA, w), OK);
    assert_int_equal(w[3], RW | PAGE_MAPPED | PAGE_COW);
    assert_int_equal(fake_share(f, a, VA, 1, b, VA + 0x800000, PROT_R), OK);
    assert_int_equal(fake_query(f, b, VA + 0x800000, w), OK);
    assert_int_equal(w[3], PROT_R | PAGE_MAPPED | PAGE_SHARED);
    fake_drop(f, &b);
    assert_int_equal(fake_query(f, a, VA + 0x1000, w), OK);
    assert_int_equal(w[3], RW | PAGE_MAPPED); // nobody else holds it any more
    fake_drop(f, &a);
}

static void test_stats_and_audit(void **state)
{
    struct fake *f = *state;
    struct fake_cap a;
    uint64_t w[MESSAGE_WORDS];
    const uint64_t stats[MESSAGE_WORDS] = {vmm_word0(VMM_STATS, 0)};
    const uint64_t audit[MESSAGE_WORDS] = {vmm_word0(VMM_AUDIT, 0)};
    assert_int_equal(fake_create(f, f->init, 64, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), OK);
    assert_int_equal(fake_call(f, a, stats, NULL, NULL, w), OK);
    assert_int_equal(w[1], 3);
    assert_int_equal(w[2], f->info.levels);
    assert_true(w[3] >= 3 + f->info.levels && w[3] <= 3 + f->info.levels + 3);
    assert_int_equal(w[4], 64);
    assert_int_equal(w[5], f->vm.state->n_free);
    assert_int_equal(fake_call(f, f->init, audit, NULL, NULL, w), OK);
    assert_int_equal(w[1], f->vm.state->n_boot);
    assert_int_equal(w[2], 0);
    fake_drop(f, &a);
}

// Garbage in every word, through every kind of capability: typed errors, no assert, no leak.
static void test_garbage(void **state)
{
    struct fake *f = *state;
    static const uint64_t values[] = {0,
                                      1,
                                      2,
                                      7,
                                      0xfff,
                                      0x1000,
                                      VA,
                                      ~0ull,
                                      1ull << 63,
                                      1ull << 47,
                                      0x7ffffffff000ull,
                                      511,
                                      512,
                                      1ull << 45,
                                      0x123456789abcdefull};
    struct fake_cap a, b, task;
    srand(10);
    assert_int_equal(fake_create(f, f->init, 200, &a), OK);
    assert_int_equal(fake_create(f, f->init, 100, &b), OK);
    assert_int_equal(fake_spawn(f, b, &a, &task), OK);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t words[MESSAGE_WORDS];
        struct fake_cap got = {CAP_NONE, 0}, none = got;
        unsigned opcode = (unsigned)rand() % (VMM_REQUESTS + 1);
        if (opcode == VMM_SPACE_DESTROY || opcode == VMM_TASK_WAIT || opcode == VMM_TASK_KILL)
            continue;
        words[0] = vmm_word0((enum vmm_request)opcode, rand() % 40 ? rand() & 15 : rand());
        for (unsigned j = 1; j < MESSAGE_WORDS; j++)
            words[j] = values[(unsigned)rand() % (sizeof values / 8)];
        struct fake_cap *carried[] = {&a, &b, &task, &none, NULL};
        unsigned which = (unsigned)rand() % 5;
        if (opcode == VMM_REVOKE && (which == 0 || which == 4))
            continue; // it would be the end
        status_t status = fake_call(f, rand() % 8 ? a : task, words, carried[which], &got, NULL);
        assert_true(status <= OK && status > -25);
        fake_drop(f, &got);
        if (i % 500 == 0)
            assert_int_equal(fake_audit(f), 0);
    }
    fake_drop(f, &task);
    const uint64_t destroy[MESSAGE_WORDS] = {vmm_word0(VMM_SPACE_DESTROY, 0)};
    assert_int_equal(fake_call(f, a, destroy, NULL, NULL, NULL), OK); // with all its tasks
    assert_int_equal(fake_call(f, b, destroy, NULL, NULL, NULL), OK);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_versions_and_opcodes),
        FAKE_TEST(test_dead_badges),
        FAKE_TEST(test_each_right),
        FAKE_TEST(test_whole_space_requests),
        FAKE_TEST(test_no_slot_for_the_answer),
        FAKE_TEST(test_query),
        FAKE_TEST(test_stats_and_audit),
        FAKE_TEST(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
