// SPDX-License-Identifier: MIT
// From boot_info to a running system: the root record, the frame table, what boot left, the first
// task.
#pragma once

#include "ipc/boot_info.h"
#include "vmm.h"

// Where init finds the modules: the directory page, then each module at its first_page.
#define MODULES_VA 0x10000000ull

// Makes the state in the heap and fills *vm. Errors: those of locate_heap(), E_VERSION (not the
// boot_info known here), E_FORMAT (boot's tables are not as they should be), E_NOMEM (the heap does
// not hold the frame table).
must_check status_t vmm_start(struct vmm *vm, const struct boot_info *info,
                              const struct ports *ports, void *context);

// Adopts init's space, makes the space of the modules, and runs init with capabilities to both.
// Errors: E_NOMEM, E_FORMAT.
must_check status_t vmm_start_init(struct vmm *vm, const struct boot_info *info);
