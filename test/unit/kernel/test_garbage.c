// SPDX-License-Identifier: MIT
// Hundreds of thousands of entries with random headers and words, by every task and at every time:
// the kernel never crashes, and its state stays whole. Seeded: a failure comes again.
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "test/unit/fake/kernel/check.h"
#include "test/unit/fake/kernel/world.h"

#define STEPS       520000u
#define WORLD_STEPS 2500u // then the world is started again
#define SEED        0x43616461ul

static uint64_t random_state = SEED;
static unsigned n_succeeded[SYS_COUNT]; // by system call
static unsigned n_replied;

static uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static unsigned below(unsigned n)
{
    return (unsigned)(random64() >> 32) % n;
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

// Tasks of three priorities that hold portals into each other's endpoints, all with pagers; one
// holds the console, too.
static void populate(void)
{
    struct task *task[4];
    struct endpoint *endpoint[2];
    world_start();
    for (unsigned i = 0; i < 4; i++)
        task[i] = make_task(PRIORITY_DEFAULT + i / 2 * 4);
    for (unsigned i = 0; i < 2; i++)
        endpoint[i] = make_endpoint(task[i], SERVER_ENDPOINT);
    for (unsigned i = 0; i < 4; i++) {
        make_portal(task[i], 3, endpoint[0], BADGE(i));
        make_portal(task[i], 4, endpoint[1], BADGE(i));
        make_pager(task[i], BADGE(i));
    }
    make_portal(world.vmm, 4, machine_endpoint, BADGE(9));
    assert_status(slot_transfer(slot_of(world.vmm, SLOT_CONSOLE),
                                slot_of(task[3], SLOT_CONSOLE + 2), false, 0),
                  OK);
    for (unsigned i = 0; i < 4; i++)
        start_task(task[i]);
    make_task(PRIORITY_DEFAULT); // one more that the VMM may come to start
}

static slot_t random_slot(void)
{
    switch (below(16)) {
    case 0:
        return (slot_t)random64() & SLOT_MAX;
    case 1:
        return TASK_SLOTS_FIRST + below(SLOTS_PER_FRAME);
    default:
        return below(14);
    }
}

static uint64_t random_portal(void)
{
    return world.portals * PORTALS_PER_FRAME + below(14);
}

static uint64_t random_word(void)
{
    switch (below(8)) {
    case 0:
        return random64();
    case 1:
        return random_portal();
    case 2:
        return (uint64_t)below(16) << PAGE_SHIFT;
    case 3:
        return below(FAKE_FRAMES + 2);
    default:
        return below(14);
    }
}

// Task one ends the machine, or all that it can do, too often for others to get anywhere.
static bool is_too_much(const struct task *t, enum syscall_number number, slot_t target)
{
    return t == world.vmm && !one_in(64) &&
           (number == SYS_EXIT || number == SYS_POWER_OFF ||
            (number == SYS_DROP && target <= SLOT_PARENT));
}

// Of itself, or of what it could still do.
static bool is_the_end(enum syscall_number number)
{
    return number == SYS_EXIT || number == SYS_DROP;
}

// Words that could be right, where six random ones hardly ever are.
static void improve_words(enum syscall_number number, uint64_t *w)
{
    if (number == SYS_PORTAL_REVOKE) {
        w[0] = random_portal() / PORTALS_PER_FRAME;
        w[2] = one_in(2) ? 0 : w[2] >> 28;
    }
    if (number == SYS_TASK_START) {
        w[0] = below(FAKE_FRAMES + 2) | below(40) << START_PRIORITY_SHIFT;
        w[0] |= one_in(2) ? random_portal() << 32 : 0;
        w[1] = below(16) | (one_in(2) ? random_portal() << 32 : 0);
        w[2] = BADGE(below(4));
    }
    if (number != SYS_PORTAL_MINT)
        return;
    w[0] = random_portal();
    w[2] = BADGE(below(4));
    w[3] = SLOT_FREE + below(20);
}

static void load_random(struct task *t)
{
    struct call c = {.target = random_slot(),
                     .send = one_in(2) ? random_slot() : 0,
                     .receive = one_in(2) ? random_slot() : 0,
                     .reply = one_in(4) ? random_slot() : REPLY_SLOT,
                     .flags = one_in(4) ? below(256) : below(8)};
    enum syscall_number number = one_in(64) ? below(256) : below(SYS_COUNT);
    if (t == world.vmm && number >= SYS_OBJECT_CREATE && !one_in(16))
        c.target = SLOT_SELF;
    if (is_the_end(number) && !one_in(16))
        number = one_in(2) ? SYS_CALL : SYS_REPLY_RECV;
    if (number == SYS_CALL && one_in(2))
        c.target = 3 + below(2);
    if (t->slots[REPLY_SLOT].type == SLOT_REPLY && one_in(4)) {
        number = SYS_REPLY_RECV;
        c.flags |= SYS_REPLY;
    }
    if (number == SYS_REPLY_RECV && !one_in(8))
        c.target = one_in(4) ? 0 : SERVER_ENDPOINT;
    for (unsigned i = 0; i < MESSAGE_WORDS; i++)
        c.w[i] = random_word();
    if (!one_in(4))
        improve_words(number, c.w);
    if (is_too_much(t, number, c.target))
        number = SYS_YIELD;
    world_load(t, number, &c);
    if (one_in(32))
        t->regs.rax = random64();
}

static struct task *random_ready(void)
{
    for (unsigned i = below(FAKE_FRAMES), n = 0; n < FAKE_FRAMES; i++, n++) {
        struct task *t = check_object(i % FAKE_FRAMES, OBJECT_TASK);
        if (t && t->state == TASK_READY)
            return t;
    }
    return NULL;
}

static enum entry random_entry(const struct task *t)
{
    if (one_in(16))
        return ENTRY_TIMER;
    if (one_in(64))
        return ENTRY_SERIAL;
    return one_in(64) && t != world.vmm ? ENTRY_FAULT : ENTRY_SYSCALL;
}

static void count(const struct task *t, uint64_t header)
{
    enum syscall_number number = header_number(header);
    if (t->object.kind != OBJECT_TASK || t->state != TASK_READY || (int32_t)t->regs.rax != OK)
        return;
    n_succeeded[number]++;
    n_replied += number == SYS_REPLY_RECV && header_flags(header) & SYS_REPLY;
}

// Garbage that is always refused would prove nothing.
static void assert_much_succeeded(void)
{
    for (unsigned n = 0; n < SYS_COUNT; n++)
        if (n != SYS_CALL && n != SYS_EXIT && n != SYS_POWER_OFF && n_succeeded[n] < 10)
            fail_msg("system call %u succeeded but %u times", n, n_succeeded[n]);
    assert_true(n_replied > 100);
}

// One entry; false if this world has come to its end.
static bool step(unsigned number)
{
    struct task *t = one_in(4) ? random_ready() : world.cpu.current;
    const char *problem;
    if (!t)
        return false;
    world_switch(t);
    enum entry entry = random_entry(t);
    if (entry == ENTRY_SYSCALL)
        load_random(t);
    t->regs.vector = 32;
    fake.in = "input";
    fake.in_ready = below(6);
    fake.n_out = 0;
    uint64_t header = t->regs.rax, w0 = t->regs.w[0], w1 = t->regs.w[1];
    bool is_on = world_enter(entry, random64(), &problem);
    if (problem)
        fail_msg("%s (step %u, task %u, entry %u, header 0x%lx, words 0x%lx 0x%lx)", problem,
                 number, t->object.index, entry, header, w0, w1);
    if (entry == ENTRY_SYSCALL && is_on)
        count(t, header);
    return is_on;
}

static void garbage_never_breaks_the_kernel(void **state)
{
    (void)state;
    unsigned n_worlds = 0;
    bool is_on = false;
    for (unsigned i = 0, age = 0; i < STEPS; i++, age++) {
        if (!is_on || age == WORLD_STEPS) {
            world_teardown(NULL);
            populate();
            n_worlds++;
            age = 0;
        }
        is_on = step(i);
    }
    assert_much_succeeded();
    print_message("%u steps in %u worlds, %u replies\n", STEPS, n_worlds, n_replied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(garbage_never_breaks_the_kernel, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
