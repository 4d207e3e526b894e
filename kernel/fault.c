// SPDX-License-Identifier: MIT
#include "kernel/fault.h"

#include "kernel/arch.h"
#include "kernel/ipc.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"

// Task one has no pager: its end is the end.
static void check_pager(const struct task *t)
{
    if (t->object.index == 0)
        panic(
            "task 0 (vmm): event %u, vector %lu, error 0x%lx, address 0x%lx, rip 0x%lx, rbp 0x%lx",
            task_message_kind(t), t->regs.vector, t->regs.error, t->fault_address, t->regs.rip,
            t->regs.rbp);
}

struct task *fault_handle(struct cpu *cpu, uint64_t address)
{
    struct task *t = cpu->current;
    if (t->regs.vector == VECTOR_DEVICE_NOT_AVAILABLE) {
        arch_fpu_take(cpu);
        return t;
    }
    t->special |= SPECIAL_EXCEPTION;
    // What CR2 holds otherwise is another task's.
    t->fault_address = t->regs.vector == VECTOR_PAGE_FAULT ? address : 0;
    check_pager(t);
    ipc_event(t);
    return sched_pick(cpu);
}

status_t fault_exit(struct task *t)
{
    t->special |= SPECIAL_EXIT;
    check_pager(t);
    ipc_event(t);
    return OWN_RESULT;
}
