// SPDX-License-Identifier: MIT
// Memory as boot leaves it: ranges, the kernel's tables, init's image and tables, two modules.
#define _GNU_SOURCE // mmap flags
#include "kernel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/layout.h"

#define INIT_TEXT  0x400000ull
#define INIT_DATA  0x401000ull
#define INIT_STACK 0x7ffff000ull

// Frames by number; what is between stays usable.
enum place {
    AT_KERNEL = 1,
    AT_TABLES = 5, // of the kernel's half
    AT_OBJECTS = 10,
    AT_ROOT = 12,
    AT_INFO = 13,
    AT_INIT_TABLES = 16, // the root first
    AT_INIT_IMAGE = 32,
    AT_DIRECTORY = 36,
    AT_MODULES = 37,
    AT_RECLAIMABLE = 44,
    AT_SMALL = 60, // a usable region that is not the largest
    AT_HOLE = 156, // no RAM
    AT_LARGE = 256,
};

static void add_range(struct boot_info *info, uint64_t first, uint64_t n, enum memory_kind kind)
{
    info->ranges[info->n_ranges++] = (struct boot_range){first << 12, (uint32_t)n, kind};
}

static uint64_t *table(struct fake *f, uint64_t frame)
{
    return (uint64_t *)(void *)(f->memory + (frame << 12));
}

// Enters a path of tables for `va` from frame `root` down to level 1, taking frames from *next.
static uint64_t *make_path(struct fake *f, uint64_t root, uint64_t va, uint64_t *next,
                           uint64_t bits)
{
    uint64_t frame = root;
    for (unsigned level = f->info.levels; level > 1; level--) {
        uint64_t *entry = &table(f, frame)[va >> (12 + 9 * (level - 1)) & 511];
        if (!*entry)
            *entry = (*next)++ << 12 | bits;
        frame = *entry >> 12 & 0xffffffffff;
    }
    return &table(f, frame)[va >> 12 & 511];
}

static void make_kernel(struct fake *f)
{
    uint64_t next = AT_TABLES;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t va = OBJECT_WINDOW + i * PAGE_SIZE;
        *make_path(f, AT_ROOT, va, &next, PTE_P | PTE_W) =
            (uint64_t)(AT_OBJECTS + i) << 12 | PTE_P | PTE_W | PTE_NX | PTE_G | PTE_A | PTE_D;
    }
    f->info.vmm_root = AT_ROOT << 12;
    f->info.n_objects = 2;
    f->objects[VMM_OBJECT_TASK].kind = KERNEL_TASK;
    f->objects[VMM_OBJECT_ENDPOINT] = (struct fake_object){.kind = KERNEL_ENDPOINT, .refs = 1};
    f->slots[VMM_SLOT_CONSOLE].type = CAP_CONSOLE;
}

static void make_init(struct fake *f)
{
    const uint64_t user = PTE_P | PTE_U, tables = user | PTE_W;
    uint64_t next = AT_INIT_TABLES + 1;
    uint64_t image = AT_INIT_IMAGE;
    *make_path(f, AT_INIT_TABLES, INIT_TEXT, &next, tables) = image << 12 | user;
    *make_path(f, AT_INIT_TABLES, INIT_DATA, &next, tables) =
        (image + 1) << 12 | user | PTE_W | PTE_NX;
    *make_path(f, AT_INIT_TABLES, INIT_STACK - PAGE_SIZE, &next, tables) =
        (image + 2) << 12 | user | PTE_W | PTE_NX;
    table(f, AT_INIT_TABLES)[511] = table(f, AT_ROOT)[511];
    f->info.init_root = AT_INIT_TABLES << 12;
    f->info.init_entry = INIT_TEXT;
    f->info.init_stack = INIT_STACK;
    add_range(&f->info, AT_INIT_TABLES, next - AT_INIT_TABLES, MEMORY_INIT_TABLE);
    add_range(&f->info, AT_INIT_IMAGE, 3, MEMORY_INIT_IMAGE);
}

static void make_modules(struct fake *f)
{
    struct module_directory *d = (struct module_directory *)(void *)table(f, AT_DIRECTORY);
    d->n_modules = 2;
    d->n_pages = 6;
    d->modules[0] = (struct module_entry){"first", AT_MODULES << 12, 9000, 1, 3, 0};
    d->modules[1] = (struct module_entry){"second", (AT_MODULES + 3) << 12, 5000, 4, 2, 0};
    memcpy(f->memory + (AT_MODULES << 12), "module one", 11);
    f->info.directory = AT_DIRECTORY << 12;
    f->info.n_modules = 2;
    add_range(&f->info, AT_DIRECTORY, 1, MEMORY_DIRECTORY);
    add_range(&f->info, AT_MODULES, 3, MEMORY_MODULE);
    add_range(&f->info, AT_MODULES + 3, 2, MEMORY_MODULE);
}

struct fake *fake_make(struct fake_config config)
{
    struct fake *f = calloc(1, sizeof *f);
    f->memory_bytes = config.memory_mib << 20;
    f->memory = mmap(NULL, f->memory_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(f->memory != MAP_FAILED);
    f->info = (struct boot_info){.magic = BOOT_INFO_MAGIC,
                                 .version = BOOT_INFO_VERSION,
                                 .levels = config.levels,
                                 .physical_memory_offset = (uintptr_t)f->memory,
                                 .page_sizes = config.page_sizes};
    add_range(&f->info, 0, 1, MEMORY_RESERVED);
    add_range(&f->info, AT_KERNEL, AT_TABLES - AT_KERNEL, MEMORY_KERNEL);
    add_range(&f->info, AT_TABLES, AT_OBJECTS - AT_TABLES, MEMORY_KERNEL_TABLE);
    add_range(&f->info, AT_OBJECTS, 2, MEMORY_KERNEL_OBJECT);
    add_range(&f->info, AT_ROOT, 1, MEMORY_VMM_TABLE);
    add_range(&f->info, AT_INFO, 1, MEMORY_BOOT_INFO);
    make_kernel(f);
    make_init(f);
    make_modules(f);
    add_range(&f->info, AT_RECLAIMABLE, 4, MEMORY_RECLAIMABLE);
    add_range(&f->info, AT_SMALL, AT_HOLE - AT_SMALL, MEMORY_USABLE);
    add_range(&f->info, AT_LARGE, (f->memory_bytes >> 12) - AT_LARGE, MEMORY_USABLE);
    return f;
}

void fake_free(struct fake *f)
{
    for (unsigned i = 0; i < FAKE_OBJECTS; i++)
        free(f->objects[i].portals);
    munmap(f->memory, f->memory_bytes);
    free(f);
}
