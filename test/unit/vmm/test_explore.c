// SPDX-License-Identifier: MIT
// Every short sequence of operations on tiny machines; `make explore` goes on where this ends.
// cmocka wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/explore/explore.h"

static void explore_shortly(unsigned levels, unsigned n_names, unsigned n_pages)
{
    const struct explore_config config = {levels, n_names, n_pages, EXPLORE_FRAMES, 3, 0, true};
    struct explore_result result;
    assert_true(explore(&config, &result));
    assert_int_equal(result.depth, 3);
    assert_true(result.n_states > 500);
}

static void explore_two_spaces(void **state)
{
    (void)state;
    explore_shortly(4, 2, 2);
}

static void explore_two_spaces_5_levels(void **state)
{
    (void)state;
    explore_shortly(5, 2, 2);
}

static void explore_three_spaces(void **state)
{
    (void)state;
    explore_shortly(4, 3, 2);
}

static void explore_three_pages(void **state)
{
    (void)state;
    explore_shortly(4, 2, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explore_two_spaces),
        cmocka_unit_test(explore_two_spaces_5_levels),
        cmocka_unit_test(explore_three_spaces),
        cmocka_unit_test(explore_three_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
