// SPDX-License-Identifier: MIT
// A thousand runs of one program from one snapshot, each with another seed: after each, diff lists
// exactly the pages that it wrote, and rollback makes the space what it was.
#include "ipc/init_client.h"
#include "ipc/rt.h"
#include "ipc/thread.h"
#include "test/scenarios/lib/random.h"
#include "test/scenarios/lib/touch.h"
#include "test/scenarios/snapshot/scribble.h"

enum { TARGET = SLOT_FREE, SNAP, RUNNER, AUDITOR };

#define CODE     0x800000ul // the program, in the target
#define WORKSHOP 0x20000000ul
#define ROUNDS   1000u
#define SEED     0xf022edul

// The first word of each page before any run.
static uint64_t content_of(uint64_t page)
{
    return 0x1000 + page;
}

static status_t fill_arena(void)
{
    status_t status = OK;
    for (uint64_t i = 0; status == OK && i < ARENA_PAGES; i++) {
        status = vmm_map(SLOT_SELF, WORKSHOP, 1, PROT_R | PROT_W, 0);
        if (status != OK)
            break;
        *(volatile uint64_t *)WORKSHOP = content_of(i);
        status = vmm_move(SLOT_SELF, WORKSHOP, 1, TARGET, arena_page(i), PROT_R | PROT_W);
    }
    return status;
}

static status_t make_target(void)
{
    status_t status = vmm_create(SLOT_SELF, 0, TARGET);
    if (status == OK)
        status = vmm_map(SLOT_SELF, WORKSHOP, 1, PROT_R | PROT_W, 0);
    if (status != OK)
        return status;
    memcpy((void *)WORKSHOP, scribble_start, (size_t)(scribble_end - scribble_start));
    status = vmm_move(SLOT_SELF, WORKSHOP, 1, TARGET, CODE, PROT_R | PROT_X);
    return status == OK ? fill_arena() : status;
}

static status_t run(uint64_t seed, struct vmm_exit *end)
{
    status_t status = vmm_spawn(TARGET, CODE, 0, seed, PRIORITY_DEFAULT, 0, RUNNER);
    return status == OK ? thread_end(RUNNER, end) : status;
}

// Marks the pages that a run with the seed writes; answers its last word.
static uint64_t predict(uint64_t seed, bool *is_written)
{
    memset(is_written, false, ARENA_PAGES);
    for (unsigned i = 0; i < SCRIBBLES; i++)
        is_written[random_next(&seed) % ARENA_PAGES] = true;
    return seed;
}

// Takes the marks away from the pages that diff lists. Whether there was one on each, and no other.
static bool diff_is(bool *is_written)
{
    vaddr_t va = 0;
    uint64_t pages = 0;
    status_t status = vmm_diff(TARGET, SNAP, &va, &pages);
    for (uint64_t i = 0; i < ARENA_PAGES; i++) {
        if (!is_written[i])
            continue;
        if (status != OK || pages == 0 || va != arena_page(i))
            return false;
        va += PAGE_SIZE;
        if (--pages == 0)
            status = vmm_diff(TARGET, SNAP, &va, &pages);
    }
    return status == OK && pages == 0;
}

static bool is_audited(void)
{
    uint64_t frames, errors = 1;
    return vmm_audit(AUDITOR, &frames, &errors) == OK && errors == 0;
}

static uint64_t charged(void)
{
    struct vmm_stats stats = {0};
    return vmm_stats(SLOT_SELF, &stats) == OK ? stats.charged : 0;
}

// What went wrong in rounds, by kind.
static struct {
    unsigned run, diff, empty, charge, audit;
} wrong;

static void test_round(unsigned round, uint64_t seed, uint64_t before)
{
    bool is_written[ARENA_PAGES];
    struct vmm_exit end = {.kind = EXIT_KILLED};
    uint64_t last = predict(seed, is_written);
    status_t status = run(seed, &end);
    wrong.run += status != OK || end.kind != EXIT_NORMAL || end.code != last;
    wrong.diff += !diff_is(is_written);
    wrong.empty += vmm_rollback(TARGET, SNAP) != OK;
    memset(is_written, false, sizeof is_written);
    wrong.empty += !diff_is(is_written);
    wrong.charge += charged() != before;
    if (round % 100 == 0)
        wrong.audit += !is_audited();
}

static bool arena_is_as_before(void)
{
    bool ok = true;
    for (uint64_t i = 0; i < ARENA_PAGES; i++)
        ok = ok && touch_reads(TARGET, arena_page(i), content_of(i)) &&
             touch_reads(TARGET, arena_page(i) + 0xff8, 0);
    return ok;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    uint64_t seed = SEED, before = charged();
    if (get("auditor", AUDITOR) != OK)
        return 1;
    check_status(make_target(), OK, "makes a space with a program and 64 pages of data");
    check_status(vmm_snapshot(TARGET, 0, SNAP), OK, "takes a snapshot");
    uint64_t with_snapshot = charged();
    for (unsigned round = 0; round < ROUNDS; round++)
        test_round(round, random_next(&seed), with_snapshot);
    check(wrong.run == 0, "runs the program %u times (%u wrong)", ROUNDS, wrong.run);
    check(wrong.diff == 0, "diff lists exactly the pages it wrote (%u wrong)", wrong.diff);
    check(wrong.empty == 0, "after rollback there is no difference (%u wrong)", wrong.empty);
    check(wrong.charge == 0, "nor in what is paid for (%u wrong)", wrong.charge);
    check(wrong.audit == 0, "the audit finds nothing (%u wrong)", wrong.audit);
    check_status(touch_prepare(TARGET), OK, "maps one thing more into the space");
    check(arena_is_as_before(), "all its pages hold what they did");
    check_status(vmm_rollback(TARGET, SNAP), OK, "rolls back");
    check_status(ipc_drop(SNAP), OK, "drops the snapshot");
    check(ipc_drop(TARGET) == OK && charged() == before, "and the space: all frames return");
    return 0;
}
