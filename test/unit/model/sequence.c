// SPDX-License-Identifier: MIT
#include "sequence.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "draw.h"

#define SHRINK_SECONDS 20

// What runs now: for the report of a crash.
static struct {
    const struct trial *trial;
    const char *origin;
    struct op ops[SEQUENCE_MAX];
    unsigned n;
    bool is_reporting;
} now;

static struct lockstep *begin(const struct trial *trial)
{
    static struct universe u;
    static struct lockstep l;
    trial->universe(&u, trial->config.levels);
    lockstep_start(&l, &u, trial->config);
    l.audit_every = trial->audit_every;
    return &l;
}

// Runs operations on a new machine, and its end.
static bool replay(const struct trial *trial, const struct op *ops, unsigned n)
{
    struct lockstep *l = begin(trial);
    bool is_well = true;
    for (unsigned i = 0; i < n && is_well; i++)
        is_well = lockstep_do(l, &ops[i]);
    return is_well && lockstep_finish(l);
}

// Whether they still fail, in a process of its own, silently.
static bool still_fails(const struct trial *trial, const struct op *ops, unsigned n)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        signal(SIGILL, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        alarm(10);
        _exit(replay(trial, ops, n) ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return status != 0;
}

// Leaves out ever smaller parts, as long as it fails without them.
static unsigned shrink(const struct trial *trial, struct op *ops, unsigned n)
{
    static struct op fewer[SEQUENCE_MAX];
    time_t end = time(NULL) + SHRINK_SECONDS;
    for (unsigned part = n / 2 + 1; part && time(NULL) < end; part /= 2)
        for (unsigned at = 0; at < n && time(NULL) < end;) {
            unsigned out = at + part > n ? n - at : part;
            memcpy(fewer, ops, at * sizeof *ops);
            memcpy(fewer + at, ops + at + out, (n - at - out) * sizeof *ops);
            if (still_fails(trial, fewer, n - out)) {
                n -= out;
                memcpy(ops, fewer, n * sizeof *ops);
            } else {
                at += part;
            }
        }
    return n;
}

// Plain operations say more than strange ones.
static void simplify(const struct trial *trial, struct op *ops, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct op was = ops[i];
        ops[i].squeeze = ops[i].twist = ops[i].cpu = ops[i].quota = 0;
        ops[i].meanwhile = 0;
        if (memcmp(&was, &ops[i], sizeof was) && !still_fails(trial, ops, n))
            ops[i] = was;
    }
}

// Once more, in a process of its own, aloud.
static void print_ops(const struct trial *trial, const struct op *ops, unsigned n)
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGILL, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        alarm(60);
        struct lockstep *l = begin(trial);
        l->is_loud = true;
        for (unsigned i = 0; i < n; i++)
            if (!lockstep_do(l, &ops[i]))
                break;
        fprintf(stderr, "  %s\n", l->why);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void report(const char *why)
{
    now.is_reporting = true;
    fprintf(stderr, "%s, %s: operation %u fails: %s\n", now.trial->title, now.origin, now.n, why);
    if (getenv("SHRINK") && !atoi(getenv("SHRINK"))) // SHRINK=0: not asked for
        return;
    unsigned n = shrink(now.trial, now.ops, now.n);
    simplify(now.trial, now.ops, n);
    fprintf(stderr, "shortest failing sequence found (n0 is the root's name):\n");
    print_ops(now.trial, now.ops, n);
}

// A trap in the core, or a sanitizer's end.
static void report_crash(void)
{
    if (!now.is_reporting && now.trial)
        report("crash");
}

static void on_signal(int number)
{
    report_crash();
    signal(number, SIG_DFL);
    raise(number);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch_crashes(const struct trial *trial, const char *origin)
{
    signal(SIGILL, on_signal);
    signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(report_crash);
    now.trial = trial;
    now.origin = origin;
    now.n = 0;
}

// The next operation that makes sense from bits of `draw`. False: it had no more.
typedef bool draw_t(void *context, uint64_t *bits);

static bool draw_op(const struct lockstep *l, draw_t *draw, void *context, struct op *op)
{
    uint64_t bits;
    do {
        if (!draw(context, &bits))
            return false;
        *op = op_draw(bits, &l->model);
    } while (!model_is_possible(&l->model, op));
    return true;
}

static void add_totals(struct lockstep *totals, const struct lockstep *l)
{
    totals->n_ops += l->n_ops;
    totals->sut.n_faults += l->sut.n_faults;
    totals->sut.board.tlb.n_flushes += l->sut.board.tlb.n_flushes;
    totals->sut.board.tlb.n_unneeded += l->sut.board.tlb.n_unneeded;
    for (unsigned i = 0; i < OP_KINDS; i++) {
        totals->n_done[i] += l->n_done[i];
        totals->n_refused[i] += l->n_refused[i];
        totals->n_short[i] += l->n_short[i];
        totals->n_unneeded[i] += l->n_unneeded[i];
    }
}

static bool run(const struct trial *trial, const char *origin, draw_t *draw, void *context,
                unsigned n, struct lockstep *totals)
{
    struct lockstep *l = begin(trial);
    bool is_well = true;
    watch_crashes(trial, origin);
    assert(n <= SEQUENCE_MAX);
    while (is_well && now.n < n && draw_op(l, draw, context, &now.ops[now.n]))
        is_well = lockstep_do(l, &now.ops[now.n++]);
    is_well = is_well && lockstep_finish(l);
    if (!is_well)
        report(l->why);
    if (totals)
        add_totals(totals, l);
    lockstep_end(l);
    now.trial = NULL;
    return is_well;
}

static bool draw_random(void *context, uint64_t *bits)
{
    *bits = random_next(context);
    return true;
}

bool sequence_random(const struct trial *trial, uint64_t seed, struct lockstep *totals)
{
    char origin[40];
    uint64_t state = seed;
    snprintf(origin, sizeof origin, "SEED=%llu", (unsigned long long)seed);
    return run(trial, origin, draw_random, &state, trial->length, totals);
}

struct bytes {
    const uint8_t *at;
    size_t left;
};

static bool draw_bytes(void *context, uint64_t *bits)
{
    struct bytes *b = context;
    if (b->left < sizeof *bits)
        return false;
    memcpy(bits, b->at, sizeof *bits);
    b->at += sizeof *bits;
    b->left -= sizeof *bits;
    return true;
}

bool sequence_bytes(const struct trial *trial, const uint8_t *bytes, size_t len)
{
    struct bytes b = {bytes, len};
    return run(trial, "these bytes", draw_bytes, &b, SEQUENCE_MAX, NULL);
}

void sequence_totals(const struct trial *trial, const struct lockstep *t)
{
#define OP_NAME(name, weight) #name,
    static const char *const names[] = {OP_LIST(OP_NAME)};
    printf("# %s: %llu operations, %llu faults resolved, %llu flushes (%llu of them not needed)\n",
           trial->title, (unsigned long long)t->n_ops, (unsigned long long)t->sut.n_faults,
           (unsigned long long)t->sut.board.tlb.n_flushes,
           (unsigned long long)t->sut.board.tlb.n_unneeded);
    for (unsigned i = 0; i < OP_KINDS; i++)
        printf("#   %-8s %8llu done %8llu refused %8llu short of memory, %llu flushes unneeded\n",
               names[i], (unsigned long long)t->n_done[i], (unsigned long long)t->n_refused[i],
               (unsigned long long)t->n_short[i], (unsigned long long)t->n_unneeded[i]);
}
