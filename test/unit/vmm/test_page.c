// SPDX-License-Identifier: MIT
#include "servers/vmm/core/page.h"

#include "test/unit/fake/vmm/fake.h"

// A part of a large page is referenced by its own count and those of the blocks around it.
static void test_parts_of_a_block(void **state)
{
    struct fake *f = *state;
    uint64_t n_free = f->vm.state->n_free;
    pfn_t block = fake_block(f, 2), part = {block.n + 77};
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
    pfn_t block = fake_block(f, 2);
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
    pfn_t block = fake_block(f, 3), part = {block.n + 1000};
    page_hold(&f->vm, block, 3);
    page_hold(&f->vm, part, 1);
    page_drop(&f->vm, block, 3);
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, f->n_free - 1);
    assert_int_equal(frame_of(&f->vm, part)->kind, FRAME_PAGE);
    page_drop(&f->vm, part, 1);
    block = fake_block(f, 3);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_parts_of_a_block),
        FAKE_TEST(test_split_of_a_block),
        cmocka_unit_test(test_parts_of_a_gigabyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
