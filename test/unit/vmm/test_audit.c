// SPDX-License-Identifier: MIT
// The audit finds what is wrong: each test breaks one thing by hand, and mends it.
#include "servers/vmm/core/audit.h"

#include "servers/vmm/core/account.h"
#include "servers/vmm/core/block.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/table.h"
#include "test/unit/fake/vmm/fake.h"

#define VA 0x400000ull
#define RW (PROT_R | PROT_W)

struct world {
    struct fake_cap a, b;
    pfn_t root, leaf_table, page;
    pte_t *leaf, *top;
};

static struct world make_world(struct fake *f)
{
    struct world w;
    assert_int_equal(fake_create(f, f->init, 0, &w.a), OK);
    assert_int_equal(fake_map(f, w.a, VA, 3, RW, 0), OK);
    assert_int_equal(fake_clone(f, w.a, CLONE_COPY, 0, &w.b), OK);
    assert_int_equal(fake_write(f, w.a, VA, 1), OK);
    w.root = frame_number(fake_root(f, w.a));
    w.leaf_table = w.root;
    w.top = NULL;
    for (unsigned level = f->info.levels; level > 1; level--) {
        pte_t *e = &table_entries(&f->vm, w.leaf_table)[table_index(VA >> 12, level)];
        if (!w.top)
            w.top = e;
        w.leaf_table = frame_number(pte_address(*e));
    }
    w.leaf = &table_entries(&f->vm, w.leaf_table)[table_index(VA >> 12, 1)];
    w.page = frame_number(pte_address(*w.leaf));
    assert_int_equal(fake_audit(f), 0);
    return w;
}

static void drop_world(struct fake *f, struct world *w)
{
    assert_int_equal(audit(&f->vm), 0);
    fake_drop(f, &w->a);
    fake_drop(f, &w->b);
}

// Sets *field to `value`; the audit must complain; and back.
#define EXPECT_ERROR(f, field, value)         \
    do {                                      \
        __typeof__(field) old_ = (field);     \
        (field) = (value);                    \
        assert_true(audit(&(f)->vm) > 0);     \
        (field) = old_;                       \
        assert_int_equal(audit(&(f)->vm), 0); \
    } while (0)

static void test_counts(void **state)
{
    struct fake *f = *state;
    struct world w = make_world(f);
    struct vmm *vm = &f->vm;
    EXPECT_ERROR(f, frame_of(vm, w.page)->refs, 2);
    EXPECT_ERROR(f, frame_of(vm, w.page)->refs, 0);
    EXPECT_ERROR(f, frame_of(vm, w.page)->block_refs[0], 1);
    EXPECT_ERROR(f, frame_of(vm, w.leaf_table)->refs, 2);
    EXPECT_ERROR(f, frame_of(vm, w.leaf_table)->used, 2);
    EXPECT_ERROR(f, frame_of(vm, w.leaf_table)->first, 1);
    EXPECT_ERROR(f, frame_of(vm, w.leaf_table)->level, 2);
    EXPECT_ERROR(f, frame_of(vm, w.root)->refs, 2);
    EXPECT_ERROR(f, space_of(vm, fake_space(f, w.a))->refs, 2);
    EXPECT_ERROR(f, account_of(vm, vm->state->root_account)->refs, 9);
    EXPECT_ERROR(f, account_of(vm, vm->state->root_account)->lent, 9);
    EXPECT_ERROR(f, account_of(vm, vm->state->root_account)->charged, 9);
    EXPECT_ERROR(f, vm->state->n_free, 9);
    EXPECT_ERROR(f, block_stretch(vm, w.page, 1)->n_free, 9);
    EXPECT_ERROR(f, block_stretch(vm, w.page, 1)->free.n, w.page.n);
    EXPECT_ERROR(f, vm->state->n_charged, 9);
    EXPECT_ERROR(f, vm->state->n_reserved, 9);
    EXPECT_ERROR(f, vm->state->n_boot, 9);
    drop_world(f, &w);
}

static void test_kinds(void **state)
{
    struct fake *f = *state;
    struct world w = make_world(f);
    struct vmm *vm = &f->vm;
    for (unsigned kind = FRAME_ABSENT; kind <= FRAME_OBJECT; kind++)
        if (kind != FRAME_PAGE && kind != FRAME_RECORDS && kind != FRAME_PORTALS)
            EXPECT_ERROR(f, frame_of(vm, w.page)->kind, (uint8_t)kind);
    drop_world(f, &w);
}

static void test_entries(void **state)
{
    struct fake *f = *state;
    struct world w = make_world(f);
    const uint64_t leaf = w.leaf->bits, top = w.top->bits;
    const uint64_t frame = PTE_ADDR;
    EXPECT_ERROR(f, w.leaf->bits, leaf & ~PTE_NX);                          // W with X
    EXPECT_ERROR(f, w.leaf->bits, leaf & ~PTE_A);                           // the CPU would write
    EXPECT_ERROR(f, w.leaf->bits, leaf & ~PTE_U);                           //
    EXPECT_ERROR(f, w.leaf->bits, leaf | PTE_G);                            //
    EXPECT_ERROR(f, w.leaf->bits, leaf & ~PTE_MAX);                         // more than it may
    EXPECT_ERROR(f, w.leaf->bits, 0);                                       // a page lost
    EXPECT_ERROR(f, w.leaf->bits, (leaf & ~frame) | frame_address(w.root)); // maps a table
    EXPECT_ERROR(f, w.leaf->bits, (leaf & ~frame) | f->info.vmm_root);      // the VMM's own
    EXPECT_ERROR(f, w.leaf->bits, (leaf & ~frame) | 1ull << 40);            // no RAM
    EXPECT_ERROR(f, w.leaf->bits, leaf | (uint64_t)PROT_X << PTE_PROT_SHIFT);
    EXPECT_ERROR(f, w.leaf[5].bits, pte_lazy(1, RW, PROT_R).bits);
    EXPECT_ERROR(f, w.leaf[100].bits, pte_lazy(1, RW, RW).bits); // out of the table's range
    EXPECT_ERROR(f, w.top->bits, (top & ~frame) | 1ull << 40 | PTE_W);
    EXPECT_ERROR(f, w.top->bits, top & ~PTE_U);
    EXPECT_ERROR(f, w.top->bits, top | PTE_NX);
    EXPECT_ERROR(f, w.top->bits, (top & ~frame) | frame_address(w.page)); // no table
    pte_t *upper = &table_entries(&f->vm, w.root)[300];
    EXPECT_ERROR(f, upper->bits, top);
    EXPECT_ERROR(f, table_entries(&f->vm, w.root)[511].bits, 0);
    drop_world(f, &w);
}

// The window names what the kernel may use: objects, and never for user code.
static void test_window(void **state)
{
    struct fake *f = *state;
    struct world w = make_world(f);
    pfn_t table = frame_number(pte_address(table_load(&f->vm, f->vm.state->window, 0)));
    pte_t *e = table_entries(&f->vm, table);
    unsigned i = 0;
    while (!e[i].bits || frame_of(&f->vm, frame_number(pte_address(e[i])))->kind != FRAME_OBJECT)
        i++;
    const uint64_t bits = e[i].bits;
    EXPECT_ERROR(f, e[i].bits, bits | PTE_U);
    EXPECT_ERROR(f, e[i].bits, (bits & ~PTE_ADDR) | frame_address(w.page));
    EXPECT_ERROR(f, e[i].bits, 0);
    drop_world(f, &w);
}

// Many errors: all are counted, the first few are logged.
static void test_many_errors(void **state)
{
    struct fake *f = *state;
    struct world w = make_world(f);
    f->log[0] = 0;
    for (unsigned i = 0; i < 20; i++)
        w.leaf[i + 100].bits = PTE_P;
    assert_true(audit(&f->vm) >= 20);
    unsigned lines = 0;
    for (const char *at = f->log; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 8);
    for (unsigned i = 0; i < 20; i++)
        w.leaf[i + 100].bits = 0;
    drop_world(f, &w);
}

// An empty table hangs in the tree.
static void test_empty_table(void **state)
{
    struct fake *f = *state;
    struct world w = make_world(f);
    pfn_t table;
    assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, FRAME_TABLE, &table), OK);
    frame_zero(&f->vm, table);
    frame_of(&f->vm, table)->refs = 1;
    frame_of(&f->vm, table)->level = (uint8_t)(f->info.levels - 1);
    table_store(&f->vm, w.root, 9, pte_table(frame_address(table), true));
    assert_int_equal(audit(&f->vm), 1);
    table_store(&f->vm, w.root, 9, PTE_NONE);
    frame_free(&f->vm, table);
    vmm_settle(&f->vm);
    drop_world(f, &w);
}

// W where someone else holds the page or the table too.
static void test_w_over_joint(void **state)
{
    struct fake *f = *state;
    struct world w = make_world(f);
    struct fake_cap c;
    assert_int_equal(fake_clone(f, w.a, CLONE_COW, 0, &c), OK);
    EXPECT_ERROR(f, w.top->bits, w.top->bits | PTE_W);
    assert_int_equal(fake_write(f, c, VA, 1), OK); // copies the path: the pages are in two tables
    EXPECT_ERROR(f, w.leaf[1].bits, w.leaf[1].bits | PTE_W);
    fake_drop(f, &c);
    drop_world(f, &w);
}

// A free frame of which it is said that it is zero, and one in use.
static void test_zero(void **state)
{
    struct fake *f = *state;
    struct world w = make_world(f);
    pfn_t pfn = fake_block(f, 1);
    uint64_t *words = frame_at(&f->vm, pfn);
    frames_zero(&f->vm, pfn, 1);
    frame_free_zero(&f->vm, pfn);
    EXPECT_ERROR(f, words[0], 1);
    EXPECT_ERROR(f, words[509], 1);
    EXPECT_ERROR(f, frame_of(&f->vm, w.page)->flags, FRAME_ZERO);
    drop_world(f, &w);
}

// Both free and mapped.
static void test_free_and_mapped(void **state)
{
    struct fake *f = *state;
    struct world w = make_world(f);
    pfn_t block = {f->vm.state->n_frames - 1};
    while (!block_is_free(&f->vm, block))
        block.n--;
    EXPECT_ERROR(f, frame_of(&f->vm, block)->kind, FRAME_PAGE);
    EXPECT_ERROR(f, w.leaf->bits, (w.leaf->bits & ~PTE_ADDR) | frame_address(block));
    drop_world(f, &w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_counts),       FAKE_TEST(test_kinds),       FAKE_TEST(test_entries),
        FAKE_TEST(test_w_over_joint), FAKE_TEST(test_zero),        FAKE_TEST(test_free_and_mapped),
        FAKE_TEST(test_window),       FAKE_TEST(test_many_errors), FAKE_TEST(test_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
