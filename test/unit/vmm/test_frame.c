// SPDX-License-Identifier: MIT
#include "servers/vmm/core/frame.h"

#include <stdlib.h>
#include <string.h>

#include "servers/vmm/core/account.h"
#include "test/unit/fake/vmm/fake.h"

static pfn_t alloc(struct fake *f, unsigned order)
{
    pfn_t pfn;
    assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, order, FRAME_PAGE, &pfn), OK);
    return pfn;
}

static void test_blocks_are_aligned_and_come_back(void **state)
{
    struct fake *f = *state;
    pfn_t blocks[FRAME_ORDERS];
    uint64_t n_free = f->vm.state->n_free;
    for (unsigned order = 0; order < 11; order++) {
        blocks[order] = alloc(f, order);
        assert_int_equal(blocks[order].n & ((1u << order) - 1), 0);
    }
    assert_int_equal(f->vm.state->n_free, n_free - ((1 << 11) - 1));
    for (unsigned order = 0; order < 11; order++)
        frame_free(&f->vm, blocks[order], order);
    assert_int_equal(f->vm.state->n_free, n_free - ((1 << 11) - 1)); // not before the flush
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, n_free);
}

static void test_buddies_join(void **state)
{
    struct fake *f = *state;
    static pfn_t frames[4096];
    unsigned n = 0;
    pfn_t big = alloc(f, 10);
    frame_free(&f->vm, big, 10);
    vmm_settle(&f->vm);
    while (f->vm.state->n_free)
        frames[n++] = alloc(f, 0);
    srand(1);
    for (unsigned i = 0; i < n; i++) {
        unsigned j = i + (unsigned)rand() % (n - i);
        pfn_t pick = frames[j];
        frames[j] = frames[i];
        frame_free(&f->vm, pick, 0);
        if (i % 7 == 0)
            vmm_settle(&f->vm);
    }
    vmm_settle(&f->vm);
    pfn_t again = alloc(f, 10); // there is such a block again
    assert_int_equal(again.n, big.n);
    frame_free(&f->vm, again, 10);
    vmm_settle(&f->vm);
}

static void test_no_memory_changes_nothing(void **state)
{
    struct fake *f = *state;
    fake_starve(f, 0);
    pfn_t pfn = {99};
    uint64_t charged = f->vm.state->n_charged;
    assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, 0, FRAME_PAGE, &pfn), E_NOMEM);
    assert_int_equal(pfn.n, 99);
    assert_int_equal(f->vm.state->n_charged, charged);
    fake_feed(f);
}

static void test_reserve_is_all_or_nothing(void **state)
{
    struct fake *f = *state;
    struct reserve r;
    record_t root = f->vm.state->root_account;
    fake_starve(f, 10);
    assert_int_equal(reserve_fill(&f->vm, &r, root, (uint64_t[3]){11, 0, 0}, false), E_NOMEM);
    assert_int_equal(reserve_fill(&f->vm, &r, root, (uint64_t[3]){2, 1, 0}, false), E_NOMEM);
    assert_int_equal(reserve_fill(&f->vm, &r, root, (uint64_t[3]){1ull << 40, 0, 0}, false),
                     E_NOMEM);
    assert_int_equal(f->vm.state->n_free, 10);
    assert_int_equal(reserve_fill(&f->vm, &r, root, (uint64_t[3]){10, 0, 0}, false), OK);
    assert_int_equal(f->vm.state->n_free, 0);
    pfn_t taken = reserve_take(&f->vm, &r, 1, FRAME_PAGE);
    reserve_drop(&f->vm, &r);
    assert_int_equal(f->vm.state->n_free, 9);
    page_hold(&f->vm, taken, 1);
    page_drop(&f->vm, taken, 1);
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, 10);
    fake_feed(f);
}

// A part of a large page is referenced by its own count and those of the blocks around it.
static void test_parts_of_a_block(void **state)
{
    struct fake *f = *state;
    uint64_t n_free = f->vm.state->n_free;
    pfn_t block = alloc(f, 9), part = {block.n + 77};
    page_hold(&f->vm, block, 2);
    assert_true(page_is_sole(&f->vm, block, 2));
    assert_true(page_is_sole(&f->vm, part, 1)); // by the one entry on the whole
    page_hold(&f->vm, part, 1);
    assert_false(page_is_sole(&f->vm, block, 2));
    assert_false(page_is_sole(&f->vm, part, 1));
    page_drop(&f->vm, block, 2); // all but the part goes
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, n_free - 1);
    assert_true(page_is_sole(&f->vm, part, 1));
    page_drop(&f->vm, part, 1);
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, n_free);
}

static void test_split_of_a_block(void **state)
{
    struct fake *f = *state;
    uint64_t n_free = f->vm.state->n_free;
    pfn_t block = alloc(f, 9);
    page_hold(&f->vm, block, 2);
    for (unsigned i = 0; i < 512; i++)
        page_hold(&f->vm, (pfn_t){block.n + i}, 1);
    page_drop(&f->vm, block, 2);
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, n_free - 512);
    for (unsigned i = 0; i < 512; i++)
        page_drop(&f->vm, (pfn_t){block.n + (i * 5) % 512}, 1);
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, n_free);
}

static struct fake *boot_large(void)
{
    return fake_boot((struct fake_config){4, 3072, 7});
}

// 1 GiB, of which 4 KiB are held by themselves: neither count frees what the other needs.
static void test_parts_of_a_gigabyte(void **state)
{
    struct fake *f = boot_large();
    (void)state;
    pfn_t block = alloc(f, 18), part = {block.n + 1000};
    page_hold(&f->vm, block, 3);
    page_hold(&f->vm, part, 1);
    page_drop(&f->vm, block, 3);
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, f->n_free - 1);
    assert_int_equal(frame_of(&f->vm, part)->kind, FRAME_PAGE);
    page_drop(&f->vm, part, 1);
    block = alloc(f, 18);
    page_hold(&f->vm, block, 3);
    page_hold(&f->vm, (pfn_t){block.n + 512}, 2);
    page_hold(&f->vm, (pfn_t){block.n + 513}, 1);
    page_drop(&f->vm, block, 3);
    page_drop(&f->vm, (pfn_t){block.n + 512}, 2);
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, f->n_free - 1);
    page_drop(&f->vm, (pfn_t){block.n + 513}, 1);
    vmm_settle(&f->vm);
    fake_end(f);
}

static void test_freed_frames_wait_for_the_flush(void **state)
{
    struct fake *f = *state;
    pfn_t pfn = alloc(f, 0);
    fake_starve(f, 0);
    flush_pages(&f->vm, 0x1000, 0x5000, 1);
    frame_free(&f->vm, pfn, 0);
    unsigned before = f->n_flushes;
    pfn_t other;
    assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, 0, FRAME_PAGE, &other),
                     E_NOMEM);
    assert_int_equal(f->n_flushes, before);
    fake_feed(f);
    assert_int_equal(f->n_flushes, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_blocks_are_aligned_and_come_back),
        FAKE_TEST(test_buddies_join),
        FAKE_TEST(test_no_memory_changes_nothing),
        FAKE_TEST(test_reserve_is_all_or_nothing),
        FAKE_TEST(test_parts_of_a_block),
        FAKE_TEST(test_split_of_a_block),
        cmocka_unit_test(test_parts_of_a_gigabyte),
        FAKE_TEST(test_freed_frames_wait_for_the_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
