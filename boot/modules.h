// SPDX-License-Identifier: MIT
// The boot modules: two are programs that the loader consumes, all others go into the directory
// that init reads.
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"

#include "boot/carve.h"
#include "boot/multiboot2.h"

// The first module of that name; NULL if there is none.
const struct multiboot_module *modules_find(const struct multiboot *info, const char *name);

// Adds the memory of all modules to *c: MODULE, or RECLAIMABLE for the two that are loaded from it.
// Errors: E_INVAL (a module that does not begin on a page), those of carve_add().
must_check status_t modules_claim(const struct multiboot *info, struct carve *c);

// Fills an empty directory with all modules but the two programs, by ascending address.
// E_LIMIT: a name that is too long, or too many modules; the directory is then of no use.
must_check status_t modules_list(const struct multiboot *info, struct module_directory *directory);

// Zeroes what lies behind the end of each module in its last page: nobody shall read there what was
// in memory before. The boot information may lie there too: it is gone after this.
void modules_clear_tails(const struct module_directory *directory);
