// SPDX-License-Identifier: MIT
#include "servers/vmm/core/frame.h"

#include "servers/vmm/core/audit.h"
#include "test/unit/fake/vmm/fake.h"

static void test_no_memory_changes_nothing(void **state)
{
    struct fake *f = *state;
    fake_starve(f, 0);
    pfn_t pfn = {99};
    uint64_t charged = f->vm.state->n_charged;
    assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, FRAME_PAGE, &pfn), E_NOMEM);
    assert_int_equal(pfn.n, 99);
    assert_int_equal(f->vm.state->n_charged, charged);
    fake_feed(f);
}

static void test_freed_frames_wait_for_the_flush(void **state)
{
    struct fake *f = *state;
    pfn_t pfn = fake_block(f, 1);
    fake_starve(f, 0);
    flush_pages(&f->vm, 0x1000, 0x5000, 1);
    frame_free(&f->vm, pfn);
    unsigned before = f->n_flushes;
    pfn_t other;
    assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, FRAME_PAGE, &other), E_NOMEM);
    assert_int_equal(f->n_flushes, before);
    fake_feed(f);
    assert_int_equal(f->n_flushes, before + 1);
}

// What is given back as zero is not zeroed again, but for what a root has of the kernel.
static void test_zero_frames(void **state)
{
    struct fake *f = *state;
    pfn_t pfn = fake_block(f, 1), again;
    uint64_t *words = frame_at(&f->vm, pfn);
    frames_zero(&f->vm, pfn, 1);
    words[ROOT_ENTRY_KERNEL] = words[ROOT_ENTRY_PROBE] = 1;
    frame_free_zero(&f->vm, pfn);
    assert_int_equal(audit(&f->vm), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, FRAME_PAGE, &again), OK);
        assert_int_equal(again.n, pfn.n);
        assert_int_equal(frame_is_plain(frame_of(&f->vm, pfn)), i);
        words[7] = 5; // by this it shows whether it is zeroed
        frame_zero(&f->vm, pfn);
        assert_int_equal(words[7], i ? 0 : 5);
        assert_true(!words[ROOT_ENTRY_KERNEL] && !words[ROOT_ENTRY_PROBE]);
        assert_true(frame_is_plain(frame_of(&f->vm, pfn)));
        frame_free(&f->vm, pfn); // nobody says that it is zero
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_no_memory_changes_nothing),
        FAKE_TEST(test_freed_frames_wait_for_the_flush),
        FAKE_TEST(test_zero_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
