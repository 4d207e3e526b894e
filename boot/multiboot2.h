// SPDX-License-Identifier: MIT
// Reads the boot information that a Multiboot2 loader leaves (specification 3.6). Pure: it follows
// no pointer out of the buffer and believes no length in it. What the firmware says of memory is
// passed on as it stands, unsorted and overlapping where it is: boot/carve.h makes sense of it.
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"

#define MULTIBOOT_MAGIC       0x36d76289u
#define MULTIBOOT_INFO_MAX    (1u << 20) // far more than any loader's information takes
#define MULTIBOOT_REGIONS_MAX 256u
#define MULTIBOOT_MODULES_MAX (MODULES_MAX + 2u) // the directory leaves out the VMM and init

// Types of regions that are RAM; every other number, the specification's or not, is not ours.
#define MULTIBOOT_RAM  1u
#define MULTIBOOT_ACPI 3u

struct multiboot_region {
    paddr_t start;
    uint64_t len_bytes; // at least 1; start + len_bytes - 1 does not wrap
    uint32_t type;
};

struct multiboot_module {
    paddr_t start;
    uint64_t len_bytes; // 0 for an empty file
    const char *name;   // the module's whole command line
};

struct multiboot {
    uint32_t len_bytes;       // of the information itself
    const char *command_line; // the kernel's; "" if none was given
    uint32_t n_regions;
    uint32_t n_modules;
    struct multiboot_region regions[MULTIBOOT_REGIONS_MAX];
    struct multiboot_module modules[MULTIBOOT_MODULES_MAX];
};

// Decodes the information at `info`, of which `len_max` bytes may be read. Strings in *out point
// into it. Errors: E_FORMAT (truncated, a tag that ends outside or says too little, a string
// without an end, a module that ends before it begins, a second memory map), E_NOREGION (no memory
// map, or one without entries), E_OVERFLOW (a region that wraps), E_LIMIT (more regions or modules
// than *out has room for). *out is untouched on failure.
must_check status_t multiboot_parse(const void *info, uint64_t len_max, struct multiboot *out);
