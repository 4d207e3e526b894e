// SPDX-License-Identifier: MIT
#include "test/unit/fake/kernel/world.h"

#include "boot/handoff.h"
#include "kernel/console.h"
#include "kernel/fault.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "test/unit/fake/kernel/check.h"
#include "test/unit/fake/kernel/transition.h"

#include <string.h>

#define VMM_ROOT 0x7000ul

struct world world;

// As make_vmm() of kernel/main.c does it.
static void make_vmm(void)
{
    const struct task_start start = {VMM_ROOT, PRIORITIES - 1, TASK_RIP, 0x8000, 0x9000};
    assert_int_equal(task_create(BOOT_OBJECT_VMM_TASK, &world.cpu, &start, &world.vmm), OK);
    assert_int_equal(endpoint_create(BOOT_OBJECT_VMM_ENDPOINT, &machine_endpoint), OK);
    assert_int_equal(task_resume(world.vmm), OK);
    world.vmm->slots[SLOT_SELF] =
        (struct slot){.type = SLOT_MACHINE, .flags = SLOT_COPY | SLOT_MOVE};
    world.vmm->slots[SLOT_PARENT] = (struct slot){
        .endpoint = machine_endpoint, .type = SLOT_ENDPOINT, .flags = SLOT_COPY | SLOT_MOVE};
    world.vmm->slots[SLOT_CONSOLE] =
        (struct slot){.type = SLOT_CONSOLE_CAP, .flags = SLOT_COPY | SLOT_MOVE};
}

// The console's ring and listener are all that the kernel has in variables of its own.
static void console_empty(void)
{
    static struct task reader;
    fake.in = "x";
    fake.in_ready = 1;
    fake.late_ready = 0;
    console_interrupt();
    reader = (struct task){.slots[SLOT_CONSOLE] = {.type = SLOT_CONSOLE_CAP}};
    do {
        reader.regs.rax = sys_header(SYS_CONSOLE_READ, SLOT_CONSOLE, 0, 0, 0, 0);
        reader.regs.w[0] = 0;
        assert_int_equal(console_read(&reader), OWN_RESULT);
    } while (reader.regs.rbx);
}

void world_start(void)
{
    fake_reset();
    world = (struct world){0};
    sched_init(&world.cpu);
    for (uint64_t i = 0; i < UNMAPPED_INDEX; i++)
        fake_donate(i);
    make_vmm();
    world.resumed = sched_pick(&world.cpu);
    world.portals = BOOT_OBJECTS;
    world.next_index = world.portals + 1;
    world.next_portal = world.portals * PORTALS_PER_FRAME;
    assert_status(
        SYS(world.vmm, OBJECT_CREATE, .target = SLOT_SELF, .w = {world.portals, OBJECT_PORTALS}),
        OK);
}

int world_setup(void **state)
{
    (void)state;
    world_start();
    return 0;
}

int world_teardown(void **state)
{
    (void)state;
    console_empty();
    return 0;
}

void world_switch(struct task *t)
{
    struct task *current = world.cpu.current;
    if (current == t)
        return;
    assert_int_equal(t->state, TASK_READY);
    if (current)
        sched_wake(current);
    list_remove(&t->link);
    world.cpu.current = world.cpu.payer = t;
}

// What the VMM is about to donate.
static void donate(const struct task *t)
{
    enum syscall_number number = header_number(t->regs.rax);
    uint64_t index = number == SYS_OBJECT_CREATE ? t->regs.w[0]
                     : number == SYS_TASK_START  ? t->regs.w[0] & START_INDEX_MASK
                     : number == SYS_TASK_SLOTS  ? t->regs.w[1]
                                                 : UNMAPPED_INDEX;
    if (check_object(index, OBJECT_NONE))
        fake_donate(index);
}

static void withdraw(void)
{
    for (uint64_t i = 0; i < FAKE_FRAMES; i++)
        if (check_object(i, OBJECT_NONE))
            fake_withdraw(i);
}

// As entry.S ends a system call.
static struct task *handle_syscall(struct cpu *cpu)
{
    struct task *t = cpu->current;
    struct syscall_end end = syscall_handle(cpu);
    bool has_yielded = t->regs.vector == VECTOR_YIELD;
    if (has_yielded || !end.task)
        task_return(t, end.status);
    if (has_yielded)
        t->regs.vector = VECTOR_SYSCALL;
    return end.task ? end.task : t;
}

static struct task *handle(enum entry entry, uint64_t address)
{
    struct cpu *cpu = &world.cpu;
    switch (entry) {
    case ENTRY_SYSCALL:
        return handle_syscall(cpu);
    case ENTRY_FAULT:
        return fault_handle(cpu, address);
    case ENTRY_TIMER:
        sched_tick(cpu);
        return sched_pick(cpu);
    default:
        console_interrupt();
        return sched_pick(cpu);
    }
}

// Nobody who waits in a queue is better than who runs.
static const char *check_choice(void)
{
    const struct cpu *cpu = &world.cpu;
    if (world.resumed != cpu->current)
        return "the kernel resumes another than the current task";
    for (unsigned p = world.resumed ? world.resumed->effective + 1u : 0; p < PRIORITIES; p++)
        if (!list_is_empty(&cpu->ready[p]))
            return "a task that is ready should run instead";
    return NULL;
}

bool world_enter(enum entry entry, uint64_t address, const char **problem)
{
    struct task *actor = world.cpu.current;
    if (entry == ENTRY_SYSCALL) {
        donate(actor);
        if (header_number(actor->regs.rax) == SYS_CONSOLE_READ && actor->regs.w[0])
            world.may_listen = true;
    }
    transition_begin(entry == ENTRY_SYSCALL ? actor : NULL);
    world.resumed = NULL;
    *problem = NULL;
    int escape = setjmp(fake.escape);
    if (!escape)
        world.resumed = handle(entry, address);
    if (escape == ESCAPE_POWER_OFF)
        return false;
    *problem = check_kernel(&world.cpu, world.may_listen);
    if (!*problem)
        *problem = transition_end();
    if (!*problem)
        *problem = check_choice();
    withdraw();
    return true;
}

// As world_enter(); a problem fails the test.
static bool enter(enum entry entry, uint64_t address)
{
    const char *problem;
    bool is_on = world_enter(entry, address, &problem);
    if (problem)
        fail_msg("%s", problem);
    return is_on;
}

void world_load(struct task *t, enum syscall_number number, const struct call *call)
{
    t->regs.rax =
        sys_header(number, call->target, call->send, call->receive, call->reply, call->flags);
    t->regs.rbx = t->regs.r12 = 0xdead;
    t->regs.vector = VECTOR_SYSCALL;
    memcpy(t->regs.w, call->w, sizeof call->w);
}

status_t world_call(struct task *t, enum syscall_number number, struct call call)
{
    world_switch(t);
    world_load(t, number, &call);
    if (!enter(ENTRY_SYSCALL, 0))
        return POWERED_OFF;
    return t->state == TASK_READY ? (int32_t)t->regs.rax : BLOCKED;
}

bool world_fault(struct task *t, unsigned vector, uint64_t error, uint64_t address)
{
    world_switch(t);
    t->regs.vector = vector;
    t->regs.error = error;
    return enter(ENTRY_FAULT, address);
}

void world_tick(void)
{
    enter(ENTRY_TIMER, 0);
}

void world_input(const char *text)
{
    fake.in = text;
    fake.in_ready = strlen(text);
    enter(ENTRY_SERIAL, 0);
}
