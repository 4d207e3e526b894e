// SPDX-License-Identifier: MIT
// The object window: frames for the kernel.
#include "servers/vmm/core/window.h"

#include <stdlib.h>

#include "arch/layout.h"
#include "servers/vmm/core/table.h"
#include "test/unit/fake/vmm/fake.h"

// Enough objects for a second table, which comes and goes with need. (The fake kernel walks the
// window itself.)
static void test_indices_and_tables(void **state)
{
    struct fake *f = *state;
    static uint32_t index[700];
    record_t root = f->vm.state->root_account;
    for (unsigned i = 0; i < 700; i++) {
        assert_int_equal(object_create(&f->vm, root, KERNEL_TASK, i, 0, &index[i]), OK);
        assert_int_equal(frame_of(&f->vm, object_pfn(&f->vm, index[i]))->link, i);
    }
    vmm_settle(&f->vm);
    assert_int_equal(f->n_free - f->vm.state->n_free, 701);
    assert_int_equal(fake_audit(f), 0);
    srand(2);
    for (unsigned i = 0; i < 700; i++) {
        unsigned j = i + (unsigned)rand() % (700 - i);
        uint32_t pick = index[j];
        index[j] = index[i];
        unsigned flushes = f->n_flushes;
        object_destroy(&f->vm, pick);
        assert_int_equal(object_pfn(&f->vm, pick).n, 0);
        vmm_settle(&f->vm);
        assert_true(f->n_flushes > flushes);
        assert_int_equal(f->last_flush.root, 0); // the kernel's half
    }
}

static void test_failures_leave_nothing(void **state)
{
    struct fake *f = *state;
    uint32_t index = 77;
    record_t root = f->vm.state->root_account;
    f->fail_call = 1;
    assert_int_equal(object_create(&f->vm, root, KERNEL_TASK, 0, 0, &index), E_LIMIT);
    vmm_settle(&f->vm);
    fake_starve(f, 0);
    assert_int_equal(object_create(&f->vm, root, KERNEL_TASK, 0, 0, &index), E_NOMEM);
    fake_feed(f);
    assert_int_equal(index, 77);
    assert_int_equal(object_pfn(&f->vm, OBJECT_WINDOW_INDICES - 1).n, 0);
    assert_int_equal(object_pfn(&f->vm, ~0u).n, 0);
}

// 262144 objects: the last index, and none behind it.
static void test_full_window(void **state)
{
    struct fake *f = *state;
    static pte_t old[PTE_ENTRIES];
    record_t root = f->vm.state->root_account;
    uint32_t index = 77;
    pfn_t table, window = f->vm.state->window;
    assert_int_equal(frame_alloc(&f->vm, root, FRAME_TABLE, &table), OK);
    frame_of(&f->vm, table)->used = PTE_ENTRIES; // full, for all that the search can see
    pte_t *entries = table_entries(&f->vm, window);
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        old[i] = entries[i];
        if (i < PTE_ENTRIES - 1)
            entries[i] = pte_table(frame_address(table), false);
    }
    assert_int_equal(object_map(&f->vm, root, KERNEL_SLOTS, 0, &index), OK);
    assert_int_equal(index, (PTE_ENTRIES - 1) * PTE_ENTRIES);
    object_unmap(&f->vm, index);
    entries[PTE_ENTRIES - 1] = pte_table(frame_address(table), false);
    uint64_t n_free = f->vm.state->n_free;
    assert_int_equal(object_map(&f->vm, root, KERNEL_SLOTS, 0, &index), E_LIMIT);
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, n_free + 2); // and what was unmapped before
    for (unsigned i = 0; i < PTE_ENTRIES; i++)
        entries[i] = old[i];
    frame_free(&f->vm, table);
    vmm_settle(&f->vm);
}

// Where a table of indices is full, the next object needs two frames.
static void test_no_frame_for_a_table(void **state)
{
    struct fake *f = *state;
    static uint32_t index[PTE_ENTRIES];
    record_t root = f->vm.state->root_account;
    unsigned n = 0;
    pfn_t table = frame_number(pte_address(table_load(&f->vm, f->vm.state->window, 0)));
    while (frame_of(&f->vm, table)->used < PTE_ENTRIES)
        assert_int_equal(object_map(&f->vm, root, KERNEL_SLOTS, 0, &index[n++]), OK);
    uint32_t more = 77;
    fake_starve(f, 1);
    assert_int_equal(object_map(&f->vm, root, KERNEL_SLOTS, 0, &more), E_NOMEM);
    vmm_settle(&f->vm);
    assert_int_equal(f->vm.state->n_free, 1);
    assert_int_equal(more, 77);
    fake_feed(f);
    while (n)
        object_unmap(&f->vm, index[--n]);
    vmm_settle(&f->vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_indices_and_tables),
        FAKE_TEST(test_failures_leave_nothing),
        FAKE_TEST(test_full_window),
        FAKE_TEST(test_no_frame_for_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
