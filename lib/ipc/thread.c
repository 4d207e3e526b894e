// SPDX-License-Identifier: MIT
#include "ipc/thread.h"

status_t thread_start(const struct thread *thread, slot_t into)
{
    vaddr_t rsp = (vaddr_t)thread->stack_top;
    if (rsp != 0)
        rsp -= 8; // as if a call had pushed a return address: how C functions find their stack
    return vmm_spawn(thread->space, (vaddr_t)thread->entry, rsp, thread->argument, thread->priority,
                     thread->portal, into);
}

status_t thread_end(slot_t task, struct vmm_exit *exit)
{
    struct vmm_exit how;
    status_t status = vmm_wait(task, &how);
    if (status == OK)
        status = ipc_drop(task);
    if (status == OK)
        *exit = how;
    return status;
}
