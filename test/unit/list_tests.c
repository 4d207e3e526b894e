// SPDX-License-Identifier: MIT
// Linked into every unit test program, in the way of cmocka's runner (ld's --wrap): with
// CADASTRE_LIST_TESTS in the environment a program prints the names of its tests and runs none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

int __real__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
                                   size_t n_tests, CMFixtureFunction setup,
                                   CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
                                   size_t n_tests, CMFixtureFunction setup,
                                   CMFixtureFunction teardown);

int __wrap__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
                                   size_t n_tests, CMFixtureFunction setup,
                                   CMFixtureFunction teardown)
{
    if (getenv("CADASTRE_LIST_TESTS") == NULL)
        return __real__cmocka_run_group_tests(group, tests, n_tests, setup, teardown);
    for (size_t i = 0; i < n_tests; i++)
        printf("test: %s\n", tests[i].name);
    return 0;
}
