// SPDX-License-Identifier: MIT
// What each transition flushes (CASES P7): the sequences run on core and model, where the fake TLB
// fails for a flush too few, and here for one too many. cmocka wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/model/lockstep.h"

#define RW (PROT_R | PROT_W)

// Plots of universe_mixed(): single pages, and 2 MiB in four pieces of which the last has 509
// pages.
enum { PAGE = 2, NEXT = 3, ELSEWHERE = 11, PIECES = 5, N_PIECES = 4, MANY = 8 };

struct step {
    struct op op;
    unsigned n_flushes;
};

static void run_steps(unsigned levels, const struct step *steps, unsigned n)
{
    static struct universe u;
    static struct lockstep l;
    universe_mixed(&u, levels);
    lockstep_start(&l, &u, (struct sut_config){levels, 8192, 7, 0});
    for (unsigned i = 0; i < n; i++) {
        struct op op = steps[i].op;
        uint64_t n_flushes = l.sut.board.tlb.n_flushes;
        char text[OP_TEXT];
        op.n = op.n ? op.n : 1;
        op_print(&op, &u, text);
        assert_true(model_is_possible(&l.model, &op));
        assert_int_equal(model_judge(&l.model, &op), 0);
        if (!lockstep_do(&l, &op))
            fail_msg("step %u, %s: %s", i, text, l.why);
        n_flushes = l.sut.board.tlb.n_flushes - n_flushes;
        if (n_flushes != steps[i].n_flushes || l.sut.board.tlb.n_unneeded)
            fail_msg("step %u, %s: %u flushes, %u not needed", i, text, (unsigned)n_flushes,
                     (unsigned)l.sut.board.tlb.n_unneeded);
    }
    assert_true(lockstep_finish(&l));
    lockstep_end(&l);
}

#define RUN(...)                                           \
    do {                                                   \
        static const struct step steps[] = {__VA_ARGS__};  \
        run_steps(4, steps, sizeof steps / sizeof *steps); \
        run_steps(5, steps, sizeof steps / sizeof *steps); \
    } while (0)

#define MAP(plot, p)     .kind = OP_MAP, .first = (plot), .prot = (p)
#define PROTECT(plot, p) .kind = OP_PROTECT, .first = (plot), .prot = (p)
#define UNMAP(plot)      .kind = OP_UNMAP, .first = (plot)
#define WRITE(who, plot) .kind = OP_WRITE, .name = (who), .first = (plot), .value = 7
#define READ(who, plot)  .kind = OP_READ, .name = (who), .first = (plot)
#define CLONE(who)       .kind = OP_CLONE, .name = (who), .flags = CLONE_COW
#define SNAPSHOT(who)    .kind = OP_SNAPSHOT, .name = (who)

static void what_only_gains_is_not_flushed(void **state)
{
    (void)state;
    RUN({{MAP(PAGE, RW)}, 0}, {{MAP(NEXT, RW), .flags = MAP_LAZY}, 0}, {{WRITE(0, PAGE)}, 0},
        {{READ(0, NEXT)}, 0}, {{WRITE(0, NEXT)}, 0});
    RUN({{MAP(PAGE, PROT_R)}, 0}, {{READ(0, PAGE)}, 0}, {{PROTECT(PAGE, RW)}, 0},
        {{WRITE(0, PAGE)}, 0});
    RUN({{MAP(PAGE, 0)}, 0}, {{PROTECT(PAGE, PROT_R)}, 0}, {{PROTECT(PAGE, PROT_R | PROT_X)}, 0});
}

static void what_loses_is_flushed(void **state)
{
    (void)state;
    RUN({{MAP(PAGE, RW)}, 0}, {{PROTECT(PAGE, PROT_R)}, 1}, {{PROTECT(PAGE, RW)}, 0},
        {{PROTECT(PAGE, PROT_R | PROT_X)}, 1}, {{PROTECT(PAGE, RW)}, 1}, {{PROTECT(PAGE, 0)}, 1},
        {{PROTECT(PAGE, RW)}, 0});
    RUN({{MAP(PAGE, RW)}, 0}, {{MAP(NEXT, RW)}, 0}, {{UNMAP(PAGE)}, 1}, {{UNMAP(NEXT)}, 1},
        {{UNMAP(NEXT)}, 0});
    RUN({{MAP(PAGE, RW)}, 0}, {{MAP(PAGE, RW), .flags = MAP_REPLACE}, 1});
    // Nothing was cached of pages, but the tables that go were.
    RUN({{MAP(PAGE, RW), .flags = MAP_LAZY}, 0}, {{MAP(NEXT, RW), .flags = MAP_LAZY}, 0},
        {{UNMAP(PAGE)}, 0}, {{UNMAP(NEXT)}, 1});
}

static void clones(void **state)
{
    (void)state;
    RUN({{CLONE(0)}, 0}, {{MAP(PAGE, RW)}, 0}, {{CLONE(0)}, 1}, {{CLONE(0)}, 0},
        {{READ(2, PAGE)}, 0}, {{WRITE(0, PAGE)}, 1}, {{WRITE(0, PAGE)}, 0}, {{WRITE(2, PAGE)}, 1},
        // The last holder's write copies nothing.
        {{WRITE(3, PAGE)}, 0}, {{.kind = OP_DROP, .name = 2}, 1});
    RUN({{MAP(PAGE, PROT_R)}, 0}, {{CLONE(0)}, 1}, {{READ(1, PAGE)}, 0});
}

static void snapshots(void **state)
{
    (void)state;
    RUN({{MAP(PAGE, RW)}, 0}, {{WRITE(0, PAGE)}, 0}, {{SNAPSHOT(0)}, 1}, {{WRITE(0, PAGE)}, 1},
        {{.kind = OP_ROLLBACK, .other = 1}, 1}, {{WRITE(0, PAGE)}, 1},
        {{.kind = OP_DIFF, .other = 1}, 0});
}

static void sharing_and_moving(void **state)
{
    (void)state;
    RUN({{MAP(PAGE, RW)}, 0}, {{.kind = OP_CREATE}, 0},
        {{.kind = OP_SHARE, .first = PAGE, .other = 1, .at = PAGE, .prot = RW}, 0},
        {{WRITE(1, PAGE)}, 0}, {{READ(0, PAGE)}, 0},
        {{.kind = OP_MOVE, .first = PAGE, .other = 1, .at = ELSEWHERE, .prot = RW}, 1},
        {{WRITE(1, ELSEWHERE)}, 0});
}

static void large_pages(void **state)
{
    (void)state;
    // Split by a part that loses; merged again by one that gains: the table in between goes.
    RUN({{MAP(PIECES, RW), .n = N_PIECES, .flags = MAP_2M}, 0}, {{PROTECT(PIECES, PROT_R)}, 1},
        {{PROTECT(PIECES, RW)}, 1}, {{UNMAP(PIECES + 1)}, 1}, {{WRITE(0, PIECES)}, 0},
        {{.kind = OP_UNMAP, .first = PIECES, .n = N_PIECES}, 1});
}

static void many_pages_are_one_flush(void **state)
{
    static struct universe u;
    static struct lockstep l;
    (void)state;
    universe_mixed(&u, 4);
    lockstep_start(&l, &u, (struct sut_config){4, 8192, 7, 0});
    assert_true(lockstep_do(&l, &(struct op){MAP(MANY, RW), .n = 1}));
    assert_true(lockstep_do(&l, &(struct op){MAP(MANY - 1, RW), .n = 1}));
    assert_true(lockstep_do(&l, &(struct op){UNMAP(MANY), .n = 1}));
    assert_int_equal(l.sut.board.tlb.n_flushes, 1);
    assert_int_equal(l.sut.board.tlb.last_pages, 0);
    lockstep_end(&l);
}

// flush.c by itself: `n` calls of flush_pages(), each for `pages` pages behind the one before, in
// one space or each in its own.
static void gather(struct board *b, unsigned n, uint64_t pages, bool is_one_space)
{
    static struct universe u;
    universe_mixed(&u, 4);
    board_start(b, &u, 4, 256, 7);
    for (unsigned i = 0; i < n; i++)
        flush_pages(&b->vm, is_one_space ? PAGE_SIZE : (i + 1) * PAGE_SIZE, i * pages * PAGE_SIZE,
                    pages);
}

static void too_many_stretches_are_issued_early(void **state)
{
    static struct board b;
    (void)state;
    gather(&b, FLUSH_ENTRIES + 1, 1, false);
    assert_int_equal(b.tlb.n_flushes, FLUSH_ENTRIES);
    flush_issue(&b.vm);
    assert_int_equal(b.tlb.n_flushes, FLUSH_ENTRIES + 1);
    board_end(&b);
}

static void stretches_join(void **state)
{
    static struct board b;
    (void)state;
    gather(&b, 4, FLUSH_PAGES_MAX / 4, true);
    flush_issue(&b.vm);
    assert_int_equal(b.tlb.n_flushes, 1);
    assert_int_equal(b.tlb.last_pages, FLUSH_PAGES_MAX);
    board_end(&b);
    gather(&b, 5, FLUSH_PAGES_MAX / 4, true);
    flush_issue(&b.vm);
    assert_int_equal(b.tlb.n_flushes, 1);
    assert_int_equal(b.tlb.last_pages, 0); // all of the space
    board_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_gains_is_not_flushed),
        cmocka_unit_test(what_loses_is_flushed),
        cmocka_unit_test(clones),
        cmocka_unit_test(snapshots),
        cmocka_unit_test(sharing_and_moving),
        cmocka_unit_test(large_pages),
        cmocka_unit_test(many_pages_are_one_flush),
        cmocka_unit_test(too_many_stretches_are_issued_early),
        cmocka_unit_test(stretches_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
