// SPDX-License-Identifier: MIT
#include "boot/kernel_half.h"

#include "arch/layout.h"
#include "boot/features.h"

// Symbols of kernel.ld; each lies on a page boundary.
extern const char boot_start[], boot_end[];
extern const char kernel_text_start[], kernel_text_end[];
extern const char kernel_rodata_start[], kernel_rodata_end[];
extern const char kernel_data_start[], kernel_data_end[];

// The page below the CPU's stack: a stack that overflows faults instead of writing over data.
extern const char cpu_stack_guard[];

static paddr_t paddr_of(const char *symbol)
{
    return (vaddr_t)symbol - KERNEL_BASE;
}

struct carve_span kernel_half_image(void)
{
    return (struct carve_span){.start = paddr_of(kernel_text_start),
                               .end = paddr_of(kernel_data_end),
                               .kind = MEMORY_KERNEL};
}

struct carve_span kernel_half_loader(void)
{
    return (struct carve_span){
        .start = paddr_of(boot_start), .end = paddr_of(boot_end), .kind = MEMORY_RECLAIMABLE};
}

static status_t map_page(const struct tables *t, vaddr_t va, paddr_t pa, uint64_t flags)
{
    const struct mapping m = {
        .va = va, .pa = pa, .level = 1, .flags = flags | PTE_G, .table_kind = MEMORY_KERNEL_TABLE};
    return tables_map(t, &m);
}

static status_t map_part(const struct tables *t, const char *start, const char *end, uint64_t flags)
{
    status_t status = OK;
    for (const char *page = start; page < end && status == OK; page += PAGE_SIZE) {
        if (page != cpu_stack_guard)
            status = map_page(t, (vaddr_t)page, paddr_of(page), flags);
    }
    return status;
}

static status_t map_image(const struct tables *t)
{
    status_t status = map_part(t, kernel_text_start, kernel_text_end, 0);
    if (status == OK)
        status = map_part(t, kernel_rodata_start, kernel_rodata_end, PTE_NX);
    if (status == OK)
        status = map_part(t, kernel_data_start, kernel_data_end, PTE_W | PTE_NX);
    return status;
}

static status_t map_objects(const struct tables *t, uint32_t n_objects)
{
    for (uint32_t i = 0; i < n_objects; i++) {
        paddr_t frame;
        status_t status = frames_alloc(t->frames, MEMORY_KERNEL_OBJECT, &frame);
        if (status == OK)
            status = map_page(t, OBJECT_WINDOW + i * PAGE_SIZE, frame, PTE_W | PTE_NX);
        if (status != OK)
            return status;
    }
    return OK;
}

static status_t map_local_apic(const struct tables *t)
{
    if (!features_has_local_apic())
        return E_NOSYS;
    paddr_t page = msr_read(MSR_APIC_BASE) & PTE_ADDR;
    // CD with WT picks the PAT's entry 3, uncached after reset and whatever the MTRRs say.
    return map_page(t, KERNEL_LAPIC, page, PTE_W | PTE_NX | PTE_CD | PTE_WT);
}

status_t kernel_half_build(const struct tables *t, uint32_t n_objects)
{
    status_t status = map_image(t);
    if (status == OK)
        status = map_objects(t, n_objects);
    if (status == OK)
        status = map_local_apic(t);
    return status;
}
