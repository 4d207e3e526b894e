// SPDX-License-Identifier: MIT
// Spaces: create, adopt, clone, the last reference.
#include "servers/vmm/core/space.h"

#include <string.h>

#include "arch/layout.h"
#include "servers/vmm/core/table.h"
#include "test/unit/fake/vmm/fake.h"
#include "test/unit/fake/vmm/walker.h"

#define VA 0x400000ull
#define RW (PROT_R | PROT_W)

static struct fake_cap new_space(struct fake *f)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    return a;
}

static void expect(struct fake *f, struct fake_cap a, vaddr_t va, uint8_t wanted)
{
    uint8_t byte;
    assert_int_equal(fake_read(f, a, va, &byte), OK);
    assert_int_equal(byte, wanted);
}

static void put(struct fake *f, struct fake_cap a, vaddr_t va, uint8_t byte)
{
    assert_int_equal(fake_write(f, a, va, byte), OK);
}

static void test_new_space_has_the_kernel_and_nothing_else(void **state)
{
    struct fake *f = *state;
    uint32_t refs = f->vm.state->kernel.refs;
    struct fake_cap a = new_space(f);
    const uint64_t *root = (uint64_t *)(void *)(f->memory + fake_root(f, a));
    const uint64_t *boot = (uint64_t *)(void *)(f->memory + f->info.vmm_root);
    for (unsigned i = 0; i < 512; i++)
        assert_true(i == 510 ? root[i] != 0 : root[i] == (i == 511 ? boot[511] : 0));
    assert_int_equal(f->vm.state->kernel.refs, refs + 1);
    fake_drop(f, &a);
    assert_int_equal(f->vm.state->kernel.refs, refs);
}

// The kernel's space is taken on first use and held by every space: init's, the modules' and
// the devices'.
static void test_kernel_space_is_lazy(void **state)
{
    (void)state;
    struct fake *f = fake_boot((struct fake_config){4, 16, 7});
    assert_int_equal(f->vm.state->kernel.refs, 3);
    assert_true(f->vm.state->kernel.entry.bits != 0);
    fake_end(f);
}

// Init's image is an ordinary space.
static void test_adopted_space(void **state)
{
    struct fake *f = *state;
    uint8_t byte;
    put(f, f->init, 0x401000, 7);
    expect(f, f->init, 0x401000, 7);
    assert_int_equal(fake_write(f, f->init, 0x400000, 7), E_FAULT); // its text
    assert_int_equal(fake_read(f, f->init, 0x402000, &byte), E_FAULT);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_map(f, f->init, 0x500000, 2, RW, 0), OK);
    put(f, f->init, 0x501000, 9);
    assert_int_equal(fake_unmap(f, f->init, 0x500000, 2), OK);
    assert_int_equal(f->vm.state->n_free, before);
}

// C1: what either side writes the other does not see; C4: each write costs what it must.
static void test_cow_clone(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    assert_int_equal(fake_map(f, a, VA, 4, RW, 0), OK);
    put(f, a, VA, 1);
    put(f, a, VA + 77, 3);
    put(f, a, VA + 0x1000, 2);
    uint64_t before = f->vm.state->n_free;
    unsigned flushes = f->n_flushes;
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    assert_int_equal(f->n_flushes, flushes + 1); // all of `a` lost W
    assert_true(f->last_flush.root == fake_root(f, a) && !f->last_flush.pages);
    assert_int_equal(before - f->vm.state->n_free, 1); // the root alone
    assert_int_equal(fake_audit(f), 0);
    expect(f, b, VA, 1);
    before = f->vm.state->n_free;
    put(f, b, VA, 11);
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 1 + 1); // path and page
    put(f, b, VA + 0x1000, 12);
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 1 + 2);
    put(f, a, VA, 21); // nobody else holds that page any more
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 1 + 2);
    put(f, a, VA + 0x2000, 22); // this one is still in both
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 1 + 3);
    expect(f, a, VA, 21);
    expect(f, b, VA, 11);
    expect(f, a, VA + 77, 3); // the rest of the page was copied
    expect(f, b, VA + 77, 3);
    expect(f, a, VA + 0x1000, 2);
    expect(f, b, VA + 0x1000, 12);
    expect(f, b, VA + 0x2000, 0);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a); // C3: either side goes first
    expect(f, b, VA + 0x1000, 12);
    put(f, b, VA + 0x3000, 1);
    fake_drop(f, &b);
}

// C3 the other way, and writes of the survivor copy nothing.
static void test_survivor_owns_all(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    assert_int_equal(fake_map(f, a, VA, 4, RW, 0), OK);
    put(f, a, VA, 1);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    fake_drop(f, &b);
    assert_int_equal(f->vm.state->n_free, before);
    put(f, a, VA, 2);
    put(f, a, VA + 0x3000, 3);
    assert_int_equal(f->vm.state->n_free, before);
    expect(f, a, VA, 2);
    fake_drop(f, &a);
}

static void test_eager_clone(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    assert_int_equal(fake_map(f, a, VA, 4, RW, 0), OK);
    assert_int_equal(fake_map(f, a, 0x7000, 2, PROT_R, 0), OK);
    assert_int_equal(fake_map(f, a, 1ull << 40, 1ull << 28, RW, MAP_LAZY), OK);
    put(f, a, VA, 1);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_clone(f, a, CLONE_COPY, 0, &b), OK);
    assert_true(before - f->vm.state->n_free >= 6 + 3);
    assert_int_equal(fake_audit(f), 0);
    before = f->vm.state->n_free;
    put(f, b, VA, 2);
    put(f, a, VA + 0x1000, 3);
    assert_int_equal(f->vm.state->n_free, before); // all was copied
    expect(f, a, VA, 1);
    expect(f, b, VA + 0x1000, 0);
    put(f, b, (1ull << 40) + 5, 5);
    expect(f, a, (1ull << 40) + 5, 0);
    fake_drop(f, &a);
    expect(f, b, VA, 2);
    fake_drop(f, &b);
}

// Clones of clones, dropped in every order, from a tree of four.
static void test_clones_of_clones(void **state)
{
    struct fake *f = *state;
    for (unsigned order = 0; order < 24; order++) {
        struct fake_cap s[4];
        unsigned left[4] = {0, 1, 2, 3}, rest = order;
        s[0] = new_space(f);
        assert_int_equal(fake_map(f, s[0], VA, 8, RW, MAP_LAZY), OK);
        put(f, s[0], VA, 1);
        for (unsigned i = 1; i < 4; i++) {
            assert_int_equal(fake_clone(f, s[i / 2], i & 1 ? CLONE_COW : CLONE_COPY, 0, &s[i]), OK);
            put(f, s[i], VA + i * 0x1000, (uint8_t)(10 + i));
            put(f, s[i / 2], VA, (uint8_t)(i + 1));
        }
        for (unsigned n = 4; n; n--) {
            unsigned pick = rest % n;
            rest /= n;
            unsigned i = left[pick];
            left[pick] = left[n - 1];
            if (i)
                expect(f, s[i], VA + i * 0x1000, (uint8_t)(10 + i));
            expect(f, s[i], VA + 0x7000, 0);
            fake_drop(f, &s[i]);
            assert_int_equal(fake_audit(f), 0);
        }
        assert_true(f->vm.state->n_free == f->n_free);
    }
}

// C9: a large page under copy-on-write: a write copies 4 KiB of it.
static void test_clone_of_a_large_page(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    assert_int_equal(fake_map(f, a, 0x40000000, 512, RW, MAP_2M), OK);
    put(f, a, 0x40005000, 5);
    put(f, a, 0x40006000, 6);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &b), OK);
    uint64_t before = f->vm.state->n_free;
    put(f, b, 0x40005000, 15);
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 2 + 2);
    expect(f, a, 0x40005000, 5);
    expect(f, b, 0x40006000, 6);
    assert_int_equal(fake_audit(f), 0);
    put(f, a, 0x40006000, 16);
    expect(f, b, 0x40006000, 6);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
    assert_int_equal(fake_audit(f), 0);
    put(f, b, 0x40007000, 7);
    expect(f, b, 0x40006000, 6);
    fake_drop(f, &b);
}

// C12: a clone that fails changes nothing, however few frames are missing.
static void test_clone_without_memory(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), b;
    assert_int_equal(fake_map(f, a, VA, 3, RW, 0), OK);
    assert_int_equal(fake_map(f, a, 0x40000000, 2, RW, 0), OK);
    for (unsigned mode = CLONE_COPY; mode <= CLONE_COW; mode++) {
        unsigned k = 0;
        status_t status;
        do {
            fake_starve(f, k);
            uint64_t sum = fake_sum(f);
            status = fake_clone(f, a, mode, 0, &b);
            if (status != OK) {
                assert_int_equal(status, E_NOMEM);
                assert_true(fake_sum(f) == sum);
                assert_int_equal(f->vm.state->n_free, k);
                assert_int_equal(fake_audit(f), 0);
            }
            fake_feed(f);
            k++;
        } while (status != OK);
        assert_true(k > (mode == CLONE_COW ? 1 : 8));
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &b);
    }
    fake_drop(f, &a);
}

// C13: clones until nothing is left, then all of it comes back.
static void test_clone_bomb(void **state)
{
    struct fake *f = *state;
    static struct fake_cap bomb[4096];
    unsigned n = 1;
    memset(bomb, 0, sizeof bomb);
    bomb[0] = new_space(f);
    assert_int_equal(fake_map(f, bomb[0], VA, 4, RW, 0), OK);
    status_t status = OK;
    while (status == OK && n < 4096) {
        status = fake_clone(f, bomb[n / 2], n & 1 ? CLONE_COW : CLONE_COPY, 0, &bomb[n]);
        if (status == OK)
            status = fake_write(f, bomb[n], VA + (n & 3) * 0x1000, 1);
        n += status == OK;
    }
    assert_int_equal(status, E_NOMEM);
    assert_true(n > 200);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &bomb[n]); // a clone whose first write found no memory, or none
    for (unsigned i = 0; i < n; i++)
        fake_drop(f, &bomb[i % 2 ? i : n - 1 - i]);
    for (unsigned i = 0; i < n; i++)
        fake_drop(f, &bomb[i]);
}

// A space with a quota has an account of its own, carved from its creator's, which gets it back.
static void test_quota(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b;
    assert_int_equal(fake_create(f, f->init, 16, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 20, RW, 0), E_QUOTA); // F4
    assert_int_equal(fake_map(f, a, VA, 2, RW, 0), OK);
    assert_int_equal(fake_create(f, a, 200, &b), E_QUOTA);
    assert_int_equal(fake_create(f, a, 1, &b), E_QUOTA); // a root does not even fit
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 12, &b), E_QUOTA);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 12ull << 40, &b), E_QUOTA);
    assert_int_equal(fake_create(f, f->init, ~0ull, &b), E_QUOTA);
    assert_int_equal(fake_clone(f, f->init, CLONE_COW, 32, &b), OK);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_new_space_has_the_kernel_and_nothing_else),
        cmocka_unit_test(test_kernel_space_is_lazy),
        FAKE_TEST(test_adopted_space),
        FAKE_TEST(test_cow_clone),
        FAKE_TEST(test_survivor_owns_all),
        FAKE_TEST(test_eager_clone),
        FAKE_TEST(test_clones_of_clones),
        FAKE_TEST(test_clone_of_a_large_page),
        FAKE_TEST(test_clone_without_memory),
        FAKE_TEST(test_clone_bomb),
        FAKE_TEST(test_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
