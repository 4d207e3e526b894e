// SPDX-License-Identifier: MIT
#include "servers/vmm/core/reserve.h"

#include "servers/vmm/core/page.h"
#include "test/unit/fake/vmm/fake.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_reserve_is_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
