// SPDX-License-Identifier: MIT
// Loads the VMM and init from their modules into roots of their own. The top of a program's user
// half, below the layout's USER_END:
//
//     guard | stack, 64 KiB | guard | boot info (the VMM's alone) | guard | the ELF's segments
//     below
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"

#include "boot/multiboot2.h"
#include "boot/tables.h"

struct program {
    enum memory_kind image_kind; // of its pages
    enum memory_kind table_kind; // of its root and tables
    struct tables tables;        // the rest is filled by program_load()
    vaddr_t entry;               // RIP and RSP to start with
    vaddr_t stack;
};

// Makes a root for `p` and loads the module and a stack into it; `levels` and `frames` are those of
// the tables to be. Errors: those of elf_open(), E_NOMEM, E_LIMIT.
must_check status_t program_load(struct program *p, const struct multiboot_module *module,
                                 struct frames *frames, uint32_t levels);

// Maps `frame` read-only where the boot info belongs and answers its address. E_NOMEM, E_LIMIT.
must_check status_t program_map_boot_info(const struct program *p, paddr_t frame, vaddr_t *va);
