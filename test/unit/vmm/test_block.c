// SPDX-License-Identifier: MIT
#include "servers/vmm/core/block.h"

#include <stdlib.h>

#include "test/unit/fake/vmm/fake.h"

#define FRAMES_MOST 4096u

static void test_blocks_are_aligned_and_come_back(void **state)
{
    struct fake *f = *state;
    uint64_t n_free = f->vm.state->n_free;
    pfn_t small = fake_block(f, 1), large = fake_block(f, 2);
    assert_int_equal(large.n % 512, 0);
    assert_int_equal(f->vm.state->n_free, n_free - 513);
    frame_free(&f->vm, small); // nothing is to be flushed
    assert_int_equal(f->vm.state->n_free, n_free - 512);
    flush_pages(&f->vm, 0x1000, 0x5000, 1);
    frame_free_block(&f->vm, large, 2);
    assert_int_equal(f->vm.state->n_free, n_free - 512); // not before the flush
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, n_free);
}

// Freed one by one, in whatever order, the frames of large blocks are large blocks again, of which
// no record still says that a part of them is free.
static void test_parts_join(void **state)
{
    struct fake *f = *state;
    static pfn_t frames[FRAMES_MOST];
    uint64_t n_large = block_count(&f->vm, 2);
    unsigned n = 0;
    assert_true(n_large > 1);
    while (f->vm.state->n_free)
        frames[n++] = fake_block(f, 1);
    assert_int_equal(block_count(&f->vm, 1), 0);
    srand(1);
    for (unsigned i = 0; i < n; i++) {
        unsigned j = i + (unsigned)rand() % (n - i);
        pfn_t pick = frames[j];
        frames[j] = frames[i];
        frame_free(&f->vm, pick);
        if (i % 7 == 0)
            vmm_settle(&f->vm);
    }
    vmm_settle(&f->vm);
    assert_int_equal(block_count(&f->vm, 2), n_large);
    pfn_t whole = fake_block(f, 2);
    for (unsigned i = 1; i < 512; i++)
        assert_int_equal(frame_of(&f->vm, (pfn_t){whole.n + i})->kind, FRAME_BODY);
    frame_free_block(&f->vm, whole, 2);
    vmm_settle(&f->vm);
}

// What a flat list of frames says against what the allocator does.
static void check_flat(struct fake *f, const bool *is_ours, uint64_t n_ours, uint64_t n_free)
{
    assert_int_equal(f->vm.state->n_free, n_free - n_ours);
    assert_int_equal(block_count(&f->vm, 1), f->vm.state->n_free);
    for (uint32_t i = 0; i < f->vm.state->n_frames; i++)
        if (is_ours[i])
            assert_false(block_is_free(&f->vm, (pfn_t){i}));
}

static void take_some(struct fake *f, bool *is_ours, unsigned max)
{
    assert_true(block_claim(&f->vm, max));
    while (max) {
        pfn_t *rest;
        const struct block_row row = block_take_row(&f->vm, max, &rest);
        pfn_t pfn = row.first;
        assert_in_range(row.n, 1, max);
        for (unsigned i = 0; i < row.n; i++) {
            struct frame *record = frame_of(&f->vm, pfn);
            assert_false(is_ours[pfn.n]);
            is_ours[pfn.n] = true;
            pfn = record->next;
            *record = (struct frame){.kind = FRAME_RESERVED};
        }
        *rest = pfn;
        max -= row.n;
    }
}

static void give_some(struct fake *f, bool *is_ours, uint64_t *n_ours)
{
    for (uint32_t i = 0; i < f->vm.state->n_frames; i++)
        if (is_ours[i] && rand() % 3 == 0) {
            is_ours[i] = false;
            --*n_ours;
            if (i % 2)
                block_give(&f->vm, (pfn_t){i}, 1);
            else
                block_retire(&f->vm, (pfn_t){i}, 1, 0);
        }
    block_give_waiting(&f->vm);
}

static void test_no_frame_is_given_twice(void **state)
{
    struct fake *f = *state;
    static bool is_ours[2 * FRAMES_MOST];
    uint64_t n_ours = 0, n_free = f->vm.state->n_free;
    assert_true(f->vm.state->n_frames <= 2 * FRAMES_MOST);
    srand(2);
    for (unsigned round = 0; round < 60; round++) {
        unsigned n = 1 + (unsigned)rand() % 700;
        if (n <= f->vm.state->n_free) {
            take_some(f, is_ours, n);
            n_ours += n;
        }
        check_flat(f, is_ours, n_ours, n_free);
        give_some(f, is_ours, &n_ours);
        check_flat(f, is_ours, n_ours, n_free);
    }
    while (n_ours)
        give_some(f, is_ours, &n_ours);
}

static struct fake *boot_large(void)
{
    return fake_boot((struct fake_config){4, 3072, 7});
}

// 1 GiB is broken for a frame, and whole again without it.
static void test_a_gigabyte(void **state)
{
    struct fake *f = boot_large();
    (void)state;
    uint64_t n = block_count(&f->vm, 3);
    assert_true(n > 0);
    while (block_count(&f->vm, 3) == n || block_count(&f->vm, 2) % 512)
        assert_int_not_equal(fake_block(f, 2).n, 0);
    pfn_t last = fake_block(f, 1);
    assert_true(block_count(&f->vm, 3) < n);
    frame_free(&f->vm, last);
    for (uint32_t i = 0; i < f->vm.state->n_frames; i += 512)
        if (frame_of(&f->vm, (pfn_t){i})->kind == FRAME_PAGE &&
            frame_of(&f->vm, (pfn_t){i})->order == 9)
            frame_free_block(&f->vm, (pfn_t){i}, 2);
    vmm_settle(&f->vm);
    assert_int_equal(block_count(&f->vm, 3), n);
    pfn_t whole = fake_block(f, 3);
    for (uint32_t i = 1; i < 1u << 18; i++)
        assert_int_equal(frame_of(&f->vm, (pfn_t){whole.n + i})->kind, FRAME_BODY);
    frame_free_block(&f->vm, whole, 3);
    vmm_settle(&f->vm);
    fake_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_blocks_are_aligned_and_come_back),
        FAKE_TEST(test_parts_join),
        FAKE_TEST(test_no_frame_is_given_twice),
        cmocka_unit_test(test_a_gigabyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
