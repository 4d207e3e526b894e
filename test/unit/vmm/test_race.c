// SPDX-License-Identifier: MIT
// C15: a writer, and somebody who takes its private copies away, in every order: what the writer does
// never reaches the frame that others have. The writer runs on a CPU of its own, whose fake TLB keeps
// what it may; after each step every space is compared with a model in which nothing is shared.
// cmocka wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/explore/explore.h"

#define RW    (PROT_R | PROT_W)
#define DEPTH 3u
#define N(a)  (sizeof(a) / sizeof *(a))

enum { ORIGINAL = NAME_ROOT, WRITER, SNAP };
enum { PAGE };

static const struct op beginning[] = {
    {.kind = OP_MAP, .name = ORIGINAL, .first = PAGE, .n = 1, .prot = RW},
    {.kind = OP_WRITE, .name = ORIGINAL, .first = PAGE, .n = 1, .value = 100},
    {.kind = OP_CLONE, .name = ORIGINAL, .flags = CLONE_COW},
    {.kind = OP_SNAPSHOT, .name = WRITER},
};

static const struct op moves[] = {
    {.kind = OP_WRITE, .name = WRITER, .first = PAGE, .n = 1, .value = 200, .cpu = 1},
    {.kind = OP_READ, .name = WRITER, .first = PAGE, .n = 1, .cpu = 1},
    {.kind = OP_ROLLBACK, .name = WRITER, .other = SNAP},
    {.kind = OP_MAP, .name = WRITER, .first = PAGE, .n = 1, .prot = RW, .flags = MAP_REPLACE},
    {.kind = OP_MAP,
     .name = WRITER,
     .first = PAGE,
     .n = 1,
     .prot = RW,
     .flags = MAP_REPLACE | MAP_LAZY},
    {.kind = OP_CLONE, .name = WRITER, .flags = CLONE_COW}, // its pages are another's again
    {.kind = OP_WRITE, .name = ORIGINAL, .first = PAGE, .n = 1, .value = 300},
};

static void do_op(struct lockstep *l, struct op op, unsigned sequence)
{
    if (model_is_possible(&l->model, &op) && !lockstep_do(l, &op))
        fail_msg("sequence %u (its digits to the base %u are the moves): %s", sequence,
                 (unsigned)N(moves), l->why);
}

static void run(unsigned levels, unsigned sequence)
{
    static struct universe u;
    static struct lockstep l;
    unsigned rest = sequence;
    universe_tiny(&u, levels, 1);
    lockstep_start(&l, &u, (struct sut_config){levels, EXPLORE_FRAMES, 7, 0});
    for (unsigned i = 0; i < N(beginning); i++)
        do_op(&l, beginning[i], sequence);
    do_op(&l, moves[0], sequence); // the CPU has the page now, and may write it
    for (unsigned i = 0; i < DEPTH; i++, rest /= N(moves)) {
        do_op(&l, moves[rest % N(moves)], sequence);
        do_op(&l, moves[0], sequence);
    }
    assert_true(l.n_done[OP_WRITE] > DEPTH);
    assert_true(lockstep_finish(&l));
    lockstep_end(&l);
}

static void run_all(unsigned levels)
{
    unsigned n = 1;
    for (unsigned i = 0; i < DEPTH; i++)
        n *= N(moves);
    for (unsigned sequence = 0; sequence < n; sequence++)
        run(levels, sequence);
}

static void a_writer_never_reaches_what_others_have(void **state)
{
    (void)state;
    run_all(4);
}

static void nor_with_5_levels(void **state)
{
    (void)state;
    run_all(5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_writer_never_reaches_what_others_have),
        cmocka_unit_test(nor_with_5_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
