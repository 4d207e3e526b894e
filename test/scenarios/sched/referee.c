// SPDX-License-Identifier: MIT
// Starts threads of higher, lower and equal priority in its own space and sees who runs when.
#include "ipc/init_client.h"
#include "ipc/thread.h"

enum { HIGH = SLOT_FREE, LOW, RUNNERS };

#define STACK_BYTES 4096u
#define N_RUNNERS   2u
#define LOOK_ROUNDS 20000000ul // some time slices

static char stacks[2 + N_RUNNERS][STACK_BYTES] __attribute__((aligned(16)));
static volatile uint64_t has_run[PRIORITIES]; // by priority
static volatile uint64_t laps[N_RUNNERS];
static volatile bool is_over;

static void mark(uint64_t priority)
{
    has_run[priority]++;
    ipc_exit(priority);
}

static void run(uint64_t lane)
{
    while (!is_over)
        laps[lane]++;
    ipc_exit(0);
}

static status_t start(void (*entry)(uint64_t), unsigned stack, uint64_t argument, uint32_t priority,
                      slot_t into)
{
    const struct thread thread = {
        .space = SLOT_SELF,
        .entry = entry,
        .stack_top = stacks[stack] + STACK_BYTES,
        .argument = argument,
        .priority = priority,
    };
    return thread_start(&thread, into);
}

static void spin(void)
{
    for (volatile uint64_t i = 0; i < LOOK_ROUNDS; i++) {
    }
}

static bool ended_with(slot_t task, uint64_t code)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    return thread_end(task, &end) == OK && end.kind == EXIT_NORMAL && end.code == code;
}

static void test_priorities(void)
{
    const uint32_t high = PRIORITY_DEFAULT + 2, low = PRIORITY_DEFAULT - 2;
    check_status(start(mark, 0, high, high, HIGH), OK, "starts a thread of higher priority");
    check(has_run[high] == 1, "it has run before its starter goes on");
    check_status(start(mark, 1, low, low, LOW), OK, "starts a thread of lower priority");
    spin();
    check(has_run[low] == 0, "it does not run while its starter does");
    check(ended_with(HIGH, high) && ended_with(LOW, low), "both end, the lower when there is time");
    check(has_run[low] == 1, "the lower has run then");
}

// Nobody yields: the timer alone lets both run, in turns of the same length.
static void test_turns(void)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < N_RUNNERS; i++)
        status = start(run, 2 + i, i, PRIORITY_DEFAULT, RUNNERS + i);
    check_status(status, OK, "starts two threads of its own priority");
    for (unsigned i = 0; i < 8; i++)
        spin();
    is_over = true;
    log_format("# referee: laps: %lu and %lu\n", laps[0], laps[1]);
    check(laps[0] > laps[1] / 4 && laps[1] > laps[0] / 4, "the timer lets both run alike");
    check(ended_with(RUNNERS, 0) && ended_with(RUNNERS + 1, 0), "both end when told");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    test_priorities();
    test_turns();
    return 0;
}
