// SPDX-License-Identifier: MIT
// Lineage: vias and links follow what edits do to entries and tables, cost what they should and are
// all gone at the end; the audit sees what disagrees.
#include "servers/vmm/core/link.h"

#include "servers/vmm/core/account.h"
#include "servers/vmm/core/audit.h"
#include "servers/vmm/core/page_table.h"
#include "servers/vmm/core/pool.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/table.h"
#include "test/unit/fake/vmm/fake.h"

#define VA  0x400000ull
#define VA2 0x40000000ull
#define RW  (PROT_R | PROT_W)

struct two {
    struct fake_cap a, b;
};

static struct two new_spaces_with(struct fake *f, uint64_t quota)
{
    struct two t;
    assert_int_equal(fake_create(f, f->init, quota, &t.a), OK);
    assert_int_equal(fake_create(f, f->init, quota, &t.b), OK);
    assert_int_equal(fake_map(f, t.a, VA, 512, RW, MAP_4K), OK);
    return t;
}

static struct two new_spaces(struct fake *f)
{
    return new_spaces_with(f, 1700);
}

static void drop_spaces(struct fake *f, struct two *t)
{
    fake_drop(f, &t->a);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &t->b);
    assert_int_equal(f->vm.state->n_free, f->n_free);
}

static struct spot spot_at(struct fake *f, struct fake_cap cap, vaddr_t va)
{
    return pt_find(&f->vm, space_of(&f->vm, fake_space(f, cap))->root, va >> PAGE_SHIFT);
}

// By which via the page came.
static record_t via_at(struct fake *f, struct fake_cap cap, vaddr_t va)
{
    struct spot spot = spot_at(f, cap, va);
    record_t via = link_via(&f->vm, spot.table, table_index(va >> PAGE_SHIFT, spot.level));
    assert_int_equal(!!via, pte_is_linked(spot.pte));
    return via;
}

static unsigned links_at(struct fake *f, struct fake_cap cap, vaddr_t va)
{
    return link_count(&f->vm, spot_at(f, cap, va).table);
}

static void test_one_via_for_alike(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    assert_int_equal(fake_share(f, t.a, VA, 300, t.b, VA2, RW), OK);
    assert_int_equal(links_at(f, t.b, VA2), 2); // a half each
    record_t via = via_at(f, t.b, VA2);
    assert_int_equal(via_at(f, t.b, VA2 + (299 << 12)), via);
    assert_int_equal(via_at(f, t.b, VA2 + (300 << 12)), 0);
    assert_int_equal(via_at(f, t.a, VA), 0); // shared, but not by a share
    assert_int_equal(fake_share(f, t.a, VA, 1, t.b, VA2 + (300 << 12), RW), OK);
    assert_int_equal(via_at(f, t.b, VA2 + (300 << 12)), via);
    assert_int_equal(links_at(f, t.b, VA2), 2);
    assert_int_equal(via_of(&f->vm, via)->grant, t.a.value);
    assert_int_equal(via_of(&f->vm, via)->parent, 0);
    // On from there, with pages that came otherwise between them.
    assert_int_equal(fake_map(f, t.b, VA2 - 0x1000, 1, RW, 0), OK);
    assert_int_equal(fake_share(f, t.b, VA2 - 0x1000, 3, t.a, VA2, RW), OK);
    assert_int_equal(links_at(f, t.a, VA2), 2);
    assert_int_equal(via_of(&f->vm, via_at(f, t.a, VA2 + 0x1000))->parent, via);
    assert_int_equal(via_of(&f->vm, via_at(f, t.a, VA2))->parent, 0);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_unmap(f, t.b, VA2, 512), OK); // the via stays for its child
    assert_int_equal(via_of(&f->vm, via)->links, 0);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_unmap(f, t.a, VA2, 3), OK);
    assert_int_equal(portal_of(&f->vm, t.a.value)->link, 0);
    assert_int_equal(portal_of(&f->vm, t.b.value)->link, 0);
    drop_spaces(f, &t);
}

// Unmapping, replacing and moving take entries out of their links, and the last one the link.
static void test_entries_that_go(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    assert_int_equal(fake_share(f, t.a, VA, 512, t.b, VA2, RW), OK);
    assert_int_equal(fake_unmap(f, t.b, VA2 + (60 << 12), 10), OK);
    assert_int_equal(fake_map(f, t.b, VA2 + (255 << 12), 2, RW, MAP_REPLACE), OK);
    assert_int_equal(fake_move(f, t.b, VA2, 1, t.b, VA2 << 1, RW), OK);
    assert_int_equal(fake_move(f, t.b, VA2 + (511 << 12), 1, t.b, (VA2 << 1) + 0x1000, RW), OK);
    assert_int_equal(via_at(f, t.b, VA2 << 1), 0);
    assert_int_equal(fake_protect(f, t.b, VA2 + 0x1000, 8, 0), OK); // held, but still shared
    assert_int_not_equal(via_at(f, t.b, VA2 + 0x1000), 0);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_unmap(f, t.b, VA2, 254), OK);
    assert_int_equal(links_at(f, t.b, VA2 + (256 << 12)), 2);
    assert_int_equal(fake_unmap(f, t.b, VA2, 256), OK);
    assert_int_equal(links_at(f, t.b, VA2 + (256 << 12)), 1);
    assert_int_equal(fake_unmap(f, t.b, VA2, 512), OK);
    assert_int_equal(portal_of(&f->vm, t.a.value)->link, 0);
    assert_int_equal(fake_audit(f), 0);
    drop_spaces(f, &t);
}

// Each page came another way: one link each, and more vias than a share looks through.
static void test_many_vias(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    enum { N = 40 };
    struct fake_cap d[N];
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(fake_derive(f, t.a, VA, 512, RIGHTS_SPACE, &d[i]), OK);
        assert_int_equal(fake_share(f, d[i], VA, 1, t.b, VA2 + (i << 12), RW), OK);
    }
    assert_int_equal(links_at(f, t.b, VA2), N);
    assert_int_equal(fake_share(f, t.b, VA2, N, t.a, VA2, RW), OK);
    assert_int_equal(fake_share(f, t.b, VA2, N, t.a, VA2 + (N << 12), RW), OK);
    assert_int_equal(fake_audit(f), 0);
    for (unsigned i = 0; i < 2 * N; i++)
        assert_int_equal(via_of(&f->vm, via_at(f, t.a, VA2 + (i << 12)))->parent,
                         via_at(f, t.b, VA2 + (i % N << 12)));
    for (unsigned i = 0; i < N; i += 2)
        assert_int_equal(fake_revoke(f, t.a, &d[i]), OK);
    assert_int_equal(links_at(f, t.b, VA2 + 0x1000), N / 2);
    assert_int_equal(fake_audit(f), 0);
    for (unsigned i = 0; i < N; i++)
        fake_drop(f, &d[i]);
    drop_spaces(f, &t);
}

// A copy of a table has links of its own; the parts of a large page are linked like it.
static void test_tables_copied_and_split(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    struct fake_cap c;
    assert_int_equal(fake_share(f, t.a, VA, 512, t.b, VA2, RW), OK);
    assert_int_equal(fake_map(f, t.b, VA2 + 0x200000, 1, RW, 0), OK);
    record_t via = via_at(f, t.b, VA2);
    assert_int_equal(fake_clone(f, t.b, CLONE_COW, 0, &c), OK);
    pfn_t table = spot_at(f, c, VA2).table;
    assert_int_equal(fake_unmap(f, c, VA2 + 0x5000, 1), OK);
    assert_int_not_equal(spot_at(f, c, VA2).table.n, table.n);
    assert_int_equal(via_at(f, c, VA2), via);
    assert_int_not_equal(via_at(f, t.b, VA2 + 0x5000), 0);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &c);
    assert_int_equal(links_at(f, t.b, VA2), 2);
    assert_int_equal(fake_map(f, t.a, VA2, 512, RW, MAP_2M), OK);
    assert_int_equal(fake_share(f, t.a, VA2, 512, t.b, VA2 << 1, RW), OK);
    assert_int_equal(spot_at(f, t.b, VA2 << 1).level, 2);
    assert_int_equal(links_at(f, t.b, VA2 << 1), 1);
    assert_int_equal(fake_unmap(f, t.b, (VA2 << 1) + 0x5000, 1), OK);
    assert_int_equal(links_at(f, t.b, VA2 << 1), 2);
    assert_int_equal(via_at(f, t.b, VA2 << 1), via);
    assert_int_equal(fake_audit(f), 0);
    drop_spaces(f, &t);
}

// With 0, 1, 2 ... frames, and all places for records taken: nothing changed, and at last it succeeds.
static void fill_records(struct fake *f, struct fake_cap a, record_t *taken, unsigned *n)
{
    record_t id = space_of(&f->vm, fake_space(f, a))->account;
    while (account_of(&f->vm, id)->records.n)
        assert_int_equal(record_alloc(&f->vm, id, RECORD_ENDPOINT, &taken[(*n)++]), OK);
}

static status_t share_many(struct fake *f, struct fake_cap from, struct fake_cap to)
{
    return fake_share(f, from, VA2 - 0x2000, 5, to, VA2 - 0x5000, RW);
}

static status_t split_large(struct fake *f, struct fake_cap from, struct fake_cap to)
{
    (void)from;
    return fake_protect(f, to, (VA2 << 1) + 0x5000, 1, PROT_R);
}

static status_t copy_table(struct fake *f, struct fake_cap from, struct fake_cap to)
{
    (void)from;
    return fake_unmap(f, to, VA2 + 0x1000, 1);
}

static void test_without_memory(void **state)
{
    struct fake *f = *state;
    status_t (*const operations[])(struct fake *, struct fake_cap,
                                   struct fake_cap) = {share_many, split_large, copy_table};
    for (unsigned i = 0; i < 3; i++) {
        struct two t = new_spaces_with(f, 0); // all on one account
        record_t taken[2 * RECORDS_PER_FRAME];
        struct fake_cap c;
        unsigned n = 0, k = 0;
        assert_int_equal(fake_map(f, t.a, VA2 << 1, 512, RW, MAP_2M), OK);
        assert_int_equal(fake_share(f, t.a, VA2 << 1, 512, t.b, VA2 << 1, RW), OK);
        assert_int_equal(fake_map(f, t.a, VA2 - 0x2000, 5, RW, 0), OK);
        assert_int_equal(fake_share(f, t.a, VA2, 2, t.b, VA2, RW), OK);
        assert_int_equal(fake_unmap(f, t.a, VA2, 1), OK);
        assert_int_equal(fake_share(f, t.b, VA2, 1, t.a, VA2, RW), OK);
        assert_int_equal(fake_clone(f, t.b, CLONE_COW, 0, &c), OK);
        fill_records(f, t.a, taken, &n);
        status_t status;
        do {
            fake_starve(f, k);
            uint64_t sum = fake_sum(f);
            status = operations[i](f, t.a, i ? c : t.b);
            if (status != OK) {
                assert_int_equal(status, E_NOMEM);
                assert_true(fake_sum(f) == sum);
                assert_int_equal(f->vm.state->n_free, k);
            }
            fake_feed(f);
            k++;
        } while (status != OK);
        assert_true(k > 2); // tables, and a frame of records
        while (n)
            record_free(&f->vm, taken[--n]);
        vmm_settle(&f->vm);
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &c);
        drop_spaces(f, &t);
    }
}

// Leaves no two free frames in a row: every second page of a space that has all of them.
static struct fake_cap take_blocks(struct fake *f)
{
    struct fake_cap all;
    uint64_t n = f->vm.state->n_free - f->vm.state->n_free / PTE_ENTRIES - f->info.levels - 3;
    assert_int_equal(fake_create(f, f->init, 0, &all), OK);
    assert_int_equal(fake_map(f, all, 1ull << 40, n, RW, MAP_4K), OK);
    fake_starve(f, 0);
    for (uint64_t i = 0; i < n; i += 2)
        assert_int_equal(fake_unmap(f, all, (1ull << 40) + (i << PAGE_SHIFT), 1), OK);
    return all;
}

// A large page that was shared, and a table of shared pages that a clone has too, make room for small
// pages where no block is free; or the page is copied in small ones, which can be revoked like it.
static void test_without_blocks(void **state)
{
    (void)state;
    struct fake *f = fake_boot((struct fake_config){4, 32, 7});
    struct two t = new_spaces_with(f, 0);
    struct fake_cap c, all;
    assert_int_equal(fake_map(f, t.a, VA2 << 1, 1024, RW, 0), OK);
    assert_int_equal(fake_share(f, t.a, VA2 << 1, 1024, t.b, VA2 << 1, RW), OK);
    assert_int_equal(fake_share(f, t.a, VA, 511, t.b, VA2, RW), OK);
    assert_int_equal(fake_clone(f, t.b, CLONE_COW, 0, &c), OK);
    all = take_blocks(f);
    assert_int_equal(fake_map(f, t.b, VA2 << 1, 512, RW, MAP_REPLACE), OK);
    assert_int_equal(fake_map(f, t.b, VA2, 512, RW, MAP_REPLACE), OK);
    assert_int_equal(links_at(f, t.b, VA2), 0);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_move(f, t.b, (VA2 << 1) + 0x200000, 512, t.a, VA2 << 2, RW), OK);
    assert_int_equal(links_at(f, t.a, VA2 << 2), 0);
    assert_int_equal(fake_audit(f), 0);
    fake_feed(f);
    fake_drop(f, &all);
    fake_drop(f, &c);
    drop_spaces(f, &t);
    fake_end(f);
}

// Who gets pages pays for their links, who gives them for the vias.
static void test_who_pays(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    assert_int_equal(fake_share(f, t.a, VA, 1, t.b, VA2, RW), OK);
    record_t via = via_at(f, t.b, VA2), link = via_of(&f->vm, via)->links;
    record_t a = space_of(&f->vm, fake_space(f, t.a))->account;
    record_t b = space_of(&f->vm, fake_space(f, t.b))->account;
    assert_int_equal(frame_of(&f->vm, (pfn_t){via / RECORDS_PER_FRAME})->account, a);
    assert_int_equal(frame_of(&f->vm, (pfn_t){link / RECORDS_PER_FRAME})->account, b);
    drop_spaces(f, &t);
}

// Each field that something else also tells, changed.
static void test_audit_sees_disagreement(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    assert_int_equal(fake_share(f, t.a, VA, 2, t.b, VA2, RW), OK);
    assert_int_equal(fake_share(f, t.b, VA2, 1, t.b, VA2 + 0x5000, RW), OK);
    record_t id = via_at(f, t.b, VA2);
    struct via *v = via_of(&f->vm, id);
    struct link *l = link_of(&f->vm, v->links);
    struct spot spot = spot_at(f, t.b, VA2);
    uint64_t *entry = &table_entries(&f->vm, spot.table)[0].bits;
    uint32_t *const fields[] = {
        &v->parent, &v->child, &v->prev,    &v->links,         &v->grant,
        &l->prev,   &l->via,   &l->table.n, &l->prev_of_table, &frame_of(&f->vm, spot.table)->link};
    const uint32_t other = v->child;
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint32_t was = *fields[i];
        *fields[i] = was == other ? 0 : other;
        if (fields[i] == &v->grant || fields[i] == &l->table.n)
            *fields[i] = fields[i] == &v->grant ? t.b.value : 1;
        assert_int_not_equal(audit(&f->vm), 0);
        *fields[i] = was;
        assert_int_equal(audit(&f->vm), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        uint64_t was = l->entries[0], change = i == 0 ? 1 : i == 1 ? 4 : was;
        l->entries[0] ^= change; // one less, one more, none
        assert_int_not_equal(audit(&f->vm), 0);
        l->entries[0] = was;
    }
    *entry ^= PTE_SHARED;
    assert_int_not_equal(audit(&f->vm), 0);
    *entry ^= PTE_SHARED | PTE_LINKED;
    assert_int_not_equal(audit(&f->vm), 0);
    *entry ^= PTE_LINKED;
    assert_int_equal(audit(&f->vm), 0);
    drop_spaces(f, &t);
}

// Pages are shared on and on, one by one or several: so often and no further.
static void test_depth(void **state)
{
    struct fake *f = *state;
    for (unsigned n = 1; n < 3; n++) {
        struct two t = new_spaces(f);
        const struct fake_cap at[] = {t.a, t.b};
        assert_int_equal(fake_map(f, t.b, VA2, 1, RW, 0), OK); // its table is there
        for (unsigned i = 0; i < VIAS_DEEP; i++)
            assert_int_equal(fake_share(f, at[i & 1], i ? VA2 + i * 0x2000 : VA, n, at[~i & 1],
                                        VA2 + (i + 1) * 0x2000, RW),
                             OK);
        uint64_t sum = fake_sum(f), charged = f->vm.state->n_charged;
        assert_int_equal(fake_share(f, t.a, VA2 + VIAS_DEEP * 0x2000, n, t.b, VA2 << 1, RW),
                         E_LIMIT);
        assert_true(fake_sum(f) == sum && f->vm.state->n_charged == charged);
        assert_int_equal(fake_move(f, t.a, VA2 + VIAS_DEEP * 0x2000, n, t.b, VA2 << 1, RW), OK);
        assert_int_equal(fake_audit(f), 0);
        drop_spaces(f, &t);
    }
}

static int64_t least_left;

static void watch_left(struct fake *f)
{
    least_left = f->vm.left < least_left ? f->vm.left : least_left;
}

// A table full of pages each of which came its own way: to look through its links is work like any other, and
// no message does much more than its share.
static void test_a_table_full_of_links(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    struct fake_cap grants[512];
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(fake_derive(f, t.a, 0, 1 << 20, RIGHTS_SPACE, &grants[i]), OK);
        assert_int_equal(fake_share(f, grants[i], VA, 1, t.b, VA2 + i * PAGE_SIZE, RW), OK);
    }
    assert_int_equal(links_at(f, t.b, VA2), 512);
    f->vm.state->step_work = 2000;
    f->n_more = 0;
    f->between = watch_left;
    least_left = 0;
    assert_int_equal(fake_share(f, t.b, VA2, 512, t.a, VA2, RW), OK);
    assert_in_range(f->n_more, 512 * 256 / 2 / 2000, 10 * 512);
    f->n_more = 0;
    assert_int_equal(fake_move(f, t.b, VA2, 512, t.b, VA2 << 1, RW), OK);
    assert_in_range(f->n_more, 512 * 128 / 2 / 2000, 10 * 512);
    assert_true(least_left > -6000);
    f->between = NULL;
    f->vm.state->step_work = STEP_WORK;
    assert_int_equal(fake_audit(f), 0);
    for (unsigned i = 0; i < 512; i++)
        fake_drop(f, &grants[i]);
    drop_spaces(f, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_one_via_for_alike),
        FAKE_TEST(test_entries_that_go),
        FAKE_TEST(test_many_vias),
        FAKE_TEST(test_tables_copied_and_split),
        FAKE_TEST(test_without_memory),
        cmocka_unit_test(test_without_blocks),
        FAKE_TEST(test_depth),
        FAKE_TEST(test_a_table_full_of_links),
        FAKE_TEST(test_who_pays),
        FAKE_TEST(test_audit_sees_disagreement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
