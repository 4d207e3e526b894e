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
        panic("task 0 (vmm): event %u, vector %u, error 0x%lx, address 0x%lx, rip 0x%lx, rbp 0x%lx",
              t->event.kind, t->event.vector, t->event.error, t->event.address, t->regs.rip,
              t->regs.rbp);
}

struct task *fault_handle(struct cpu *cpu, uint64_t address)
{
    struct task *t = cpu->current;
    if (t->regs.vector == VECTOR_DEVICE_NOT_AVAILABLE) {
        arch_fpu_take(cpu);
        return t;
    }
    t->event = (struct task_event){.kind = MESSAGE_EXCEPTION,
                                   .vector = (uint32_t)t->regs.vector,
                                   .error = t->regs.error,
                                   // What CR2 holds otherwise is another task's.
                                   .address = t->regs.vector == VECTOR_PAGE_FAULT ? address : 0};
    check_pager(t);
    ipc_event(t);
    return sched_pick(cpu);
}

status_t fault_exit(struct task *t)
{
    t->event = (struct task_event){.kind = MESSAGE_EXIT};
    check_pager(t);
    ipc_event(t);
    return OWN_RESULT;
}
