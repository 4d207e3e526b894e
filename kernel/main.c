// SPDX-License-Identifier: MIT
// From the loader to task one: the VMM's task and its endpoint are made in the frames that boot put
// into the object window, and never anything else.
#include "boot/handoff.h"

#include "arch/init.h"
#include "kernel/arch.h"
#include "kernel/endpoint.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kernel/task.h"

static struct task *make_vmm(struct cpu *cpu, const struct handoff *h)
{
    struct task *vmm;
    const struct task_start start = {
        .root = h->vmm_root,
        .priority = PRIORITIES - 1,
        .rip = h->vmm_entry,
        .rsp = h->vmm_stack,
        .arg = h->boot_info,
    };
    if (task_create(BOOT_OBJECT_VMM_TASK, cpu, &start, &vmm) != OK ||
        endpoint_create(BOOT_OBJECT_VMM_ENDPOINT, &machine_endpoint) != OK ||
        task_resume(vmm) != OK)
        panic("the loader's objects are not there");
    vmm->slots[SLOT_SELF] = (struct slot){.type = SLOT_MACHINE, .flags = SLOT_COPY | SLOT_MOVE};
    vmm->slots[SLOT_PARENT] = (struct slot){
        .endpoint = machine_endpoint, .type = SLOT_ENDPOINT, .flags = SLOT_COPY | SLOT_MOVE};
    vmm->slots[SLOT_CONSOLE] =
        (struct slot){.type = SLOT_CONSOLE_CAP, .flags = SLOT_COPY | SLOT_MOVE};
    return vmm;
}

void kernel_main(const struct handoff *handoff)
{
    struct handoff h = *handoff;
    struct cpu *cpu = arch_init(h.vmm_root, h.levels);
    sched_init(cpu);
    make_vmm(cpu, &h);
    arch_enter(cpu, sched_pick(cpu));
}
