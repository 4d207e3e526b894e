// SPDX-License-Identifier: MIT
// M5: what may be put where. Every kind of thing at every level of the tables, over everything that
// may be there already, and wherever it does not fit: only the legal pairs succeed, all others
// change nothing. P4 for every size of page.
#include "servers/vmm/core/edit.h"
#include "test/unit/fake/vmm/fake.h"
#include "test/unit/fake/vmm/walker.h"

#define HERE  0x40000000ull // aligned to 1 GiB, so an entry at level 3 can speak for it
#define THERE 0x80000000ull
#define RW    (PROT_R | PROT_W)
#define RWX   (PROT_R | PROT_W | PROT_X)
#define N(a)  (sizeof(a) / sizeof *(a))

// Pages of each size, and where the tables have an entry for one.
static const struct size {
    uint64_t pages;
    unsigned flag, shift;
} sizes[] = {{1, MAP_4K, 12}, {1 << 9, MAP_2M, 21}, {1 << 18, MAP_1G, 30}};

// What can be mapped at HERE.
static const struct thing {
    unsigned size; // of `sizes`
    unsigned flags;
    unsigned shift; // of the page there after a write; 0: it is not written to
} things[] = {
    {0, 0, 12}, {0, MAP_LAZY, 12}, {1, 0, 21}, {1, MAP_LAZY, 21}, {2, MAP_LAZY, 0},
};

// What was there before, somewhere in the first 2 MiB.
enum before { NOTHING, PAGE, LAZY_PAGE, KEPT_PAGE, LARGE, LAZY_LARGE, LAZY_HUGE, PIECES, BEFORES };

static bool is_large(enum before b)
{
    return b == LARGE || b == LAZY_LARGE || b == LAZY_HUGE;
}

static void put_before(struct fake *f, struct fake_cap a, enum before b)
{
    unsigned lazy = b == LAZY_PAGE || b == LAZY_LARGE || b == LAZY_HUGE ? MAP_LAZY : 0;
    const struct size *size = &sizes[b == LAZY_HUGE ? 2 : is_large(b) || b == PIECES];
    if (b == NOTHING)
        return;
    assert_int_equal(fake_map(f, a, HERE, size->pages, RW, size->flag | lazy), OK);
    if (b == KEPT_PAGE)
        assert_int_equal(fake_protect(f, a, HERE, 1, 0), OK);
    if (b == PIECES) // 2 MiB in a table, for a part has other rights
        assert_int_equal(fake_protect(f, a, HERE + 0x5000, 3, PROT_R), OK);
}

static struct fake_cap new_space(struct fake *f)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    return a;
}

static unsigned size_shift(struct fake *f, struct fake_cap a, vaddr_t va)
{
    struct walk w = walk_user(f->memory, fake_root(f, a), f->info.levels, va, WALK_WRITE);
    return w.is_allowed ? w.size_shift : 0;
}

// One pair: the thing at HERE, over what was there, with and without REPLACE.
static void try_pair(struct fake *f, struct fake_cap a, const struct thing *t, enum before b)
{
    const struct size *size = &sizes[t->size];
    uint64_t n_free = f->vm.state->n_free;
    put_before(f, a, b);
    uint64_t sum = fake_sum(f);
    if (b != NOTHING) {
        assert_int_equal(fake_map(f, a, HERE, size->pages, RW, size->flag | t->flags), E_EXISTS);
        assert_true(fake_sum(f) == sum);
    }
    unsigned replace = b == NOTHING ? 0 : MAP_REPLACE;
    assert_int_equal(fake_map(f, a, HERE, size->pages, RW, size->flag | t->flags | replace), OK);
    if (t->shift) {
        assert_int_equal(fake_write(f, a, HERE, 1), OK);
        unsigned shift = size_shift(f, a, HERE);
        // A small page that gets the frame again that was there completes the large one.
        assert_true(shift == t->shift || (shift == 21 && b == LARGE));
    }
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_unmap(f, a, HERE, sizes[2].pages), OK);
    assert_int_equal(f->vm.state->n_free, n_free); // nothing of either is left
}

// M5, M3, M4.
static void test_over_everything(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    for (unsigned t = 0; t < N(things); t++)
        for (enum before b = NOTHING; b < BEFORES; b++)
            try_pair(f, a, &things[t], b);
    fake_drop(f, &a);
}

// M5 below a table that a clone has too: the same pairs, and the clone keeps what was there.
static void test_over_a_clones(void **state)
{
    struct fake *f = *state;
    for (unsigned t = 0; t < N(things); t++)
        for (enum before b = PAGE; b < BEFORES; b++) {
            struct fake_cap a = new_space(f), c;
            const struct size *size = &sizes[things[t].size];
            unsigned flags = size->flag | things[t].flags;
            uint64_t was[MESSAGE_WORDS], is[MESSAGE_WORDS];
            put_before(f, a, b);
            assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &c), OK);
            assert_int_equal(fake_query(f, c, HERE, was), OK);
            uint64_t sum = fake_sum(f);
            assert_int_equal(fake_map(f, a, HERE, size->pages, RW, flags), E_EXISTS);
            assert_true(fake_sum(f) == sum);
            assert_int_equal(fake_map(f, a, HERE, size->pages, RW, flags | MAP_REPLACE), OK);
            assert_int_equal(fake_query(f, c, HERE, is), OK);
            assert_int_equal(is[3] & (RWX | PAGE_LAZY), was[3] & (RWX | PAGE_LAZY));
            assert_true(is[4] == was[4]); // the same frame
            assert_int_equal(fake_audit(f), 0);
            fake_drop(f, &a);
            fake_drop(f, &c);
        }
}

// M5, M6: no page of a size where no entry of its level begins, none in part, and no two sizes.
static void test_where_it_does_not_fit(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    uint64_t sum = fake_sum(f);
    for (unsigned lazy = 0; lazy <= MAP_LAZY; lazy += MAP_LAZY)
        for (unsigned s = 1; s < N(sizes); s++) {
            for (unsigned smaller = 0; smaller < s; smaller++) {
                uint64_t step = sizes[smaller].pages;
                assert_int_equal(fake_map(f, a, HERE + step * PAGE_SIZE, sizes[s].pages, RW,
                                          sizes[s].flag | lazy),
                                 E_INVAL);
                assert_int_equal(
                    fake_map(f, a, HERE, sizes[s].pages - step, RW, sizes[s].flag | lazy), E_INVAL);
                assert_int_equal(fake_map(f, a, HERE, sizes[s].pages, RW,
                                          sizes[s].flag | sizes[smaller].flag | lazy),
                                 E_INVAL);
            }
        }
    assert_true(fake_sum(f) == sum);
    fake_drop(f, &a);
}

static uint64_t pages_of(enum before b)
{
    return is_large(b) || b == PIECES ? 512 : 1;
}

// A share or move of what is at HERE in one space to THERE in another.
static void try_transfer(struct fake *f, enum before source, enum before there, bool moves)
{
    struct fake_cap a = new_space(f), b = new_space(f), narrow;
    unsigned prot = source == KEPT_PAGE || source == PIECES ? PROT_R : RW;
    uint8_t byte;
    put_before(f, a, source);
    put_before(f, b, there);
    assert_int_equal(fake_derive(f, b, HERE, 1 << 18, RIGHTS_SPACE, &narrow), OK);
    uint64_t sum = fake_sum(f);
    status_t status =
        (moves ? fake_move : fake_share)(f, a, HERE, pages_of(source), narrow, HERE, prot);
    assert_int_equal(status, there != NOTHING ? E_EXISTS : source == NOTHING ? E_FAULT : OK);
    if (status != OK) {
        assert_true(fake_sum(f) == sum);
    } else {
        assert_int_equal(fake_read(f, b, HERE, &byte), OK);
        assert_int_equal(fake_read(f, a, HERE, &byte), moves || source == KEPT_PAGE ? E_FAULT : OK);
        if (source == LARGE || source == LAZY_LARGE)
            assert_int_equal(size_shift(f, b, HERE), 21);
    }
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &narrow);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// M5: every source, over everything.
static void test_transfers(void **state)
{
    struct fake *f = *state;
    for (unsigned moves = 0; moves < 2; moves++)
        for (enum before source = NOTHING; source < BEFORES; source++)
            for (enum before there = NOTHING; there < BEFORES; there++)
                try_transfer(f, source, there, moves);
}

// M5: a large page where no entry of its level begins is shared and moved in parts.
static void test_large_pages_in_parts(void **state)
{
    struct fake *f = *state;
    for (unsigned moves = 0; moves < 2; moves++) {
        struct fake_cap a = new_space(f), b = new_space(f);
        put_before(f, a, LARGE);
        assert_int_equal(fake_write(f, a, HERE + 0x7000, 77), OK);
        assert_int_equal((moves ? fake_move : fake_share)(f, a, HERE, 512, b, THERE + 0x1000, RW),
                         OK);
        uint8_t byte;
        assert_int_equal(fake_read(f, b, THERE + 0x8000, &byte), OK);
        assert_int_equal(byte, 77);
        assert_int_equal(size_shift(f, b, THERE + 0x1000), 12);
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &a);
        fake_drop(f, &b);
    }
}

// P4: never W with X, by any request, for any size of page; one of them for the other is fine.
static void test_never_wx(void **state)
{
    struct fake *f = *state;
    for (enum before b = PAGE; b < BEFORES; b++) {
        struct fake_cap a = new_space(f), other = new_space(f);
        uint64_t n = pages_of(b);
        put_before(f, a, b);
        uint64_t sum = fake_sum(f);
        for (unsigned s = 0; s < N(sizes); s++)
            for (unsigned flags = 0; flags < 4; flags++) // MAP_LAZY, MAP_REPLACE
                assert_int_equal(fake_map(f, a, HERE, sizes[s].pages, RWX, sizes[s].flag | flags),
                                 E_WX);
        assert_int_equal(fake_protect(f, a, HERE, n, RWX), E_WX);
        assert_int_equal(fake_share(f, a, HERE, n, other, THERE, RWX), E_WX);
        assert_int_equal(fake_move(f, a, HERE, n, other, THERE, RWX), E_WX);
        assert_true(fake_sum(f) == sum);
        assert_int_equal(fake_protect(f, a, HERE, n, PROT_R | PROT_X), OK);
        assert_int_equal(fake_write(f, a, HERE, 1), E_FAULT);
        assert_int_equal(fake_protect(f, a, HERE, n, RW), OK);
        fake_drop(f, &a);
        fake_drop(f, &other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_over_everything),       FAKE_TEST(test_over_a_clones),
        FAKE_TEST(test_where_it_does_not_fit), FAKE_TEST(test_transfers),
        FAKE_TEST(test_large_pages_in_parts),  FAKE_TEST(test_never_wx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
