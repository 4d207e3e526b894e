// SPDX-License-Identifier: MIT
// Revoking: what goes, from where, and what stays.
#include "servers/vmm/core/revoke.h"

#include "servers/vmm/core/grant.h"
#include "servers/vmm/core/page_table.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA   0x400000ull
#define VA2  0x40000000ull
#define RW   (PROT_R | PROT_W)
#define LAZY (1ull << 40)

// A space with 4 pages at VA and a grant on them, and two other spaces.
struct three {
    struct fake_cap a, b, c, derived;
};

static struct three new_spaces(struct fake *f)
{
    struct three t;
    assert_int_equal(fake_create(f, f->init, 0, &t.a), OK);
    assert_int_equal(fake_create(f, f->init, 0, &t.b), OK);
    assert_int_equal(fake_create(f, f->init, 0, &t.c), OK);
    assert_int_equal(fake_map(f, t.a, VA, 4, RW, 0), OK);
    assert_int_equal(fake_derive(f, t.a, VA, 4, RIGHTS_SPACE, &t.derived), OK);
    return t;
}

static void drop_spaces(struct fake *f, struct three *t)
{
    struct fake_cap *caps[] = {&t->derived, &t->a, &t->b, &t->c};
    for (unsigned i = 0; i < 4; i++) {
        fake_drop(f, caps[i]);
        assert_int_equal(fake_audit(f), 0);
    }
    assert_int_equal(f->vm.state->n_free, f->n_free);
}

static void expect(struct fake *f, struct fake_cap a, vaddr_t va, status_t wanted)
{
    uint8_t byte;
    assert_int_equal(fake_read(f, a, va, &byte), wanted);
}

static void revoke(struct fake *f, struct fake_cap by, struct fake_cap victim)
{
    unsigned n = f->n_flushes;
    assert_int_equal(fake_revoke(f, by, &victim), OK);
    assert_true(f->n_flushes - n <= 2); // one a step
    assert_int_equal(fake_audit(f), 0);
}

static status_t query(struct fake *f, struct fake_cap cap, vaddr_t va)
{
    uint64_t answer[MESSAGE_WORDS];
    return fake_query(f, cap, va, answer);
}

// U9, R1: what came through a capability goes from all spaces, the capability is dead in every slot,
// and the one that it was derived from is as before.
static void test_what_came_through_it_goes(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    struct fake_cap copy = fake_copy(f, t.derived);
    assert_int_equal(fake_write(f, t.a, VA, 7), OK);
    assert_int_equal(fake_share(f, t.derived, VA, 2, t.b, VA2, RW), OK);
    assert_int_equal(fake_share(f, t.derived, VA + 0x1000, 1, t.c, VA2, PROT_R), OK);
    assert_int_equal(fake_audit(f), 0);
    uint64_t n_flushes = f->n_flushes;
    revoke(f, t.a, t.derived);
    assert_int_equal(f->n_flushes - n_flushes, 1);
    assert_int_equal(f->last_flush.root, FLUSH_SPACES);
    expect(f, t.b, VA2, E_FAULT);
    expect(f, t.b, VA2 + 0x1000, E_FAULT);
    expect(f, t.c, VA2, E_FAULT);
    assert_int_equal(query(f, t.derived, VA), E_REVOKED);
    assert_int_equal(query(f, copy, VA), E_REVOKED);
    assert_int_equal(fake_share(f, t.derived, VA, 1, t.b, VA2, RW), E_REVOKED);
    assert_int_equal(fake_share(f, t.a, VA, 1, copy, VA2, RW), E_REVOKED);
    expect(f, t.a, VA, OK);
    assert_int_equal(query(f, t.a, VA), OK);
    fake_drop(f, &copy);
    drop_spaces(f, &t);
}

// What was mapped, moved, or shared through another capability stays; as does what was copied.
static void test_what_did_not_come_through_it_stays(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    struct fake_cap other;
    assert_int_equal(fake_derive(f, t.a, VA, 1, RIGHTS_SPACE, &other), OK); // R5: they overlap
    assert_int_equal(fake_unmap(f, t.a, VA + 0x3000, 1), OK);
    assert_int_equal(fake_map(f, t.derived, VA + 0x3000, 1, RW, 0), OK);
    assert_int_equal(fake_share(f, t.a, VA, 1, t.b, VA2, RW), OK);
    assert_int_equal(fake_share(f, other, VA, 1, t.b, VA2 + 0x1000, RW), OK);
    assert_int_equal(fake_share(f, t.derived, VA, 1, t.b, VA2 + 0x2000, RW), OK);
    assert_int_equal(fake_move(f, t.derived, VA + 0x1000, 1, t.b, VA2 + 0x3000, RW), OK);
    assert_int_equal(fake_share(f, t.derived, VA + 0x2000, 1, t.b, VA2 + 0x4000, RW), OK);
    assert_int_equal(fake_move(f, t.b, VA2 + 0x4000, 1, t.c, VA2, RW), OK);       // a copy, private
    assert_int_equal(fake_share(f, t.b, VA2, 1, t.derived, VA + 0x1000, RW), OK); // into it
    revoke(f, t.a, t.derived);
    expect(f, t.a, VA + 0x3000, OK);
    expect(f, t.a, VA + 0x1000, OK);
    expect(f, t.b, VA2, OK);
    expect(f, t.b, VA2 + 0x1000, OK);
    expect(f, t.b, VA2 + 0x2000, E_FAULT);
    expect(f, t.b, VA2 + 0x3000, OK);
    expect(f, t.b, VA2 + 0x4000, E_FAULT);
    expect(f, t.c, VA2, OK);
    assert_int_equal(query(f, other, VA), OK);
    fake_drop(f, &other);
    drop_spaces(f, &t);
}

// Pages shared on go too, through whatever capability, and so do those that came back.
static void test_what_was_shared_on_goes(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    struct fake_cap d;
    assert_int_equal(fake_share(f, t.derived, VA, 1, t.b, VA2, RW), OK);
    assert_int_equal(fake_share(f, t.b, VA2, 1, t.c, VA2, RW), OK);
    assert_int_equal(fake_derive(f, t.c, VA2, 1, RIGHTS_SPACE, &d), OK);
    assert_int_equal(fake_share(f, d, VA2, 1, t.a, VA2, RW), OK);
    assert_int_equal(fake_share(f, t.a, VA2, 1, t.a, VA2 + 0x1000, RW), OK);
    fake_drop(f, &d);
    assert_int_equal(fake_unmap(f, t.b, VA2, 1), OK); // the lineage stays
    assert_int_equal(fake_audit(f), 0);
    expect(f, t.a, VA2 + 0x1000, OK);
    revoke(f, t.a, t.derived);
    expect(f, t.c, VA2, E_FAULT);
    expect(f, t.a, VA2, E_FAULT);
    expect(f, t.a, VA2 + 0x1000, E_FAULT);
    expect(f, t.a, VA, OK);
    drop_spaces(f, &t);
}

// What was derived from it dies with it; what a dropped one left is its parent's.
static void test_the_whole_tree_dies(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    struct fake_cap d1, d2, d3;
    assert_int_equal(fake_derive(f, t.derived, VA, 2, RIGHTS_SPACE, &d1), OK);
    assert_int_equal(fake_derive(f, d1, VA, 1, RIGHTS_SPACE, &d2), OK);
    assert_int_equal(fake_derive(f, d2, VA, 1, RIGHTS_SPACE, &d3), OK);
    assert_int_equal(fake_share(f, d1, VA, 1, t.b, VA2, RW), OK);
    assert_int_equal(fake_share(f, d3, VA, 1, t.c, VA2, RW), OK);
    fake_drop(f, &d1);
    fake_drop(f, &d2);
    assert_int_equal(fake_audit(f), 0);
    expect(f, t.b, VA2, OK);
    revoke(f, t.a, t.derived);
    expect(f, t.b, VA2, E_FAULT);
    expect(f, t.c, VA2, E_FAULT);
    assert_int_equal(query(f, d3, VA), E_REVOKED);
    fake_drop(f, &d3);
    drop_spaces(f, &t);
}

// Clones and snapshots lose the pages too, and no rollback brings them back; their tables may stay
// empty, and are taken out by what comes next.
static void test_clones_lose_it_too(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    struct fake_cap cow, copy, snapshot;
    const uint64_t snap[MESSAGE_WORDS] = {vmm_word0(VMM_SNAPSHOT, 0)};
    const uint64_t back[MESSAGE_WORDS] = {vmm_word0(VMM_ROLLBACK, 0)};
    assert_int_equal(fake_share(f, t.derived, VA, 1, t.b, VA2, RW), OK);
    assert_int_equal(fake_map(f, t.b, VA, 1, RW, 0), OK);
    assert_int_equal(fake_clone(f, t.b, CLONE_COW, 0, &cow), OK);
    assert_int_equal(fake_clone(f, t.b, CLONE_COPY, 0, &copy), OK);
    assert_int_equal(fake_call(f, t.b, snap, NULL, &snapshot, NULL), OK);
    assert_int_equal(fake_write(f, cow, VA2, 1), OK); // a table of its own, with a link
    assert_int_equal(fake_write(f, cow, VA, 1), OK);
    revoke(f, t.a, t.derived);
    assert_int_equal(fake_call(f, t.b, back, &snapshot, NULL, NULL), OK);
    struct fake_cap all[] = {t.b, cow, copy, snapshot};
    for (unsigned i = 0; i < 4; i++) {
        expect(f, all[i], VA2, E_FAULT);
        expect(f, all[i], VA, OK);
    }
    assert_int_equal(fake_map(f, t.b, VA2, 1, RW, 0), OK);
    assert_int_equal(fake_unmap(f, cow, VA2, 1), OK);
    assert_int_equal(fake_map(f, copy, VA2, 1 << 18, RW, MAP_LAZY), OK); // over the empty tables
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &cow);
    fake_drop(f, &copy);
    fake_drop(f, &snapshot);
    drop_spaces(f, &t);
}

// A table that a revoke left empty is nothing to those who look: to maps, diff and share.
static void test_bare_tables_are_nothing(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    uint64_t answer[MESSAGE_WORDS];
    const uint64_t maps[MESSAGE_WORDS] = {vmm_word0(VMM_MAPS, 0)};
    const uint64_t diff[MESSAGE_WORDS] = {vmm_word0(VMM_DIFF, 0)};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(fake_share(f, t.derived, VA, 1, t.b, VA2 + ((uint64_t)i << 21), RW), OK);
    assert_int_equal(fake_map(f, t.b, LAZY, 1, RW, 0), OK);
    revoke(f, t.a, t.derived);
    assert_int_equal(fake_call(f, t.b, maps, NULL, NULL, answer), OK);
    assert_int_equal(answer[1], LAZY);
    assert_int_equal(answer[2], 1);
    assert_int_equal(fake_unmap(f, t.b, LAZY, 1), OK);
    assert_int_equal(fake_call(f, t.b, maps, NULL, NULL, answer), OK);
    assert_int_equal(answer[2], 0);
    assert_int_equal(fake_call(f, t.b, diff, &t.c, NULL, answer), OK);
    assert_int_equal(answer[2], 0);
    // A page of 2 MiB takes the place of such a table; a copy of the tables leaves them out.
    assert_int_equal(fake_map(f, t.a, VA2, 512, RW, MAP_2M), OK);
    assert_int_equal(fake_share(f, t.a, VA2, 512, t.b, VA2, RW), OK);
    expect(f, t.b, VA2 + 0x3000, OK);
    fake_drop(f, &t.c);
    assert_int_equal(fake_clone(f, t.b, CLONE_COPY, 0, &t.c), OK);
    assert_int_equal(fake_unmap(f, t.c, VA2 + (1 << 21), 512), OK);
    assert_int_equal(fake_map(f, t.c, VA2 + (2 << 21), 1, RW, 0), OK);
    assert_int_equal(fake_unmap(f, t.c, 0, f->vm.state->user_pages), OK);
    assert_int_equal(fake_audit(f), 0);
    drop_spaces(f, &t);
}

// Large pages are revoked as such, and in the parts that they were split into.
static void test_large_pages(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    struct fake_cap d, e;
    assert_int_equal(fake_map(f, t.a, VA2, 512, RW, MAP_2M), OK);
    assert_int_equal(fake_derive(f, t.a, VA2, 512, RIGHTS_SPACE, &d), OK);
    assert_int_equal(fake_share(f, d, VA2, 512, t.b, VA2, RW), OK);
    assert_int_equal(fake_clone(f, t.b, CLONE_COW, 0, &e), OK);
    assert_int_equal(fake_unmap(f, e, VA2 + 0x7000, 1), OK); // splits
    assert_int_equal(fake_protect(f, e, VA2 + 0x9000, 1, PROT_R), OK);
    assert_int_equal(fake_share(f, e, VA2 + 0x9000, 1, t.c, VA2, PROT_R), OK);
    assert_int_equal(fake_share(f, d, VA2 + 0x3000, 1, t.c, VA2 + 0x5000, RW), OK);
    assert_int_equal(fake_audit(f), 0);
    revoke(f, t.a, d);
    expect(f, t.b, VA2, E_FAULT);
    expect(f, e, VA2 + 0x8000, E_FAULT);
    expect(f, e, VA2 + 0x1ff000, E_FAULT);
    expect(f, t.c, VA2, E_FAULT);
    expect(f, t.c, VA2 + 0x5000, E_FAULT);
    expect(f, t.a, VA2 + 0x1ff000, OK);
    fake_drop(f, &d);
    fake_drop(f, &e);
    drop_spaces(f, &t);
}

// Who may: the holder of a capability that it comes from, with the right to derive.
static void test_who_may_revoke(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    struct fake_cap weak, sibling, endpoint, snapshot;
    const uint64_t make[MESSAGE_WORDS] = {vmm_word0(VMM_ENDPOINT, 0)};
    const uint64_t snap[MESSAGE_WORDS] = {vmm_word0(VMM_SNAPSHOT, 0)};
    assert_int_equal(fake_derive(f, t.a, VA, 4, RIGHTS_SPACE & ~RIGHT_DERIVE, &weak), OK);
    assert_int_equal(fake_derive(f, t.a, VA, 4, RIGHTS_SPACE, &sibling), OK);
    assert_int_equal(fake_call(f, t.a, make, NULL, &endpoint, NULL), OK);
    assert_int_equal(fake_revoke(f, t.derived, &t.a), E_RIGHT);
    assert_int_equal(fake_revoke(f, t.derived, &sibling), E_RIGHT);
    assert_int_equal(fake_revoke(f, t.b, &t.derived), E_RIGHT);
    assert_int_equal(fake_revoke(f, weak, NULL), E_RIGHT);
    assert_int_equal(fake_revoke(f, t.a, &endpoint), E_SLOT);
    assert_int_equal(fake_revoke(f, sibling, NULL), OK);
    assert_int_equal(fake_revoke(f, t.a, &sibling), E_REVOKED);
    assert_int_equal(fake_revoke(f, sibling, NULL), E_REVOKED);
    assert_int_equal(fake_revoke(f, t.a, &weak), OK);
    assert_int_equal(fake_call(f, t.b, snap, NULL, &snapshot, NULL), OK);
    assert_int_equal(fake_revoke(f, snapshot, NULL), E_RIGHT); // it is there to be destroyed
    assert_int_equal(query(f, t.derived, VA), OK);
    fake_drop(f, &weak);
    fake_drop(f, &sibling);
    fake_drop(f, &snapshot);
    fake_drop(f, &endpoint);
    drop_spaces(f, &t);
}

// With its last grant and task the space goes; a task in it goes on.
static void test_first_grant(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    struct fake_cap task;
    assert_int_equal(fake_share(f, t.a, VA, 1, t.b, VA2, RW), OK);
    assert_int_equal(fake_share(f, t.derived, VA, 1, t.c, VA2, RW), OK);
    assert_int_equal(fake_spawn(f, t.c, NULL, &task), OK);
    uint64_t n_spaces = f->vm.state->kernel.refs;
    assert_int_equal(fake_revoke(f, t.a, NULL), OK);
    assert_int_equal(f->vm.state->kernel.refs, n_spaces - 1);
    expect(f, t.b, VA2, E_FAULT);
    expect(f, t.c, VA2, E_FAULT);
    assert_int_equal(fake_revoke(f, t.c, NULL), OK);
    assert_int_equal(f->vm.state->kernel.refs, n_spaces - 1);
    assert_int_equal(fake_audit(f), 0);
    const uint64_t kill[MESSAGE_WORDS] = {vmm_word0(VMM_TASK_KILL, 0)};
    assert_int_equal(fake_call(f, task, kill, NULL, NULL, NULL), OK);
    assert_int_equal(f->vm.state->kernel.refs, n_spaces - 2);
    fake_drop(f, &task);
    drop_spaces(f, &t);
}

// A space that is destroyed leaves what was shared out of it, also to those who share it on.
static void test_destroyed_space(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    const uint64_t destroy[MESSAGE_WORDS] = {vmm_word0(VMM_SPACE_DESTROY, 0)};
    assert_int_equal(fake_share(f, t.derived, VA, 1, t.b, VA2, RW), OK);
    assert_int_equal(fake_call(f, t.a, destroy, NULL, NULL, NULL), OK);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_share(f, t.b, VA2, 1, t.c, VA2, RW), OK);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &t.b);
    expect(f, t.c, VA2, OK);
    drop_spaces(f, &t);
}

// 1,000 capabilities and a table full of pages: in bounded steps, by few kernel calls.
static void test_steps_are_bounded(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    enum { N = 1000 };
    static struct fake_cap d[N];
    assert_int_equal(fake_map(f, t.a, VA2, 512, RW, MAP_4K), OK);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(fake_derive(f, i % 3 ? d[i - 1] : t.derived, VA, 1, RIGHTS_SPACE, &d[i]),
                         OK);
    assert_int_equal(fake_share(f, t.a, VA2, 512, t.b, VA2, RW), OK);
    assert_int_equal(fake_share(f, d[7], VA, 1, t.b, VA, RW), OK);
    unsigned n_steps = 1, n_calls = f->n_revokes;
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_REVOKE, 0)};
    while (fake_call(f, t.a, words, &t.derived, NULL, NULL) == E_MORE) {
        assert_true(revoke_is_pending(&f->vm));
        assert_int_equal(query(f, t.derived, VA), E_REVOKED);
        n_steps++;
        fake_drop(f, &d[n_steps]); // dead or alive
        assert_int_equal(fake_audit(f), 0);
    }
    assert_false(revoke_is_pending(&f->vm));
    assert_true(n_steps > N * 8 / REVOKE_WORK / 4); // others did some of them
    assert_true(f->n_revokes - n_calls < N / 10);
    for (unsigned i = 0; i < N; i++) {
        if (d[i].type != CAP_NONE)
            assert_int_equal(query(f, d[i], VA), E_REVOKED);
        fake_drop(f, &d[i]);
    }
    expect(f, t.b, VA, E_FAULT);
    expect(f, t.b, VA2 + 0x1ff000, OK);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_revoke(f, t.a, NULL), OK);
    expect(f, t.b, VA2 + 0x1ff000, E_FAULT);
    drop_spaces(f, &t);
}

// Many derived from one, of which some have something below them: twice, as their places are used again.
static void test_many_siblings(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    enum { N = 1024 };
    static struct fake_cap d[N];
    struct fake_cap source, below;
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(fake_derive(f, t.a, VA, 1, RIGHTS_SPACE, &source), OK);
        for (unsigned i = 0; i < N; i++)
            assert_int_equal(fake_derive(f, source, VA, 1, RIGHTS_SPACE, &d[i]), OK);
        assert_int_equal(fake_derive(f, d[N / 2], VA, 1, RIGHTS_SPACE, &below), OK);
        assert_int_equal(fake_share(f, d[N / 3], VA, 1, t.b, VA2, RW), OK);
        unsigned n_calls = f->n_revokes;
        assert_int_equal(fake_revoke(f, source, NULL), OK);
        assert_true(f->n_revokes - n_calls < N / 20);
        assert_int_equal(fake_audit(f), 0);
        expect(f, t.b, VA2, E_FAULT);
        assert_int_equal(query(f, below, VA), E_REVOKED);
        for (unsigned i = 0; i < N; i++) {
            assert_int_equal(query(f, d[i], VA), E_REVOKED);
            fake_drop(f, &d[i]);
        }
        fake_drop(f, &below);
        fake_drop(f, &source);
    }
    drop_spaces(f, &t);
}

// While a long revoke is under way, others map, share and drop what it is about to reach.
static void test_others_between_steps(void **state)
{
    struct fake *f = *state;
    struct three t = new_spaces(f);
    assert_int_equal(fake_map(f, t.a, VA2, 2048, RW, MAP_4K), OK);
    struct fake_cap d, e;
    assert_int_equal(fake_derive(f, t.a, VA2, 2048, RIGHTS_SPACE, &d), OK);
    assert_int_equal(fake_derive(f, d, VA2, 2048, RIGHTS_SPACE, &e), OK);
    assert_int_equal(fake_share(f, d, VA2, 1024, t.b, VA2, RW), OK);
    assert_int_equal(fake_share(f, e, VA2, 1024, t.b, VA2 << 1, RW), OK);
    assert_int_equal(fake_share(f, t.b, VA2, 512, t.c, VA2, RW), OK);
    assert_int_equal(fake_share(f, t.c, VA2, 512, t.b, VA2 << 2, RW), OK);
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_REVOKE, 0)};
    uint64_t destroy[MESSAGE_WORDS] = {vmm_word0(VMM_SPACE_DESTROY, 0)};
    assert_int_equal(fake_call(f, d, words, NULL, NULL, NULL), E_MORE);
    assert_int_equal(fake_call(f, t.a, words, &e, NULL, NULL), E_MORE); // that is another one
    assert_int_equal(fake_step(f, t.a, destroy, NULL), E_MORE);
    // The one derived from it still lives: through it pages come that go again.
    assert_int_equal(fake_share(f, e, VA2 + (1024 << 12), 8, t.c, VA2 << 1, RW), OK);
    assert_int_equal(fake_share(f, t.c, VA2 << 1, 8, t.c, VA2 << 2, RW), OK);
    assert_int_equal(fake_unmap(f, t.b, VA2, 1024), OK);
    assert_true(revoke_is_pending(&f->vm));
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_revoke(f, d, NULL), OK);
    assert_int_equal(fake_audit(f), 0);
    expect(f, t.b, VA2 << 1, E_FAULT);
    expect(f, t.b, VA2 << 2, E_FAULT);
    expect(f, t.c, VA2, E_FAULT);
    expect(f, t.c, VA2 << 1, E_FAULT);
    expect(f, t.c, VA2 << 2, E_FAULT);
    fake_drop(f, &e);
    fake_drop(f, &d);
    drop_spaces(f, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_what_came_through_it_goes),
        FAKE_TEST(test_what_did_not_come_through_it_stays),
        FAKE_TEST(test_what_was_shared_on_goes),
        FAKE_TEST(test_the_whole_tree_dies),
        FAKE_TEST(test_clones_lose_it_too),
        FAKE_TEST(test_bare_tables_are_nothing),
        FAKE_TEST(test_large_pages),
        FAKE_TEST(test_who_may_revoke),
        FAKE_TEST(test_first_grant),
        FAKE_TEST(test_destroyed_space),
        FAKE_TEST(test_steps_are_bounded),
        FAKE_TEST(test_many_siblings),
        FAKE_TEST(test_others_between_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
