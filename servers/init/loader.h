// SPDX-License-Identifier: MIT
// Loads a program into a space: its pages are built in init's own space and moved, so that no page
// is ever writable and executable, here or there.
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"
#include "ipc/syscalls.h"

struct program {
    vaddr_t entry;
    vaddr_t stack; // its top; below the stack lies a page that is never mapped
};

// Loads the ELF of `module` into the empty space in slot `space`. On failure the space holds
// whatever was loaded so far; dropping it frees that. Errors: elf_open()'s and the VMM's.
must_check status_t load_program(const struct module_entry *module, slot_t space,
                                 struct program *program);
