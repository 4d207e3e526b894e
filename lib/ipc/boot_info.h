// SPDX-License-Identifier: MIT
// What the loader tells the VMM: one page, mapped read-only at the address that task one gets as
// its first argument. The memory map is already carved: ranges are sorted, aligned to 4 KiB, do not
// overlap, and every frame that the loader used lies in a range that names its purpose.
#pragma once

#include "ipc/types.h"

#define BOOT_INFO_MAGIC   0x6f666e69746f6f62ull // "bootinfo"
#define BOOT_INFO_VERSION 1u

// clang-format off
#define MEMORY_KIND_LIST(X)                                                                       \
    X(USABLE,        "usable")              /* free RAM, for the VMM's frames */                  \
    X(RESERVED,      "reserved")            /* the firmware's; never touched */                   \
    X(ACPI,          "acpi tables")         /* RAM that holds ACPI tables; left alone */          \
    X(KERNEL,        "kernel")              /* text, rodata, data, stacks */                      \
    X(KERNEL_TABLE,  "kernel tables")       /* page tables of the kernel's half */                \
    X(KERNEL_OBJECT, "kernel objects")      /* task one, its endpoint */                          \
    X(PHYSMAP_TABLE, "physmap tables")      /* page tables of the physical mapping */             \
    X(VMM_IMAGE,     "vmm image")           /* text, data, stack of the VMM */                    \
    X(VMM_TABLE,     "vmm tables")          /* root and user-half tables of the VMM */            \
    X(INIT_IMAGE,    "init image")          /* text, data, stack of init: adopted as its pages */ \
    X(INIT_TABLE,    "init tables")         /* root and user-half tables of init: adopted */      \
    X(MODULE,        "module")              /* boot modules: a read-only space */                 \
    X(DIRECTORY,     "module directory")    /* one page of struct module_directory */             \
    X(BOOT_INFO,     "boot info")           /* the page with this struct */                       \
    X(RECLAIMABLE,   "reclaimable")         /* boot code and data, unused after boot: free RAM */
// clang-format on

#define MEMORY_KIND_ENUM(name, text) MEMORY_##name,
enum memory_kind { MEMORY_KIND_LIST(MEMORY_KIND_ENUM) MEMORY_KINDS };
#undef MEMORY_KIND_ENUM

struct boot_range {
    paddr_t start;   // aligned to 4 KiB
    uint32_t frames; // at least 1; a longer range takes several entries
    uint32_t kind;   // enum memory_kind
};

#define BOOT_RANGES_MAX 200u

struct boot_info {
    uint64_t magic;
    uint32_t version;
    uint32_t levels;                // of the page tables: 4 or 5
    vaddr_t physical_memory_offset; // where RAM is mapped in the VMM's root; 0: nowhere
    paddr_t vmm_root;               // the boot CR3: task one's root, with the kernel's entry
    paddr_t init_root;              // user half of init plus the kernel's entry
    vaddr_t init_entry;             // RIP and RSP that init starts with
    vaddr_t init_stack;
    paddr_t directory;   // frame of the module directory
    uint32_t page_sizes; // bit 0: 4 KiB, bit 1: 2 MiB, bit 2: 1 GiB leaves usable
    uint32_t n_objects;  // indices of the object window that boot filled
    uint32_t n_modules;  // ranges of kind MODULE are theirs, in directory order
    uint32_t n_ranges;
    uint32_t command_line; // 0, or offset of the kernel's command line in this page
    uint32_t reserved;
    struct boot_range ranges[BOOT_RANGES_MAX];
};

_Static_assert(sizeof(struct boot_range) == 16, "boot_range layout");
_Static_assert(sizeof(struct boot_info) <= PAGE_SIZE, "boot_info must fit its page");

// The module directory is page 0 of the modules space; module k begins at page `first_page` of it.
#define MODULE_NAME_BYTES 40u
#define MODULES_MAX       48u

struct module_entry {
    char name[MODULE_NAME_BYTES]; // NUL-terminated: the module's GRUB command line
    paddr_t start;                // frame it begins in
    uint64_t len_bytes;
    uint32_t first_page; // page of the modules space at which it is mapped; n pages follow
    uint32_t n_pages;
    uint64_t reserved;
};

struct module_directory {
    uint32_t n_modules;
    uint32_t n_pages; // of the modules space, this page included
    uint64_t reserved;
    struct module_entry modules[MODULES_MAX];
};

_Static_assert(sizeof(struct module_entry) == 72, "module_entry layout");
_Static_assert(sizeof(struct module_directory) <= PAGE_SIZE, "module_directory must fit its page");
