// SPDX-License-Identifier: MIT
// Starts a thread for each way to die, and learns from the VMM how it ended. The threads share the
// space and the stack of the task that counts them: that it can go on counting is the test.
#include "arch/layout.h"
#include "ipc/init_client.h"
#include "ipc/rt.h"
#include "ipc/thread.h"
#include "test/scenarios/errors/raise.h"

enum { VICTIM = SLOT_FREE };

#define STACK_BYTES 4096u
#define WORKSHOP    0x20000000ul

static char stack[STACK_BYTES] __attribute__((aligned(16)));

static const struct way {
    raise_t *entry;
    uint64_t vector;
    vaddr_t address;
    const char *text;
} ways[] = {
#define RAISE_ROW(entry, vector, address, text) {entry, vector, address, text},
    RAISE_LIST(RAISE_ROW)
#undef RAISE_ROW
};

static status_t run(void (*entry)(uint64_t), uint64_t argument, struct vmm_exit *end)
{
    const struct thread thread = {
        .space = SLOT_SELF,
        .entry = entry,
        .stack_top = stack + STACK_BYTES,
        .argument = argument,
        .priority = PRIORITY_DEFAULT,
    };
    status_t status = thread_start(&thread, VICTIM);
    return status == OK ? thread_end(VICTIM, end) : status;
}

static void test_way(const struct way *way)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = run(way->entry, sys_header(SYS_YIELD, 0, 0, 0, 0, 0), &end);
    bool is_expected = end.code == way->vector && end.address == way->address;
    bool ok = status == OK && end.kind == EXIT_FAULT && (is_expected || way->vector == VECTOR_ANY);
    if (!ok)
        log_format("# faults: %s, kind %u, code %lu, address 0x%lx, rip 0x%lx\n",
                   status_name(status), end.kind, end.code, end.address, end.rip);
    check(ok, "%s", way->text);
}

// Where the user half ends: one of two places, by the levels of the page tables.
static vaddr_t map_last_page(void)
{
    static const vaddr_t ends[] = {USER_END_5LEVEL, USER_END_4LEVEL};
    for (unsigned i = 0; i < 2; i++) {
        status_t status =
            vmm_move(SLOT_SELF, WORKSHOP, 1, SLOT_SELF, ends[i] - PAGE_SIZE, PROT_R | PROT_X);
        if (status == OK)
            return ends[i];
    }
    return 0;
}

// RIP after it is the first address that is no longer the user's: the kernel must return there
// without harm to itself, and the task faults.
static void test_last_instruction(void)
{
    static const uint8_t syscall_bytes[] = {0x0f, 0x05};
    struct vmm_exit end = {.kind = EXIT_KILLED};
    vaddr_t user_end = 0;
    status_t status = vmm_map(SLOT_SELF, WORKSHOP, 1, PROT_R | PROT_W, 0);
    if (status == OK) {
        memcpy((void *)(WORKSHOP + PAGE_SIZE - 2), syscall_bytes, sizeof syscall_bytes);
        user_end = map_last_page();
    }
    if (check(user_end != 0, "maps the last page of the user half"))
        status = vmm_spawn(SLOT_SELF, user_end - 2, 0, 0, PRIORITY_DEFAULT, 0, VICTIM);
    if (status == OK)
        status = thread_end(VICTIM, &end);
    check(status == OK && end.kind == EXIT_FAULT && end.code == VECTOR_PAGE &&
              end.address == user_end,
          "makes a system call with the very last instruction");
    check_status(vmm_unmap(SLOT_SELF, user_end - PAGE_SIZE, 1), OK, "unmaps that page");
}

static void test_strange(void)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = run(strange_flags, sys_header(SYS_YIELD, 0, 0, 0, 0, 0), &end);
    check(status == OK && end.kind == EXIT_NORMAL && end.code == 0,
          "yields with strange flags and keeps them");
    status = run(strange_stack, sys_header(SYS_EXIT, 0, 0, 0, 0, 0), &end);
    check(status == OK && end.kind == EXIT_NORMAL && end.code == 0,
          "is interrupted with RSP nowhere");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++)
        test_way(&ways[i]);
    test_last_instruction();
    test_strange();
    return 0;
}
