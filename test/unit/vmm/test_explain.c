// SPDX-License-Identifier: MIT
// EXPLAIN: what it says of an access is what the walker finds, and what a fault then makes of it.
#include "servers/vmm/core/explain.h"

#include <string.h>

#include "servers/vmm/core/fault.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/task.h"
#include "test/unit/fake/vmm/fake.h"
#include "test/unit/fake/vmm/walker.h"

#define VA  0x400000ull
#define VA2 0x800000ull
#define GIB (1ull << 30)
#define RW  (PROT_R | PROT_W)
#define RX  (PROT_R | PROT_X)

static status_t ask(struct fake *f, struct fake_cap a, vaddr_t va, unsigned access, unsigned item,
                    uint64_t *answer)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_EXPLAIN, 0), va, access, item};
    return fake_call(f, a, words, NULL, NULL, answer);
}

static struct fake_cap make_space(struct fake *f)
{
    static const unsigned prots[] = {RW, PROT_R, RX, 0};
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(fake_map(f, a, VA + i * PAGE_SIZE, 1, prots[i], 0), OK);
        assert_int_equal(fake_map(f, a, VA + (8 + i) * PAGE_SIZE, 1, prots[i], MAP_LAZY), OK);
        assert_int_equal(fake_map(f, a, GIB + i * 0x200000, 512, prots[i], MAP_2M | MAP_LAZY), OK);
    }
    assert_int_equal(fake_write(f, a, GIB, 1), OK); // a large page
    assert_int_equal(fake_share(f, f->devices, 3 * GIB, 1, a, VA2, RW), OK);
    assert_int_equal(fake_share(f, a, VA, 1, a, VA2 + PAGE_SIZE, PROT_R), OK);
    return a;
}

static enum walk_access walk_access(unsigned access)
{
    return access == PROT_W ? WALK_WRITE : access == PROT_X ? WALK_FETCH : WALK_READ;
}

// One access: before, what it says is what the MMU does; then a fault makes it so, or it does not.
static void expect_explained(struct fake *f, struct fake_cap a, vaddr_t va, unsigned access)
{
    uint64_t answer[MESSAGE_WORDS], level[MESSAGE_WORDS];
    record_t pager;
    assert_int_equal(ask(f, a, va, access, 0, answer), OK);
    enum explain_outcome outcome = (enum explain_outcome)(answer[1] & 0xff);
    unsigned denies = (unsigned)(answer[1] >> 8);
    struct walk w = walk_user(f->memory, fake_root(f, a), f->info.levels, va, walk_access(access));
    assert_int_equal(outcome == EXPLAIN_ALLOWED, w.is_allowed);
    assert_int_equal(denies == 0, w.is_allowed);
    if (denies) {
        assert_int_equal(ask(f, a, va, access, denies, level), OK);
        assert_false(level[2] & access);
    }
    if (outcome == EXPLAIN_REFUSED && denies > 1)
        assert_int_equal(ask(f, a, va, access, denies - 1, level), E_NOENT);
    if (outcome == EXPLAIN_AFTER_FAULT && denies < f->info.levels) {
        assert_int_equal(ask(f, a, va, access, denies + 1, level), OK);
        assert_true(level[2] & access);
    }
    if (w.is_allowed)
        return;
    status_t status;
    do {
        vmm_begin(&f->vm);
        status = fault_resolve(&f->vm, fake_space(f, a), va, access, &pager);
        vmm_settle(&f->vm);
    } while (status == E_MORE);
    assert_int_equal(status, outcome == EXPLAIN_AFTER_FAULT ? OK : E_FAULT);
    if (status == OK)
        expect_explained(f, a, va, access);
}

static void test_what_the_walker_finds(void **state)
{
    static const unsigned accesses[] = {PROT_R, PROT_W, PROT_X};
    struct fake *f = *state;
    struct fake_cap a = make_space(f), spaces[3] = {a};
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &spaces[1]), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &spaces[2]), OK);
    expect_explained(f, spaces[1], VA + PAGE_SIZE, PROT_W); // refused below what is held jointly
    for (unsigned i = 0; i < 3; i++)
        for (unsigned page = 0; page < 14; page++)
            for (unsigned k = 0; k < 3; k++) {
                expect_explained(f, spaces[i], VA + page * PAGE_SIZE, accesses[k]);
                expect_explained(f, spaces[i], VA2 + page * PAGE_SIZE + 0xfff, accesses[k]);
                expect_explained(f, spaces[i], GIB + page * 0x100000, accesses[k]);
            }
    for (unsigned i = 0; i < 3; i++)
        fake_drop(f, &spaces[i]);
}

// What was revoked leaves a table without entries, which lets nothing pass.
static void test_what_a_revoke_took(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = make_space(f), b, d;
    assert_int_equal(fake_create(f, f->init, 0, &b), OK);
    assert_int_equal(fake_derive(f, a, VA, 3, RIGHTS_SPACE, &d), OK);
    assert_int_equal(fake_share(f, d, VA, 1, b, VA2, PROT_R), OK);
    expect_explained(f, b, VA2, PROT_R);
    assert_int_equal(fake_revoke(f, a, &d), OK);
    expect_explained(f, b, VA2, PROT_R);
    struct fake_cap *caps[] = {&a, &b, &d};
    for (unsigned i = 0; i < 3; i++)
        fake_drop(f, caps[i]);
}

// The entries of the path, from the root to where it ends.
static void test_levels(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = make_space(f);
    uint64_t answer[MESSAGE_WORDS];
    paddr_t table = fake_root(f, a);
    for (unsigned level = f->info.levels; level; level--) {
        uint64_t entry;
        memcpy(&entry, f->memory + table + (VA >> (3 + 9 * level) & 511) * 8, 8);
        assert_int_equal(ask(f, a, VA, PROT_R, level, answer), OK);
        assert_int_equal(answer[1], entry);
        assert_int_equal(answer[2], level > 1 ? 7 : RW);
        table = entry & PTE_ADDR;
    }
    assert_int_equal(ask(f, a, GIB, PROT_R, 2, answer), OK);
    assert_int_equal(ask(f, a, GIB, PROT_R, 1, answer), E_NOENT);
    assert_int_equal(ask(f, a, VA, PROT_R, f->info.levels + 1, answer), E_NOENT);
    assert_int_equal(ask(f, a, VA, PROT_R, EXPLAIN_GRANTS - 1, answer), E_NOENT);
    assert_int_equal(ask(f, a, VA, 0, 0, answer), E_INVAL);
    assert_int_equal(ask(f, a, VA, RW, 0, answer), E_INVAL);
    assert_int_equal(ask(f, a, ~0ull, PROT_R, 0, answer), E_INVAL);
    fake_drop(f, &a);
}

static void expect_grant(struct fake *f, struct fake_cap a, unsigned n, struct fake_cap of,
                         vaddr_t start, uint64_t pages, enum explain_kind kind)
{
    uint64_t answer[MESSAGE_WORDS];
    assert_int_equal(ask(f, a, VA2, PROT_R, EXPLAIN_GRANTS + n, answer), OK);
    assert_int_equal(answer[1], fake_space(f, of));
    assert_int_equal(answer[2], start);
    assert_int_equal(answer[3], pages);
    assert_int_equal(answer[5], kind);
}

// a, shared through what was derived twice, to b, and on to c. Who pays is a's account.
static void test_grants(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = make_space(f), b, c, d, e;
    uint64_t answer[MESSAGE_WORDS], all = f->vm.state->user_pages;
    assert_int_equal(fake_create(f, f->init, 50, &b), OK);
    assert_int_equal(fake_create(f, f->init, 50, &c), OK);
    assert_int_equal(fake_derive(f, a, VA, 3, RIGHTS_SPACE, &d), OK);
    assert_int_equal(fake_derive(f, d, VA, 2, RIGHTS_SPACE, &e), OK);
    assert_int_equal(fake_share(f, e, VA, 1, b, VA, PROT_R), OK);
    assert_int_equal(fake_share(f, b, VA, 1, c, VA2, PROT_R), OK);
    expect_grant(f, c, 0, b, 0, all, EXPLAIN_SHARED);
    expect_grant(f, c, 1, a, VA, 2, EXPLAIN_SHARED_ON);
    expect_grant(f, c, 2, a, VA, 3, EXPLAIN_DERIVED);
    expect_grant(f, c, 3, a, 0, all, EXPLAIN_DERIVED);
    assert_int_equal(ask(f, c, VA2, PROT_R, EXPLAIN_GRANTS + 4, answer), E_NOENT);
    assert_int_equal(ask(f, a, VA, PROT_R, EXPLAIN_GRANTS, answer), E_NOENT); // its own
    assert_int_equal(ask(f, a, GIB * 8, PROT_R, EXPLAIN_GRANTS, answer), E_NOENT);
    assert_int_equal(ask(f, c, VA2, PROT_W, 0, answer), OK);
    assert_int_equal(answer[4], space_of(&f->vm, fake_space(f, a))->account);
    assert_int_equal(answer[3], RX);
    assert_int_equal(answer[5] & UINT32_MAX, fake_space(f, c));
    assert_int_equal(answer[5] >> 32, space_of(&f->vm, fake_space(f, c))->account);
    fake_drop(f, &d); // what it was derived from takes its place
    expect_grant(f, c, 2, a, 0, all, EXPLAIN_DERIVED);
    assert_int_equal(ask(f, c, VA2, PROT_R, EXPLAIN_GRANTS + 3, answer), E_NOENT);
    struct fake_cap *caps[] = {&e, &a, &b, &c};
    for (unsigned i = 0; i < 4; i++)
        fake_drop(f, caps[i]);
}

// More than can be told is not.
static void test_many_grants(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = make_space(f), chain[EXPLAIN_GRANTS_MAX + 4];
    uint64_t answer[MESSAGE_WORDS];
    const unsigned n = EXPLAIN_GRANTS_MAX + 4;
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(fake_derive(f, i ? chain[i - 1] : a, VA, 3, RIGHTS_SPACE, &chain[i]), OK);
    assert_int_equal(fake_share(f, chain[n - 1], VA, 1, a, VA2 + 0x5000, PROT_R), OK);
    const unsigned last = EXPLAIN_GRANTS + EXPLAIN_GRANTS_MAX - 1;
    assert_int_equal(ask(f, a, VA2 + 0x5000, PROT_R, last, answer), OK);
    assert_int_equal(ask(f, a, VA2 + 0x5000, PROT_R, last + 1, answer), E_NOENT);
    for (unsigned i = 0; i < n; i++)
        fake_drop(f, &chain[i]);
    fake_drop(f, &a);
}

// A task that dies of a fault: the log tells the same.
static void test_the_log(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = make_space(f), task;
    const uint64_t words[MESSAGE_WORDS] = {14, 7, VA2 + PAGE_SIZE, 0x1234};
    const uint64_t nowhere[MESSAGE_WORDS] = {14, 4, 64 * GIB, 0x1234};
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    unsigned object = task_of(&f->vm, portal_of(&f->vm, task.value)->owner)->object;
    assert_false(fake_event(f, object, EVENT_EXCEPTION, words));
    assert_non_null(strstr(f->log, " 3:rwx 2:rwx 1:r--, at level 1 a page r-- of at most r-x, "
                                   "which is not w\n"));
    assert_non_null(strstr(f->log, " pays for the frame, through space "));
    fake_drop(f, &task);
    assert_int_equal(fake_spawn(f, a, NULL, &task), OK);
    object = task_of(&f->vm, portal_of(&f->vm, task.value)->owner)->object;
    assert_false(fake_event(f, object, EVENT_EXCEPTION, nowhere));
    assert_non_null(strstr(f->log, "3:---, at level 3 nothing, which is not r\n"));
    fake_drop(f, &task);
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_what_the_walker_finds), FAKE_TEST(test_levels),      FAKE_TEST(test_grants),
        FAKE_TEST(test_what_a_revoke_took),    FAKE_TEST(test_many_grants), FAKE_TEST(test_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
