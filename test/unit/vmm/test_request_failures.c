// SPDX-License-Identifier: MIT
// All or nothing, by force: each request with its 1st, 2nd, 3rd ... frame, charge or call to the kernel
// refused. A typed error, all spaces bit for bit as before, the audit clean; and at last it succeeds.
#include "servers/vmm/core/account.h"
#include "servers/vmm/core/pool.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA 0x400000ull
#define RW (PROT_R | PROT_W)

typedef status_t operation(struct fake *f, struct fake_cap a, struct fake_cap *got);

static status_t op_create(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    return fake_create(f, a, 0, got);
}

static status_t op_create_quota(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    return fake_create(f, a, 30, got);
}

static status_t op_map(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    (void)got;
    return fake_map(f, a, 0x40000000 - 0x4000, 8, RW, 0);
}

static status_t op_replace(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    (void)got;
    return fake_map(f, a, VA, 6, RW, MAP_REPLACE);
}

static status_t op_unmap_part(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    (void)got;
    return fake_unmap(f, a, (1ull << 32) + 0x3000, 1);
}

static status_t op_protect(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    (void)got;
    return fake_protect(f, a, VA, 1 << 20, PROT_R);
}

static status_t op_derive(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    return fake_derive(f, a, VA, 1, RIGHT_READ, got);
}

static status_t op_clone(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    return fake_clone(f, a, CLONE_COPY, 0, got);
}

static status_t op_spawn(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    return fake_spawn(f, a, &a, got);
}

static status_t op_endpoint(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_ENDPOINT, 0)};
    return fake_call(f, a, words, NULL, got, NULL);
}

static status_t op_snapshot(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SNAPSHOT, 0)};
    return fake_call(f, a, words, NULL, got, NULL);
}

static status_t op_probe(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SPAWN, SPAWN_PROBE), 0, 0, 0, 8};
    return fake_call(f, a, words, &a, got, NULL);
}

static operation *const operations[] = {op_create,     op_create_quota, op_map,      op_replace,
                                        op_unmap_part, op_protect,      op_clone,    op_derive,
                                        op_spawn,      op_endpoint,     op_snapshot, op_probe};

// Takes every free place for a record or a portal that an account has, so that whoever needs one next
// needs frames; and gives them back.
struct hoard {
    record_t records[RECORDS_PER_FRAME];
    portal_t portals[PORTALS_IN_FRAME];
    unsigned n_records, n_portals;
};

static struct hoard hoard_take(struct fake *f, struct fake_cap a)
{
    struct hoard h = {.n_records = 0};
    record_t id = space_of(&f->vm, fake_space(f, a))->account;
    const struct account *account = account_of(&f->vm, id);
    while (account->records.n)
        assert_int_equal(record_alloc(&f->vm, id, RECORD_ENDPOINT, &h.records[h.n_records++]), OK);
    while (account->portals.n)
        assert_int_equal(portal_alloc(&f->vm, id, PORTAL_FOREIGN, 0, &h.portals[h.n_portals++]),
                         OK);
    return h;
}

static void hoard_drop(struct fake *f, struct hoard *h)
{
    while (h->n_records)
        record_free(&f->vm, h->records[--h->n_records]);
    while (h->n_portals)
        portal_free(&f->vm, h->portals[--h->n_portals]);
    vmm_settle(&f->vm);
}

// A space with pages, a lazy range and a clone that shares them, perhaps on an account of its own.
static struct fake_cap busy_space(struct fake *f, uint64_t quota, struct fake_cap *clone)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, quota, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 4, RW, 0), OK);
    assert_int_equal(fake_map(f, a, 1ull << 32, 1 << 18, RW, MAP_LAZY), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, clone), OK);
    return a;
}

// What is left of an operation goes, so that the next finds the same.
static void undo(struct fake *f, struct fake_cap *got)
{
    if (got->type == CAP_PORTAL && portal_of(&f->vm, got->value)->kind == PORTAL_TASK) {
        const uint64_t kill[MESSAGE_WORDS] = {vmm_word0(VMM_TASK_KILL, 0)};
        assert_int_equal(fake_call(f, *got, kill, NULL, NULL, NULL), OK);
    }
    fake_drop(f, got);
}

static void check_failure(struct fake *f, status_t status, status_t wanted, uint64_t sum,
                          uint64_t n_free)
{
    assert_int_equal(status, wanted);
    fake_pump(f);
    assert_true(fake_sum(f) == sum);
    assert_int_equal(f->vm.state->n_free, n_free);
    assert_int_equal(fake_audit(f), 0);
}

// Each request with 0, 1, 2 ... free frames: nothing changed, and at last it succeeds.
static void test_each_allocation_fails(void **state)
{
    struct fake *f = *state;
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++) {
        struct fake_cap clone, a = busy_space(f, 0, &clone), got = {CAP_NONE, 0};
        struct hoard hoard = hoard_take(f, a);
        status_t status;
        for (unsigned k = 0;; k++) {
            fake_starve(f, k);
            uint64_t sum = fake_sum(f);
            status = operations[i](f, a, &got);
            if (status == OK)
                break;
            // A quota that cannot be carved is E_QUOTA, though it is for want of memory.
            bool carves = operations[i] == op_create_quota && status == E_QUOTA;
            check_failure(f, status, carves ? E_QUOTA : E_NOMEM, sum, k);
        }
        fake_feed(f);
        undo(f, &got);
        hoard_drop(f, &hoard);
        fake_drop(f, &clone);
        fake_drop(f, &a);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// The same with the account's quota running out.
static void test_each_charge_fails(void **state)
{
    struct fake *f = *state;
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++) {
        struct fake_cap clone, a = busy_space(f, 600, &clone), got = {CAP_NONE, 0};
        struct hoard hoard = hoard_take(f, a);
        struct account *account = account_of(&f->vm, space_of(&f->vm, fake_space(f, a))->account);
        uint64_t quota = account->quota;
        status_t status;
        for (unsigned k = 0;; k++) {
            account_of(&f->vm, account->parent)->lent -= account->quota;
            account->quota = account->charged + k;
            account_of(&f->vm, account->parent)->lent += account->quota;
            uint64_t sum = fake_sum(f), n_free = f->vm.state->n_free;
            status = operations[i](f, a, &got);
            if (status == OK)
                break;
            check_failure(f, status, E_QUOTA, sum, n_free);
        }
        account_of(&f->vm, account->parent)->lent += quota - account->quota;
        account->quota = quota;
        undo(f, &got);
        hoard_drop(f, &hoard);
        fake_drop(f, &clone);
        fake_drop(f, &a);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// The same with the kernel refusing its 1st, 2nd, ... call.
static void test_each_kernel_call_fails(void **state)
{
    struct fake *f = *state;
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++) {
        struct fake_cap clone, a = busy_space(f, 600, &clone), got = {CAP_NONE, 0};
        for (unsigned n = 1;; n++) {
            uint64_t sum = fake_sum(f), n_free = f->vm.state->n_free;
            f->fail_call = n;
            status_t status = operations[i](f, a, &got);
            bool was_hit = !f->fail_call;
            f->fail_call = 0;
            if (!was_hit) {
                assert_int_equal(status, OK);
                break;
            }
            check_failure(f, status, E_LIMIT, sum, n_free);
        }
        undo(f, &got);
        fake_drop(f, &clone);
        fake_drop(f, &a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_each_allocation_fails),
        FAKE_TEST(test_each_charge_fails),
        FAKE_TEST(test_each_kernel_call_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
