// SPDX-License-Identifier: MIT
// Random sequences of operations on the real core and on the model (CASES M13). Seeded; for more of
// them:
//   OPS=1000000 SEED=7 build/test/unit/vmm/test_random
// cmocka wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/model/sequence.h"

#define OPS_DEFAULT 36000u

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

// One of `share` parts of the operations asked for.
static void run_trial(const struct trial *trial, unsigned share)
{
    static struct lockstep totals;
    uint64_t seed = setting("SEED", trial->config.n_frames + trial->config.levels);
    uint64_t n_ops = setting("OPS", OPS_DEFAULT) / share;
    memset(&totals, 0, sizeof totals);
    for (; totals.n_ops < n_ops; seed++)
        if (!sequence_random(trial, seed, &totals))
            fail_msg("%s: SEED=%llu", trial->title, (unsigned long long)seed);
    sequence_totals(trial, &totals);
}

static void random_4_levels(void **state)
{
    (void)state;
    run_trial(&(struct trial){"4 levels", universe_mixed, {4, 8192, 7, 0}, 4, 400}, 4);
}

static void random_5_levels(void **state)
{
    (void)state;
    run_trial(&(struct trial){"5 levels", universe_mixed, {5, 8192, 7, 0}, 4, 400}, 4);
}

static void random_without_1g_pages(void **state)
{
    (void)state;
    run_trial(&(struct trial){"no 1 GiB pages", universe_mixed, {4, 8190, 3, 0}, 4, 400}, 8);
}

static void random_little_memory(void **state)
{
    (void)state;
    run_trial(&(struct trial){"little memory", universe_mixed, {4, 300, 7, 0}, 1, 400}, 3);
}

// Nearly everything takes many steps, and the books are right between them.
static void random_small_steps(void **state)
{
    (void)state;
    run_trial(&(struct trial){"steps of 3 units", universe_mixed, {4, 300, 7, 3}, 4, 400}, 16);
}

static void random_steps_in_large_pages(void **state)
{
    (void)state;
    run_trial(&(struct trial){"steps of 600 units", universe_mixed, {5, 8192, 7, 600}, 4, 400}, 16);
}

// Each machine has more than 2 GiB to zero and copy, so there are few.
static void random_1g_pages(void **state)
{
    (void)state;
    run_trial(&(struct trial){"1 GiB pages", universe_huge, {4, 9 << 16, 7, 0}, 4, 60}, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_4_levels),
        cmocka_unit_test(random_5_levels),
        cmocka_unit_test(random_without_1g_pages),
        cmocka_unit_test(random_little_memory),
        cmocka_unit_test(random_1g_pages),
        cmocka_unit_test(random_small_steps),
        cmocka_unit_test(random_steps_in_large_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
