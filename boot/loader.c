// SPDX-License-Identifier: MIT
// From the boot information to kernel_main(): decides what every frame is for, builds the final
// tables, loads the VMM and init. Runs once, on the boot tables, with interrupts off; what fails
// ends the machine with a line that says why.
#include "arch/layout.h"
#include "arch/uart.h"
#include "boot/carve.h"
#include "boot/features.h"
#include "boot/frames.h"
#include "boot/handoff.h"
#include "boot/kernel_half.h"
#include "boot/modules.h"
#include "boot/multiboot2.h"
#include "boot/physmap.h"
#include "boot/program.h"
#include "boot/report.h"
#include "boot/tables.h"
#include "ipc/rt.h"

_Noreturn void boot_main(uint32_t magic, uint32_t info_address);

// Too large for the stack, and needed to the end. Reclaimed with the rest of the loader.
static struct multiboot multiboot;
static struct carve carve;
static struct boot_range ranges[BOOT_RANGES_MAX];
static struct frames frames;
static struct handoff handoff;

static struct program vmm = {.image_kind = MEMORY_VMM_IMAGE, .table_kind = MEMORY_VMM_TABLE};
static struct program init = {.image_kind = MEMORY_INIT_IMAGE, .table_kind = MEMORY_INIT_TABLE};

static enum memory_kind kind_of(const struct multiboot_region *region)
{
    switch (region->type) {
    case MULTIBOOT_RAM:
        return MEMORY_USABLE;
    case MULTIBOOT_ACPI:
        return MEMORY_ACPI;
    default:
        return MEMORY_RESERVED;
    }
}

static status_t add_span(const struct carve_span *span)
{
    return carve_add(&carve, span->start, span->end - span->start, span->kind);
}

// What memory there is, and what is in it before the loader takes anything.
static status_t describe_memory(uint32_t info_address, uint32_t levels)
{
    paddr_t limit = features_physical_end();
    carve_init(&carve, limit < physmap_room(levels) ? limit : physmap_room(levels));
    status_t status = OK;
    for (uint32_t i = 0; i < multiboot.n_regions && status == OK; i++) {
        const struct multiboot_region *region = &multiboot.regions[i];
        status = carve_add(&carve, region->start, region->len_bytes, kind_of(region));
    }
    const struct carve_span image = kernel_half_image();
    const struct carve_span loader = kernel_half_loader();
    if (status == OK)
        status = add_span(&image);
    if (status == OK)
        status = add_span(&loader);
    if (status == OK)
        status = carve_add(&carve, info_address, multiboot.len_bytes, MEMORY_RECLAIMABLE);
    return status;
}

static void load_program(struct program *p, const char *name, const char *what, uint32_t levels)
{
    const struct multiboot_module *module = modules_find(&multiboot, name);
    report_require(module == NULL ? E_NOENT : OK, what);
    report_require(program_load(p, module, &frames, levels), what);
}

// The kernel's half goes into the VMM's root, and from there, as one entry, into init's.
static void build_upper_half(uint32_t n_ranges, uint32_t max_level)
{
    report_require(kernel_half_build(&vmm.tables, BOOT_OBJECTS), "the kernel's tables");
    *tables_root_entry(&init.tables, KERNEL_BASE) = *tables_root_entry(&vmm.tables, KERNEL_BASE);
    report_require(physmap_build(&vmm.tables, ranges, n_ranges, max_level), "the physical mapping");
}

static struct module_directory *make_directory(paddr_t *frame)
{
    report_require(frames_alloc(&frames, MEMORY_DIRECTORY, frame), "the module directory");
    struct module_directory *directory = frames_at(*frame);
    report_require(modules_list(&multiboot, directory), "the module directory");
    return directory;
}

static struct boot_info *make_boot_info(void)
{
    paddr_t frame;
    report_require(frames_alloc(&frames, MEMORY_BOOT_INFO, &frame), "the boot info");
    report_require(program_map_boot_info(&vmm, frame, &handoff.boot_info), "the boot info");
    return frames_at(frame);
}

// The command line lies behind the struct; a long one is an error rather than cut.
static status_t put_command_line(struct boot_info *info)
{
    size_t bytes = strlen(multiboot.command_line) + 1;
    if (bytes == 1)
        return OK;
    if (bytes > PAGE_SIZE - sizeof(*info))
        return E_LIMIT;
    memcpy(info + 1, multiboot.command_line, bytes);
    info->command_line = sizeof(*info);
    return OK;
}

static void fill_boot_info(struct boot_info *info, uint32_t max_level)
{
    info->magic = BOOT_INFO_MAGIC;
    info->version = BOOT_INFO_VERSION;
    info->levels = vmm.tables.levels;
    info->physical_memory_offset = physmap_offset(vmm.tables.levels);
    info->vmm_root = vmm.tables.root;
    info->init_root = init.tables.root;
    info->init_entry = init.entry;
    info->init_stack = init.stack;
    info->page_sizes = (1u << max_level) - 1;
    info->n_objects = BOOT_OBJECTS;
    report_require(put_command_line(info), "the kernel's command line");
    // Nothing is taken from here on: the ranges below are final.
    report_require(frames_claim(&frames, &carve), "the memory map");
    report_require(carve_ranges(&carve, info->ranges, BOOT_RANGES_MAX, &info->n_ranges),
                   "the memory map");
}

static void fill_handoff(void)
{
    handoff.vmm_root = vmm.tables.root;
    handoff.vmm_entry = vmm.entry;
    handoff.vmm_stack = vmm.stack;
    handoff.levels = vmm.tables.levels;
}

static void report_success(const struct boot_info *info)
{
    uint64_t usable = 0;
    for (uint32_t i = 0; i < info->n_ranges; i++) {
        if (info->ranges[i].kind == MEMORY_USABLE)
            usable += info->ranges[i].frames;
    }
    report("%u levels, %lu MiB usable, %u modules", info->levels, usable >> 8, multiboot.n_modules);
}

// The boot stack is in memory that is reclaimed, and not in the final tables: leave it.
static _Noreturn void enter_kernel(void)
{
    __asm__ volatile("mov $cpu_stack_top, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call kernel_main"
                     :
                     : "D"(&handoff)
                     : "memory");
    __builtin_unreachable();
}

void boot_main(uint32_t magic, uint32_t info_address)
{
    uint32_t levels = features_levels();
    uint32_t max_level = features_has_1g_pages() ? 3 : 2;
    uint64_t readable = FRAMES_REACH - info_address;
    uint32_t n_ranges;
    paddr_t directory_frame;

    uart_init();
    report_require(magic == MULTIBOOT_MAGIC ? OK : E_FORMAT, "the Multiboot2 magic");
    report_require(multiboot_parse(frames_at(info_address),
                                   readable < MULTIBOOT_INFO_MAX ? readable : MULTIBOOT_INFO_MAX,
                                   &multiboot),
                   "the boot information");
    report_require(describe_memory(info_address, levels), "the memory map");
    report_require(modules_claim(&multiboot, &carve), "the modules");
    report_require(carve_ranges(&carve, ranges, BOOT_RANGES_MAX, &n_ranges), "the memory map");
    report_require(frames_init(&frames, ranges, n_ranges), "the memory map");

    load_program(&vmm, "vmm", "module vmm", levels);
    load_program(&init, "init", "module init", levels);
    build_upper_half(n_ranges, max_level);
    struct module_directory *directory = make_directory(&directory_frame);
    struct boot_info *info = make_boot_info();
    info->directory = directory_frame;
    info->n_modules = directory->n_modules;
    fill_boot_info(info, max_level);
    fill_handoff();
    report_success(info);
    modules_clear_tails(directory); // ends the life of the Multiboot2 information
    enter_kernel();
}
