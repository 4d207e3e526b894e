// SPDX-License-Identifier: MIT
// Builds a space, the land, and a task that lives in it; clones it while that task goes on writing;
// leases a part of it to another task; and leaves nothing behind.
#include "ipc/init_client.h"
#include "ipc/rt.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/default/land.h"

enum { LAND = SLOT_FREE, COPY, WRITER, LEASE, KEEPER };

// In the builder's own space.
#define WORKSHOP        0x20000000ul // pages on their way into the land
#define ORIGINAL_WINDOW 0x30000000ul // the counter, as the writer sees it
#define COPY_WINDOW     0x30001000ul // the counter in the copy
#define FIELD_WINDOW    0x30010000ul // the field, here and in the copy
#define FIELD_COPY      0x30020000ul
#define LEASE_WINDOW    0x30030000ul

extern const char writer_start[], writer_end[];

static volatile uint64_t *word_at(vaddr_t va)
{
    return (volatile uint64_t *)va;
}

static void fill_field(void)
{
    status_t status = vmm_map(SLOT_SELF, WORKSHOP, FIELD_PAGES, PROT_R | PROT_W, 0);
    check_status(status, OK, "maps pages of its own");
    for (uint64_t page = 0; page < FIELD_PAGES; page++)
        memset((void *)(WORKSHOP + page * PAGE_SIZE), 'A' + (int)page, PAGE_SIZE);
    status = vmm_move(SLOT_SELF, WORKSHOP, FIELD_PAGES, LAND, LAND_FIELD, PROT_R | PROT_W);
    check_status(status, OK, "moves them, filled, into the land");
}

// Two pages: the program, which is never writable in the land, and what it counts.
static status_t settle_writer(void)
{
    status_t status = vmm_map(SLOT_SELF, WORKSHOP, 2, PROT_R | PROT_W, 0);
    if (status != OK)
        return status;
    memcpy((void *)WORKSHOP, writer_start, (size_t)(writer_end - writer_start));
    word_at(WORKSHOP + PAGE_SIZE)[1] = sys_header(SYS_YIELD, 0, 0, 0, 0, 0);
    status = vmm_move(SLOT_SELF, WORKSHOP, 1, LAND, LAND_CODE, PROT_R | PROT_X);
    if (status == OK)
        status = vmm_move(SLOT_SELF, WORKSHOP + PAGE_SIZE, 1, LAND, LAND_COUNTER, PROT_R | PROT_W);
    if (status == OK)
        status = vmm_spawn(LAND, LAND_CODE, LAND_COUNTER, 0, PRIORITY_DEFAULT, 0, WRITER);
    return status;
}

static void let_others_run(void)
{
    for (unsigned i = 0; i < 32; i++)
        ipc_yield();
}

// The windows are opened after the clone: pages that are shared would stay shared in it.
static void compare_counters(void)
{
    status_t status = vmm_share(LAND, LAND_COUNTER, 1, SLOT_SELF, ORIGINAL_WINDOW, PROT_R);
    check_status(status, OK, "opens a window on the counter in the land");
    status = vmm_share(COPY, LAND_COUNTER, 1, SLOT_SELF, COPY_WINDOW, PROT_R);
    check_status(status, OK, "opens a window on the counter in the copy");
    uint64_t original = *word_at(ORIGINAL_WINDOW), copy = *word_at(COPY_WINDOW);
    let_others_run();
    uint64_t original_later = *word_at(ORIGINAL_WINDOW), copy_later = *word_at(COPY_WINDOW);
    log_format("# builder: the counter: land %lu, then %lu; copy %lu, then %lu\n", original,
               original_later, copy, copy_later);
    check(original_later > original, "the writer goes on in the land");
    check(copy > 0 && copy_later == copy, "the copy stands still where it was taken");
}

static void compare_fields(void)
{
    status_t status =
        vmm_share(LAND, LAND_FIELD, FIELD_PAGES, SLOT_SELF, FIELD_WINDOW, PROT_R | PROT_W);
    if (status == OK)
        status = vmm_share(COPY, LAND_FIELD, FIELD_PAGES, SLOT_SELF, FIELD_COPY, PROT_R | PROT_W);
    if (!check_status(status, OK, "opens windows on both fields"))
        return;
    check(memcmp((const void *)FIELD_WINDOW, (const void *)FIELD_COPY, FIELD_PAGES * PAGE_SIZE) ==
              0,
          "the copy of the field is true");
    *word_at(FIELD_WINDOW) = 1;
    *word_at(FIELD_COPY + PAGE_SIZE) = 2;
    check(*word_at(FIELD_COPY) == 0x4141414141414141 &&
              *word_at(FIELD_WINDOW + PAGE_SIZE) == 0x4242424242424242,
          "what is written to one field does not show in the other");
}

static void stop_writer(void)
{
    struct vmm_exit end = {.kind = EXIT_NORMAL};
    status_t status = vmm_kill(WRITER);
    if (status == OK)
        status = vmm_wait(WRITER, &end);
    check(status == OK && end.kind == EXIT_KILLED, "the writer is killed");
}

static void lease_to_keeper(void)
{
    const uint64_t secret = 0x5ec4e7;
    const uint32_t rights = RIGHT_READ | RIGHT_WRITE | RIGHT_MAP | RIGHT_SHARE | RIGHT_QUERY;
    status_t status = vmm_derive(LAND, LAND_LEASE, LEASE_PAGES, rights, LEASE);
    check_status(status, OK, "derives a lease: a window of the land, with fewer rights");
    struct message m = {{[LETTER_VA] = LAND_LEASE, [LETTER_PAGES] = 2, [LETTER_WORD] = secret}};
    status = get("keeper", KEEPER);
    if (status == OK)
        status = ipc_call(KEEPER, LEASE, 0, &m).status;
    check(status == OK && m.w[0] == OK, "sends it to the keeper, who maps memory in it");
    status = vmm_share(LAND, LAND_LEASE, 2, SLOT_SELF, LEASE_WINDOW, PROT_R);
    check(status == OK && *word_at(LEASE_WINDOW) == secret, "finds what the keeper wrote there");
}

static status_t leave(void)
{
    static const slot_t slots[] = {LEASE, WRITER, COPY, LAND};
    status_t status = vmm_unmap(SLOT_SELF, ORIGINAL_WINDOW, 0x40);
    for (unsigned i = 0; status == OK && i < sizeof slots / sizeof slots[0]; i++)
        status = ipc_drop(slots[i]);
    return status;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    struct vmm_stats before = {0}, after = {0};
    check_status(vmm_stats(SLOT_SELF, &before), OK, "asks what its account pays for");
    log_text("# builder: builds a space and fills it\n");
    if (!check_status(vmm_create(SLOT_SELF, 0, LAND), OK, "creates a space, the land"))
        return 1;
    fill_field();
    check_status(settle_writer(), OK, "starts a task in it that writes for ever");
    let_others_run();
    log_text("# builder: clones it while the writer goes on\n");
    if (!check_status(vmm_clone(LAND, CLONE_COPY, 0, COPY), OK, "clones the land"))
        return 1;
    compare_counters();
    compare_fields();
    stop_writer();
    log_text("# builder: sends the keeper a capability\n");
    lease_to_keeper();
    log_text("# builder: drops everything\n");
    status_t status = leave();
    if (status == OK)
        status = vmm_stats(SLOT_SELF, &after);
    log_format("# builder: frames charged: %lu before, %lu after\n", before.charged, after.charged);
    check(status == OK && after.charged == before.charged, "the last reference returns all frames");
    return 0;
}
