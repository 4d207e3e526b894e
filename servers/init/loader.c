// SPDX-License-Identifier: MIT
#include "servers/init/loader.h"

#include "arch/layout.h"
#include "ipc/elf.h"
#include "ipc/rt.h"
#include "ipc/vmm_client.h"
#include "servers/init/modules.h"

#define BUILD_VA    0x40000000ul // where pages are built, in init's own space
#define STACK_TOP   0x7ffffff000ul
#define STACK_PAGES 8ul

static status_t load_segment(const uint8_t *image, const struct elf_segment *segment, slot_t space)
{
    uint64_t offset = segment->va & PAGE_MASK;
    uint64_t pages = (offset + segment->memory_bytes + PAGE_MASK) >> PAGE_SHIFT;
    status_t status = vmm_map(SLOT_SELF, BUILD_VA, pages, PROT_R | PROT_W, 0);
    if (status != OK)
        return status;
    memcpy((void *)(BUILD_VA + offset), image + segment->file_offset, segment->file_bytes);
    return vmm_move(SLOT_SELF, BUILD_VA, pages, space, segment->va - offset, segment->prot);
}

static status_t load_image(const uint8_t *image, uint64_t len, slot_t space, vaddr_t *entry)
{
    struct elf elf;
    status_t status = elf_open(image, len, USER_END_4LEVEL, &elf);
    for (uint32_t i = 0; status == OK && i < elf.n_segments; i++)
        status = load_segment(image, &elf.segments[i], space);
    if (status == OK)
        *entry = elf.entry;
    return status;
}

status_t load_program(const struct module_entry *module, slot_t space, struct program *program)
{
    const void *image;
    vaddr_t entry = 0;
    status_t status = module_map(module, &image);
    if (status != OK)
        return status;
    status = load_image(image, module->len_bytes, space, &entry);
    if (status == OK)
        status = module_unmap(module);
    if (status == OK)
        status =
            vmm_map(space, STACK_TOP - STACK_PAGES * PAGE_SIZE, STACK_PAGES, PROT_R | PROT_W, 0);
    if (status == OK)
        *program = (struct program){.entry = entry, .stack = STACK_TOP};
    return status;
}
