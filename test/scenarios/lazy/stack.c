// SPDX-License-Identifier: MIT
// A lazy stack with a guard page below it, and page zero: what programs rely on to be told of their
// mistakes.
#include "ipc/init_client.h"
#include "ipc/thread.h"
#include "test/scenarios/lib/touch.h"

enum { RUNNER = SLOT_FREE };

#define GUARD       0x40000000ul
#define STACK       (GUARD + PAGE_SIZE)
#define STACK_PAGES 8ul
#define STACK_TOP   (STACK + STACK_PAGES * PAGE_SIZE)

// Uses up about `bytes` of its stack.
__attribute__((noinline)) static void recurse(uint64_t bytes)
{
    uint8_t frame[512];
    frame[0] = 1;
    __asm__ volatile("" : : "r"(frame) : "memory"); // or the compiler would leave it out
    if (bytes > sizeof frame)
        recurse(bytes - sizeof frame);
    __asm__ volatile("" : : "r"(frame) : "memory"); // or make this a loop
}

static void runner(uint64_t bytes)
{
    recurse(bytes);
    ipc_exit(0);
}

static status_t run(uint64_t bytes, struct vmm_exit *end)
{
    const struct thread thread = {
        .space = SLOT_SELF,
        .entry = runner,
        .stack_top = (void *)STACK_TOP,
        .argument = bytes,
        .priority = PRIORITY_DEFAULT,
    };
    status_t status = thread_start(&thread, RUNNER);
    return status == OK ? thread_end(RUNNER, end) : status;
}

static uint64_t n_pages(void)
{
    struct vmm_stats stats = {0};
    return vmm_stats(SLOT_SELF, &stats) == OK ? stats.pages : 0;
}

static void test_growth(void)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    uint64_t before = n_pages();
    status_t status = run(256, &end);
    check(status == OK && end.kind == EXIT_NORMAL && n_pages() == before + 1,
          "a small use of the stack takes one page");
    status = run(4 * PAGE_SIZE, &end);
    uint64_t taken = n_pages() - before;
    check(status == OK && end.kind == EXIT_NORMAL && taken > 4 && taken <= STACK_PAGES,
          "a larger one as many as it needs");
}

static void test_guard(void)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = run(16 * PAGE_SIZE, &end);
    check(status == OK && end.kind == EXIT_FAULT && end.code == VECTOR_PAGE &&
              end.address >= GUARD && end.address < STACK,
          "one that is too large ends in the guard page");
    check(end.reason == E_FAULT, "which is told as a fault, not as a lack of memory");
    check(touch_faults(SLOT_SELF, TOUCH_READ, GUARD) &&
              touch_faults(SLOT_SELF, TOUCH_WRITE, STACK - 8) &&
              touch_faults(SLOT_SELF, TOUCH_EXECUTE, GUARD),
          "no access to the guard page is allowed");
    check_status(vmm_map(SLOT_SELF, GUARD, 1, PROT_R | PROT_W, 0), E_EXISTS,
                 "nothing is mapped over it by mistake");
}

static void test_page_zero(void)
{
    check(touch_faults(SLOT_SELF, TOUCH_READ, 0) && touch_faults(SLOT_SELF, TOUCH_WRITE, 8) &&
              touch_faults(SLOT_SELF, TOUCH_EXECUTE, 0),
          "nothing is mapped at page zero");
    status_t status = vmm_map(SLOT_SELF, 0, 1, PROT_R | PROT_W, MAP_LAZY);
    check(status == OK && touch_writes(SLOT_SELF, 0, 1), "unless it is asked for");
    check(vmm_unmap(SLOT_SELF, 0, 1) == OK && touch_faults(SLOT_SELF, TOUCH_READ, 0),
          "and then unmapped");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    uint64_t before = n_pages();
    status_t status = vmm_map(SLOT_SELF, GUARD, 1, 0, MAP_LAZY);
    if (status == OK)
        status = vmm_map(SLOT_SELF, STACK, STACK_PAGES, PROT_R | PROT_W, MAP_LAZY);
    check_status(status, OK, "maps a lazy stack and a guard page");
    check(n_pages() == before, "which take no page");
    test_growth();
    test_guard();
    check_status(vmm_unmap(SLOT_SELF, GUARD, STACK_PAGES + 1), OK, "U1: unmaps them");
    test_page_zero();
    return 0;
}
