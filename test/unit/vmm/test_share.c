// SPDX-License-Identifier: MIT
// One page is shared, below tables that are there: all that can be missing or in the way.
#include "servers/vmm/core/account.h"
#include "servers/vmm/core/link.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA    0x400000ull
#define VA2   0x40000000ull
#define RW    (PROT_R | PROT_W)
#define QUOTA 50u
#define MANY  256u

// Two spaces with accounts of their own, whose frames of records may be made full.
struct two {
    struct fake_cap a, b;
    record_t kept[2][MANY];
    unsigned n_kept[2];
};

static record_t account(struct fake *f, struct fake_cap space)
{
    return space_of(&f->vm, fake_space(f, space))->account;
}

static void new_spaces(struct fake *f, struct two *t, uint64_t quota)
{
    *t = (struct two){.n_kept = {0}};
    assert_int_equal(fake_create(f, f->init, quota, &t->a), OK);
    assert_int_equal(fake_create(f, f->init, quota, &t->b), OK);
    assert_int_equal(fake_map(f, t->a, VA, 4, RW, 0), OK);
    assert_int_equal(fake_map(f, t->b, VA2 + 8 * PAGE_SIZE, 1, RW, 0), OK);
}

static void drop_spaces(struct fake *f, struct two *t)
{
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &t->a);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &t->b);
}

// The next record of this account needs a frame.
static void fill_records(struct fake *f, struct two *t, unsigned side)
{
    record_t payer = account(f, side ? t->b : t->a);
    while (account_of(&f->vm, payer)->records.n) {
        unsigned i = t->n_kept[side]++;
        assert_true(i < MANY);
        assert_int_equal(link_reserve(&f->vm, payer, 1, &t->kept[side][i]), OK);
    }
}

static void empty_records(struct fake *f, struct two *t)
{
    for (unsigned side = 0; side < 2; side++)
        while (t->n_kept[side])
            link_unreserve(&f->vm, &t->kept[side][--t->n_kept[side]]);
}

static status_t share(struct fake *f, struct two *t, uint64_t page, uint64_t page2, unsigned prot)
{
    return fake_share(f, t->a, VA + page * PAGE_SIZE, 1, t->b, VA2 + page2 * PAGE_SIZE, prot);
}

struct before {
    uint64_t sum, free, charged[2], vias;
};

static struct before look(struct fake *f, struct two *t)
{
    return (struct before){
        .sum = fake_sum(f),
        .free = f->vm.state->n_free,
        .charged = {account_of(&f->vm, account(f, t->a))->charged,
                    account_of(&f->vm, account(f, t->b))->charged},
        .vias = portal_of(&f->vm, t->a.value)->link,
    };
}

static void expect_same(struct fake *f, struct two *t, const struct before *before)
{
    struct before now = look(f, t);
    assert_memory_equal(&now, before, sizeof now);
}

// A via and a link may find no frame; here both spaces draw on one account.
static void test_without_memory(void **state)
{
    struct fake *f = *state;
    for (unsigned full = 0; full < 2; full++) {
        struct two t;
        new_spaces(f, &t, 0);
        if (full)
            fill_records(f, &t, 0);
        for (uint64_t k = 0; k < full; k++) {
            fake_starve(f, k);
            struct before before = look(f, &t);
            assert_int_equal(share(f, &t, 0, 0, RW), E_NOMEM);
            expect_same(f, &t, &before);
            fake_feed(f);
        }
        fake_starve(f, full);
        assert_int_equal(share(f, &t, 0, 0, RW), OK);
        fake_feed(f);
        empty_records(f, &t);
        drop_spaces(f, &t);
    }
}

static void test_without_quota(void **state)
{
    struct fake *f = *state;
    for (unsigned side = 0; side < 2; side++) {
        struct two t;
        new_spaces(f, &t, QUOTA);
        fill_records(f, &t, side);
        struct account *payer = account_of(&f->vm, account(f, side ? t.b : t.a));
        payer->quota = payer->charged + payer->lent;
        struct before before = look(f, &t);
        assert_int_equal(share(f, &t, 0, 0, RW), E_QUOTA);
        expect_same(f, &t, &before);
        payer->quota++;
        assert_int_equal(share(f, &t, 0, 0, RW), OK);
        // The next ones need no records.
        assert_int_equal(share(f, &t, 1, 1, PROT_R), OK);
        assert_int_equal(share(f, &t, 1, 2, RW), OK);
        payer->quota = QUOTA;
        empty_records(f, &t);
        drop_spaces(f, &t);
    }
}

static void test_what_is_in_the_way(void **state)
{
    struct fake *f = *state;
    struct two t;
    struct fake_cap clone, narrow;
    uint8_t byte;
    new_spaces(f, &t, QUOTA);
    struct before before = look(f, &t);
    assert_int_equal(share(f, &t, 0, 8, RW), E_EXISTS);
    assert_int_equal(share(f, &t, 5, 0, RW), E_FAULT);
    expect_same(f, &t, &before);
    // Rights that the leaf may never get.
    unsigned rights = RIGHT_READ | RIGHT_SHARE | RIGHT_MAP;
    assert_int_equal(fake_derive(f, t.a, VA, 4, rights, &narrow), OK);
    assert_int_equal(fake_share(f, narrow, VA, 1, t.b, VA2, PROT_R), OK);
    before = look(f, &t);
    assert_int_equal(fake_share(f, t.b, VA2, 1, t.a, VA + 6 * PAGE_SIZE, RW), E_RIGHT);
    expect_same(f, &t, &before);
    assert_int_equal(fake_share(f, t.b, VA2, 1, t.a, VA + 6 * PAGE_SIZE, PROT_R), OK);
    // A page and tables that a clone has too: it keeps its own.
    assert_int_equal(fake_write(f, t.a, VA + PAGE_SIZE, 1), OK);
    assert_int_equal(fake_clone(f, t.a, CLONE_COW, 0, &clone), OK);
    assert_int_equal(share(f, &t, 1, 1, RW), OK);
    assert_int_equal(fake_write(f, t.b, VA2 + PAGE_SIZE, 2), OK);
    assert_int_equal(fake_read(f, clone, VA + PAGE_SIZE, &byte), OK);
    assert_int_equal(byte, 1);
    assert_int_equal(fake_read(f, t.a, VA + PAGE_SIZE, &byte), OK);
    assert_int_equal(byte, 2);
    fake_drop(f, &clone);
    fake_drop(f, &narrow);
    drop_spaces(f, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_without_memory),
        FAKE_TEST(test_without_quota),
        FAKE_TEST(test_what_is_in_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
