// SPDX-License-Identifier: MIT
// Long requests in steps of a few units: what others see and do between them.
#include "servers/vmm/core/job.h"

#include <string.h>

#include "servers/vmm/core/space.h"
#include "servers/vmm/core/table.h"
#include "test/unit/fake/vmm/fake.h"

#define VA    0x40000000ull
#define RW    (PROT_R | PROT_W)
#define PAGES 40u

static struct fake_cap new_space(struct fake *f, uint64_t quota)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, quota, &a), OK);
    return a;
}

static bool is_locked(struct fake *f, struct fake_cap a)
{
    return space_of(&f->vm, fake_space(f, a))->job;
}

static void audit_between(struct fake *f)
{
    assert_int_equal(fake_audit(f), 0);
}

// Every request in steps of every small size: as if it had been done at once, and the books are right
// after each step.
static void test_in_steps(void **state)
{
    struct fake *f = *state;
    f->between = audit_between;
    for (unsigned work = 1; work < 200; work = work * 3 + 1) {
        struct fake_cap a = new_space(f, 0), b = new_space(f, 0), c;
        uint8_t byte = 1;
        f->vm.state->step_work = work;
        f->n_more = 0;
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
        for (unsigned i = 0; i < PAGES; i++)
            assert_int_equal(fake_write(f, a, VA + i * PAGE_SIZE, (uint8_t)i), OK);
        assert_int_equal(fake_clone(f, a, CLONE_COPY, 0, &c), OK);
        assert_int_equal(fake_protect(f, a, VA, PAGES, PROT_R), OK);
        assert_int_equal(fake_write(f, a, VA + 9 * PAGE_SIZE, 1), E_FAULT);
        assert_int_equal(fake_protect(f, a, VA, PAGES, RW), OK);
        assert_int_equal(fake_share(f, c, VA, PAGES, b, VA, RW), OK);
        assert_int_equal(fake_move(f, a, VA, PAGES, b, 2 * VA, RW), OK);
        assert_int_equal(fake_read(f, a, VA, &byte), E_FAULT);
        for (unsigned i = 0; i < PAGES; i++) {
            assert_int_equal(fake_read(f, b, 2 * VA + i * PAGE_SIZE, &byte), OK);
            assert_int_equal(byte, i);
            assert_int_equal(fake_write(f, b, VA + i * PAGE_SIZE, 7), OK);
            assert_int_equal(fake_read(f, c, VA + i * PAGE_SIZE, &byte), OK);
            assert_int_equal(byte, 7);
        }
        assert_int_equal(fake_unmap(f, b, VA, PAGES), OK);
        assert_true(f->n_more > 20);
        f->vm.state->step_work = STEP_WORK;
        fake_drop(f, &a);
        fake_drop(f, &b);
        fake_drop(f, &c);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// The first step of a long map: the space is locked from then on.
static void map_first_step(struct fake *f, struct fake_cap a, uint64_t words[MESSAGE_WORDS])
{
    const uint64_t first[MESSAGE_WORDS] = {vmm_word0(VMM_MAP, MAP_4K), VA, 2000, RW};
    memcpy(words, first, sizeof first);
    assert_int_equal(fake_step(f, a, words, NULL), E_MORE);
    assert_true(is_locked(f, a));
    assert_int_equal(words[1], VA);
    words[0] = first[0];
}

// Who finds a job that has begun to change something finishes it, and its caller is told so when he
// comes back. Others are not concerned.
static void test_others_help(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), b = new_space(f, 0);
    uint64_t words[MESSAGE_WORDS], other[MESSAGE_WORDS] = {vmm_word0(VMM_MAP, 0), VA, 1, RW};
    map_first_step(f, a, words);
    assert_int_equal(fake_step(f, b, other, NULL), OK);
    assert_true(is_locked(f, a));
    assert_int_equal(fake_write(f, a, VA + 1999 * PAGE_SIZE, 3), OK); // a fault helps
    assert_false(is_locked(f, a));
    assert_int_equal(fake_call(f, a, words, NULL, NULL, NULL), OK);
    assert_int_equal(fake_call(f, a, words, NULL, NULL, NULL), E_STATE); // that was told once
    assert_int_equal(fake_map(f, a, VA, 1, RW, 0), E_EXISTS);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// So does who finds one that has changed nothing yet, if he wants to change something.
static void test_a_plan_is_helped(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), b = new_space(f, 0);
    uint64_t share[MESSAGE_WORDS] = {vmm_word0(VMM_SHARE, 0), VA, PAGES, VA, RW};
    const uint64_t word0 = share[0];
    uint8_t byte;
    assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
    f->vm.state->step_work = 10;
    assert_int_equal(fake_step(f, a, share, &b), E_MORE);
    assert_true(is_locked(f, a) && is_locked(f, b));
    f->vm.state->step_work = STEP_WORK;
    assert_int_equal(fake_unmap(f, a, VA, 1), OK); // when it was shared
    assert_false(is_locked(f, a) || is_locked(f, b));
    assert_int_equal(fake_read(f, b, VA, &byte), OK);
    assert_int_equal(fake_read(f, a, VA, &byte), E_FAULT);
    share[0] = word0;
    assert_int_equal(fake_step(f, a, share, &b), OK);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

static const struct fake_cap *neighbour;

static void query_and_map(struct fake *f)
{
    const struct fake_cap a = *neighbour;
    uint64_t map[MESSAGE_WORDS] = {vmm_word0(VMM_MAP, MAP_REPLACE), 4 * VA, PAGES, RW};
    uint64_t query[MESSAGE_WORDS] = {vmm_word0(VMM_QUERY, 0), VA};
    record_t job = space_of(&f->vm, fake_space(f, a))->job;
    bool commits = job && job_of(&f->vm, job)->commits;
    status_t status = fake_step(f, a, query, NULL);
    assert_true(status == OK || (commits && status == E_MORE));
    assert_true(fake_step(f, a, map, NULL) == E_MORE || !job);
}

// Neighbours who look and who change something keep nobody from going on: they take steps off him.
static void test_neighbours(void **state)
{
    struct fake *f = *state;
    for (unsigned work = 1; work <= 121; work = work * 3 + 1) {
        struct fake_cap a = new_space(f, 0);
        unsigned alone;
        f->vm.state->step_work = work;
        f->n_more = 0;
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
        alone = f->n_more;
        f->n_more = 0;
        neighbour = &a;
        f->between = query_and_map;
        assert_int_equal(fake_map(f, a, 2 * VA, PAGES, RW, MAP_4K), OK);
        f->between = NULL;
        assert_in_range(f->n_more, 1, alone);
        f->vm.state->step_work = STEP_WORK;
        fake_drop(f, &a);
    }
}

// A space that goes takes its job along, wherever that is, and the other one is free.
static void test_the_space_goes(void **state)
{
    struct fake *f = *state;
    for (unsigned steps = 1; steps < 60; steps++) {
        struct fake_cap a = new_space(f, 300), b = new_space(f, 0);
        uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_MOVE, 0), VA, PAGES, VA, RW};
        const uint64_t word0 = words[0];
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_LAZY), OK);
        f->vm.state->step_work = 300;
        for (unsigned i = 0; i < steps && fake_step(f, a, words, &b) == E_MORE; i++)
            words[0] = word0;
        f->vm.state->step_work = STEP_WORK;
        fake_drop(f, &a);
        assert_false(is_locked(f, b));
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &b);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// A token is no good in other hands, nor when it is made up.
static void test_tokens(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), d;
    uint64_t words[MESSAGE_WORDS], token;
    assert_int_equal(fake_derive(f, a, 0, 1 << 20, RIGHTS_SPACE, &d), OK);
    map_first_step(f, a, words);
    token = words[5];
    assert_int_equal(fake_call(f, d, words, NULL, NULL, NULL), E_STATE);
    words[5] = token + (1ull << 32); // of a later one
    assert_int_equal(fake_call(f, a, words, NULL, NULL, NULL), E_STATE);
    const uint64_t made_up[] = {1, 0x123456, token ^ 1, token | 63, UINT64_MAX, fake_space(f, a)};
    for (unsigned i = 0; i < sizeof made_up / sizeof made_up[0]; i++) {
        words[5] = made_up[i];
        assert_int_equal(fake_call(f, a, words, NULL, NULL, NULL), E_STATE);
    }
    words[5] = token;
    assert_int_equal(fake_call(f, a, words, NULL, NULL, NULL), OK);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &d);
    fake_drop(f, &a);
}

// Callers that never come back: only how the last jobs of a space ended is remembered.
static void test_nobody_comes_back(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0);
    uint64_t words[JOBS_ENDED + 2][MESSAGE_WORDS];
    for (unsigned i = 0; i < JOBS_ENDED + 2; i++) {
        const uint64_t map[MESSAGE_WORDS] = {vmm_word0(VMM_MAP, MAP_4K | MAP_REPLACE), VA, PAGES,
                                             RW};
        memcpy(words[i], map, sizeof map);
        f->vm.state->step_work = 100;
        assert_int_equal(fake_step(f, a, words[i], NULL), E_MORE);
        words[i][0] = map[0];
        f->vm.state->step_work = STEP_WORK;
        assert_int_equal(fake_map(f, a, 2 * VA, 1, RW, MAP_REPLACE), OK); // helps
    }
    assert_int_equal(fake_audit(f), 0);
    for (unsigned i = 0; i < JOBS_ENDED + 2; i++)
        assert_int_equal(fake_step(f, a, words[i], NULL), i < 2 ? E_STATE : OK);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
}

// In steps too, what finds no memory or no quota has changed nothing.
static void test_failures_in_steps(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), b = new_space(f, 0);
    assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_LAZY), OK);
    f->vm.state->step_work = 4;
    for (unsigned k = 0;; k++) {
        fake_starve(f, k);
        uint64_t sum = fake_sum(f);
        status_t status = fake_share(f, a, VA, PAGES, b, VA, RW);
        if (status == OK)
            break;
        assert_int_equal(status, E_NOMEM);
        assert_true(fake_sum(f) == sum);
        assert_int_equal(f->vm.state->n_free, k);
        assert_int_equal(fake_audit(f), 0);
    }
    f->vm.state->step_work = STEP_WORK;
    fake_feed(f);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// A capability is revoked whose job shares pages, or is about to: none comes through it after that,
// even if nothing has yet, or somebody helps.
static void test_the_grant_goes(void **state)
{
    struct fake *f = *state;
    for (unsigned steps = 1; steps < 80; steps++) {
        struct fake_cap a = new_space(f, 0), b = new_space(f, 0), parent, leaf;
        uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SHARE, 0), VA, PAGES, VA, RW};
        const uint64_t word0 = words[0];
        assert_int_equal(fake_derive(f, a, 0, 1 << 20, RIGHTS_SPACE, &parent), OK);
        assert_int_equal(fake_derive(f, parent, 0, 1 << 20, RIGHTS_SPACE, &leaf), OK);
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_LAZY), OK);
        f->vm.state->step_work = 300;
        for (unsigned i = 0; i < steps && fake_step(f, leaf, words, &b) == E_MORE; i++)
            words[0] = word0;
        f->vm.state->step_work = STEP_WORK;
        assert_int_equal(fake_revoke(f, a, &parent), OK);
        assert_int_equal(fake_audit(f), 0);
        for (unsigned i = 0; i < PAGES; i++) {
            uint8_t byte;
            assert_int_equal(fake_read(f, b, VA + i * PAGE_SIZE, &byte), E_FAULT);
        }
        assert_false(is_locked(f, a) || is_locked(f, b));
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &leaf);
        fake_drop(f, &parent);
        fake_drop(f, &a);
        fake_drop(f, &b);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// A plan made for a capability that is revoked is none any more, and its caller is told.
static void test_the_destination_goes(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), b = new_space(f, 0), to;
    uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SHARE, 0), VA, PAGES, VA, RW};
    const uint64_t word0 = words[0];
    assert_int_equal(fake_derive(f, b, 0, 1 << 20, RIGHTS_SPACE, &to), OK);
    assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
    f->vm.state->step_work = 10;
    assert_int_equal(fake_step(f, a, words, &to), E_MORE);
    f->vm.state->step_work = STEP_WORK;
    assert_int_equal(fake_revoke(f, b, &to), OK);
    words[0] = word0;
    assert_int_equal(fake_step(f, a, words, NULL), E_REVOKED);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &to);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// All tables on the way to a page, the root's user half first.
struct path {
    pte_t entries[5][PTE_ENTRIES];
};

static void read_path(struct fake *f, struct fake_cap a, vaddr_t va, struct path *path)
{
    pfn_t table = frame_number(fake_root(f, a));
    for (unsigned level = f->info.levels; level; level--) {
        memcpy(path->entries[level - 1], table_entries(&f->vm, table), PAGE_SIZE);
        table = frame_number(pte_address(table_load(&f->vm, table, table_index(va >> 12, level))));
    }
}

// A long clone that finds no memory, whoever's step it is that does not: its caller is told, and what he has
// is empty. Nobody else is concerned, and each entry of the source is as it was.
static void test_a_clone_fails(void **state)
{
    struct fake *f = *state;
    const uint64_t settle[MESSAGE_WORDS] = {vmm_word0(VMM_SETTLE, 0)};
    const uint64_t query[MESSAGE_WORDS] = {vmm_word0(VMM_QUERY, 0), VA};
    for (unsigned helps = 0; helps < 4; helps++)
        for (unsigned work = 1; work <= 121; work = work * 3 + 1) {
            struct fake_cap a = new_space(f, 0), c = {CAP_NONE, 0};
            static struct path before, after;
            uint64_t answer[MESSAGE_WORDS];
            uint8_t byte;
            assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
            assert_int_equal(fake_write(f, a, VA, 9), OK);
            read_path(f, a, VA, &before);
            uint64_t clone[MESSAGE_WORDS] = {vmm_word0(VMM_SPACE_CLONE, 0), CLONE_COPY, 30};
            f->vm.state->step_work = work;
            assert_int_equal(fake_begin(f, a, clone, &c), E_MORE);
            for (unsigned i = 0; i < 10000 && is_locked(f, c); i++) {
                if (helps == 1)
                    (void)fake_write(f, c, VA, 1);
                else if (helps == 2)
                    (void)fake_map(f, c, 2 * VA, 1, RW, 0);
                else
                    (void)fake_call(f, c, settle, NULL, NULL, NULL);
                if (helps == 3) // a task in it sees the source's pages, and its CPU remembers them
                    (void)fake_read(f, c, VA, &byte);
            }
            read_path(f, a, VA, &after);
            assert_memory_equal(&before, &after, sizeof before);
            assert_int_equal(fake_audit(f), 0);
            f->vm.state->step_work = STEP_WORK;
            for (unsigned i = 0; i < 2; i++)
                assert_int_equal(fake_call(f, c, settle, NULL, NULL, NULL), E_QUOTA);
            assert_int_equal(fake_call(f, c, query, NULL, NULL, answer), OK);
            assert_int_equal(answer[3], 0);
            assert_int_equal(fake_read(f, c, VA, &byte), E_FAULT);
            assert_int_equal(fake_read(f, a, VA, &byte), OK);
            assert_int_equal(byte, 9);
            fake_drop(f, &c);
            fake_drop(f, &a);
            assert_int_equal(f->vm.state->n_free, f->n_free);
        }
}

// When a revoke is done, so is what went on through the grant, on this side or on that: nothing comes
// through it later, and nothing is left halfway.
static void test_a_revoke_waits(void **state)
{
    struct fake *f = *state;
    for (unsigned which = 0; which < 5; which++)
        for (unsigned steps = 1; steps < 90; steps += 2) {
            const enum vmm_request request = which == 4  ? VMM_MAP
                                             : which & 1 ? VMM_MOVE
                                                         : VMM_SHARE;
            struct fake_cap a = new_space(f, 0), b = new_space(f, 0), from, to;
            uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, 0), VA, PAGES, VA, RW};
            const uint64_t word0 = words[0];
            unsigned in_a = 0, in_b = 0;
            uint8_t byte;
            assert_int_equal(fake_derive(f, a, 0, 1 << 20, RIGHTS_SPACE, &from), OK);
            assert_int_equal(fake_derive(f, b, 0, 1 << 20, RIGHTS_SPACE, &to), OK);
            if (request == VMM_MAP)
                words[3] = RW;
            else
                assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_LAZY), OK);
            f->vm.state->step_work = 300;
            for (unsigned i = 0; i < steps && fake_step(f, from, words, &to) == E_MORE; i++)
                words[0] = word0;
            f->between = audit_between;
            assert_int_equal(which & 2 ? fake_revoke(f, b, &to) : fake_revoke(f, a, &from), OK);
            f->between = NULL;
            assert_false(is_locked(f, a) || is_locked(f, b));
            assert_int_equal(fake_audit(f), 0);
            f->vm.state->step_work = STEP_WORK;
            for (unsigned i = 0; i < PAGES; i++) {
                in_a += fake_read(f, a, VA + i * PAGE_SIZE, &byte) == OK;
                in_b += fake_read(f, b, VA + i * PAGE_SIZE, &byte) == OK;
            }
            if (request == VMM_MOVE)
                assert_true((in_a == PAGES && !in_b) || (in_b == PAGES && !in_a));
            else if (request == VMM_SHARE)
                assert_true(in_a == PAGES && (!in_b || (which == 2 && in_b == PAGES)));
            else
                assert_true(!in_a || in_a == PAGES);
            fake_drop(f, &from);
            fake_drop(f, &to);
            fake_drop(f, &a);
            fake_drop(f, &b);
            assert_int_equal(f->vm.state->n_free, f->n_free);
        }
}

// A MOVE whose destination goes meanwhile: it was done before that, or its caller has all that he had.
static void test_a_move_into_nothing(void **state)
{
    struct fake *f = *state;
    unsigned n_done = 0, n_failed = 0;
    for (unsigned steps = 1; steps < 120; steps++) {
        struct fake_cap a = new_space(f, 0), b = new_space(f, 0);
        uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_MOVE, 0), VA, PAGES, VA, RW};
        const uint64_t word0 = words[0];
        status_t status = E_MORE;
        unsigned left = 0;
        uint8_t byte;
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_LAZY), OK);
        f->vm.state->step_work = 300;
        for (unsigned i = 0; i < steps && status == E_MORE; i++) {
            status = fake_step(f, a, words, &b);
            words[0] = word0;
        }
        fake_drop(f, &b);
        assert_int_equal(fake_audit(f), 0);
        f->between = audit_between;
        if (status == E_MORE)
            status = fake_call(f, a, words, NULL, NULL, NULL);
        f->between = NULL;
        f->vm.state->step_work = STEP_WORK;
        for (unsigned i = 0; i < PAGES; i++)
            left += fake_read(f, a, VA + i * PAGE_SIZE, &byte) == OK;
        assert_int_equal(status, left ? E_REVOKED : OK);
        assert_true(!left || left == PAGES);
        n_done += !left;
        n_failed += !!left;
        fake_drop(f, &a);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
    assert_true(n_done > 3 && n_failed > 3);
}

// A snapshot of a space at which a job is waits for that, and comes with none of E_MORE.
static void test_a_snapshot_waits(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f, 0), snapshot;
    const uint64_t take[MESSAGE_WORDS] = {vmm_word0(VMM_SNAPSHOT, 0), 50};
    uint64_t words[MESSAGE_WORDS], first[MESSAGE_WORDS], answer[MESSAGE_WORDS];
    map_first_step(f, a, words);
    memcpy(first, take, sizeof first);
    f->vm.state->step_work = 500;
    assert_int_equal(fake_begin(f, a, first, &snapshot), E_MORE);
    assert_int_equal(first[1], 50); // its quota
    f->vm.state->step_work = STEP_WORK;
    assert_int_equal(fake_call(f, a, take, NULL, &snapshot, NULL), OK);
    assert_false(is_locked(f, a) || is_locked(f, snapshot));
    assert_int_equal(fake_query(f, snapshot, VA + 1999 * PAGE_SIZE, answer), OK);
    assert_true(answer[3] & PAGE_MAPPED);
    assert_int_equal(fake_call(f, a, words, NULL, NULL, NULL), OK);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &snapshot);
    fake_drop(f, &a);
}

// Who shares drops his capability on the way: the pages are there, as if they came through the one that it
// was derived from.
static void test_the_caller_is_gone(void **state)
{
    struct fake *f = *state;
    for (unsigned steps = 1; steps < 40; steps++) {
        struct fake_cap a = new_space(f, 0), b = new_space(f, 0), leaf;
        uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SHARE, 0), VA, PAGES, VA, RW};
        const uint64_t word0 = words[0];
        unsigned n = 0;
        uint8_t byte;
        assert_int_equal(fake_derive(f, a, 0, 1 << 20, RIGHTS_SPACE, &leaf), OK);
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
        f->vm.state->step_work = 300;
        for (unsigned i = 0; i < steps && fake_step(f, leaf, words, &b) == E_MORE; i++)
            words[0] = word0;
        fake_drop(f, &leaf);
        assert_int_equal(fake_audit(f), 0);
        f->vm.state->step_work = STEP_WORK;
        for (unsigned i = 0; i < PAGES; i++)
            n += fake_read(f, b, VA + i * PAGE_SIZE, &byte) == OK;
        assert_true(!n || n == PAGES);
        assert_int_equal(fake_revoke(f, a, NULL), OK);
        assert_int_equal(fake_read(f, b, VA, &byte), E_FAULT);
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &a);
        fake_drop(f, &b);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

// And if that one is revoked before the job is done, on this side or on that, nothing comes after it.
static void test_what_was_left_is_revoked(void **state)
{
    struct fake *f = *state;
    for (unsigned steps = 1; steps < 80; steps++) {
        struct fake_cap a = new_space(f, 0), b = new_space(f, 0), parent, leaf;
        bool is_there = steps & 1;
        uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SHARE, 0), VA, PAGES, VA, RW};
        const uint64_t word0 = words[0];
        uint8_t byte;
        assert_int_equal(fake_derive(f, is_there ? b : a, 0, 1 << 20, RIGHTS_SPACE, &parent), OK);
        assert_int_equal(fake_derive(f, parent, 0, 1 << 20, RIGHTS_SPACE, &leaf), OK);
        assert_int_equal(fake_map(f, a, VA, PAGES, RW, MAP_4K), OK);
        f->vm.state->step_work = 300;
        struct fake_cap *by = is_there ? &a : &leaf, *to = is_there ? &leaf : &b;
        for (unsigned i = 0; i < steps / 2 + 1 && fake_step(f, *by, words, to) == E_MORE; i++)
            words[0] = word0;
        fake_drop(f, &leaf);
        assert_int_equal(fake_revoke(f, is_there ? b : a, &parent), OK);
        assert_false(is_locked(f, a) || is_locked(f, b));
        f->vm.state->step_work = STEP_WORK;
        assert_int_equal(fake_audit(f), 0);
        if (!is_there)
            assert_int_equal(fake_read(f, b, VA + (PAGES - 1) * PAGE_SIZE, &byte), E_FAULT);
        fake_drop(f, &parent);
        fake_drop(f, &a);
        fake_drop(f, &b);
        assert_int_equal(f->vm.state->n_free, f->n_free);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_in_steps),
        FAKE_TEST(test_others_help),
        FAKE_TEST(test_a_plan_is_helped),
        FAKE_TEST(test_neighbours),
        FAKE_TEST(test_the_space_goes),
        FAKE_TEST(test_tokens),
        FAKE_TEST(test_nobody_comes_back),
        FAKE_TEST(test_failures_in_steps),
        FAKE_TEST(test_the_grant_goes),
        FAKE_TEST(test_the_destination_goes),
        FAKE_TEST(test_a_clone_fails),
        FAKE_TEST(test_a_revoke_waits),
        FAKE_TEST(test_a_move_into_nothing),
        FAKE_TEST(test_a_snapshot_waits),
        FAKE_TEST(test_the_caller_is_gone),
        FAKE_TEST(test_what_was_left_is_revoked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
