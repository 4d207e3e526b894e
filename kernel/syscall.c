// SPDX-License-Identifier: MIT
#include "kernel/syscall.h"

#include "kernel/console.h"
#include "kernel/fault.h"
#include "kernel/ipc.h"
#include "kernel/log.h"
#include "kernel/sched.h"

static status_t drop_call(struct task *t)
{
    struct slot *s = slot_at(t, header_target(t->regs.rax));
    if (!s || s->type == SLOT_EMPTY)
        return E_SLOT;
    task_slot_empties(t, s);
    slot_drop(s);
    return OK;
}

static status_t yield_call(struct task *t)
{
    t->regs.vector = VECTOR_YIELD; // its result, for when it runs again
    sched_requeue(t->cpu);
    return OWN_RESULT;
}

static status_t dispatch(struct task *t)
{
    enum syscall_number number = header_number(t->regs.rax);
    switch (number) {
    case SYS_CALL:
        return ipc_call(t);
    case SYS_REPLY_RECV:
        return ipc_reply_recv(t);
    case SYS_FORWARD:
        return ipc_forward(t);
    case SYS_NOTIFY:
        return ipc_notify(t);
    case SYS_DROP:
        return drop_call(t);
    case SYS_YIELD:
        return yield_call(t);
    case SYS_EXIT:
        return fault_exit(t);
    case SYS_LOG:
        return log_call(t);
    case SYS_WAIT:
        return ipc_wait(t);
    case SYS_CONSOLE_READ:
        return console_read(t);
    default:
        if (number >= SYS_COUNT)
            return E_NOSYS;
        if (!slot_of_type(t, header_target(t->regs.rax), SLOT_MACHINE))
            return E_SLOT;
        return machine_call(t, number);
    }
}

struct syscall_end syscall_handle(struct cpu *cpu)
{
    struct task *t = cpu->current;
    status_t status = dispatch(t);
    if (status != OWN_RESULT) {
        if (sched_goes_on(cpu))
            return (struct syscall_end){NULL, status};
        task_return(t, status);
    }
    return (struct syscall_end){sched_pick(cpu), OK};
}
