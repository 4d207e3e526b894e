// SPDX-License-Identifier: MIT
// What the loader hands to the kernel proper, once. Valid until kernel_main() loads `vmm_root`: it
// lies in memory that is reclaimed afterwards, so the kernel copies what it keeps.
#pragma once

#include "ipc/types.h"

struct handoff {
    paddr_t vmm_root;  // task one's root, with the kernel's half final
    vaddr_t vmm_entry; // RIP and RSP that task one starts with
    vaddr_t vmm_stack;
    vaddr_t boot_info; // where struct boot_info is mapped in task one, read-only
    uint32_t levels;   // 4 or 5, as running
};

// Objects that boot filled in the object window, as zeroed frames.
enum { BOOT_OBJECT_VMM_TASK, BOOT_OBJECT_VMM_ENDPOINT, BOOT_OBJECTS };

// Called on the CPU's own stack (arch's cpu_stack) with interrupts off and the boot tables
// loaded; does not return.
_Noreturn void kernel_main(const struct handoff *handoff);
