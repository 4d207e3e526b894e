// SPDX-License-Identifier: MIT
// What the entry paths in entry.S call. A trap from ring 3 has its registers saved in the task; one
// from ring 0 is an interrupt while idle, a probe that failed, or the end.
#include "arch/cpu.h"
#include "arch/init.h"
#include "arch/registers.h"
#include "arch_local.h"
#include "kernel/arch.h"
#include "kernel/console.h"
#include "kernel/fault.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/sched.h"

// Called from entry.S.
struct task *trap_user(struct cpu *cpu); // answers the task to resume
void trap_kernel(struct registers *r);
_Noreturn void trap_fatal(const struct registers *r);

#define BACKTRACE_DEPTH 5u

static uint64_t fault_address(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static struct cpu *this_cpu(void)
{
    struct cpu *cpu;
    __asm__("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

// Whether the vector was an interrupt's.
static bool interrupt(struct cpu *cpu, uint64_t vector)
{
    switch (vector) {
    case VECTOR_TIMER:
        apic_end();
        log_send();
        sched_tick(cpu);
        return true;
    case VECTOR_SERIAL:
        pic_end();
        log_send();
        console_interrupt();
        return true;
    default: // 0x20 up: spurious, not to be acknowledged
        return vector >= VECTOR_PIC;
    }
}

struct task *trap_user(struct cpu *cpu)
{
    bool is_interrupt = interrupt(cpu, cpu->current->regs.vector);
    return is_interrupt ? sched_pick(cpu) : fault_handle(cpu, fault_address());
}

void trap_kernel(struct registers *r)
{
    if (r->vector == VECTOR_PAGE_FAULT && r->rip == (uint64_t)probe_instruction)
        r->rip = (uint64_t)probe_failed;
    else if (!interrupt(this_cpu(), r->vector))
        trap_fatal(r);
}

// Return addresses along the frame pointers on the kernel's stack; 0 past the outermost.
static void backtrace(uint64_t *addresses, uint64_t rbp)
{
    for (unsigned i = 0; i < BACKTRACE_DEPTH; i++) {
        if (rbp < (uint64_t)cpu_stack || rbp >= (uint64_t)cpu_stack_top - 16 || rbp % 8)
            return;
        const uint64_t *frame = (const uint64_t *)rbp;
        addresses[i] = frame[1];
        rbp = frame[0];
    }
}

void trap_fatal(const struct registers *r)
{
    uint64_t at[BACKTRACE_DEPTH] = {0};
    backtrace(at, r->rbp);
    panic("kernel: vector %lu, error 0x%lx, address 0x%lx, rip 0x%lx, rsp 0x%lx, "
          "backtrace %lx %lx %lx %lx %lx",
          r->vector, r->error, fault_address(), r->rip, r->rsp, at[0], at[1], at[2], at[3], at[4]);
}
