// SPDX-License-Identifier: MIT
#include "boot/program.h"

#include "arch/layout.h"
#include "ipc/elf.h"
#include "ipc/rt.h"
#include "ipc/vmm_protocol.h"

#define STACK_PAGES 16u

struct user_layout {
    vaddr_t stack_end;
    vaddr_t stack_start;
    vaddr_t boot_info;
    vaddr_t image_end;
};

static struct user_layout layout_of(uint32_t levels)
{
    vaddr_t user_end = levels == 5 ? USER_END_5LEVEL : USER_END_4LEVEL;
    struct user_layout layout = {.stack_end = user_end - PAGE_SIZE};
    layout.stack_start = layout.stack_end - STACK_PAGES * PAGE_SIZE;
    layout.boot_info = layout.stack_start - 2 * PAGE_SIZE;
    layout.image_end = layout.boot_info - PAGE_SIZE;
    return layout;
}

static status_t map_page(const struct program *p, vaddr_t va, paddr_t frame, uint32_t prot)
{
    const struct mapping m = {
        .va = va,
        .pa = frame,
        .level = 1,
        .flags = PTE_U | (prot & PROT_W ? PTE_W : 0) | (prot & PROT_X ? 0 : PTE_NX),
        .table_kind = p->table_kind,
    };
    return tables_map(&p->tables, &m);
}

static status_t add_page(const struct program *p, vaddr_t va, uint32_t prot, paddr_t *frame)
{
    paddr_t fresh;
    status_t status = frames_alloc(p->tables.frames, p->image_kind, &fresh);
    if (status == OK)
        status = map_page(p, va, fresh, prot);
    if (status == OK)
        *frame = fresh;
    return status;
}

// Copies what the file has for the page at `va` into its frame; the rest of it stays zero.
static void fill_page(const struct elf_segment *segment, const char *image, vaddr_t va,
                      paddr_t frame)
{
    vaddr_t file_end = segment->va + segment->file_bytes;
    vaddr_t from = va > segment->va ? va : segment->va;
    vaddr_t to = va + PAGE_SIZE < file_end ? va + PAGE_SIZE : file_end;
    if (from >= to)
        return;
    char *page = frames_at(frame);
    memcpy(page + (from - va), image + segment->file_offset + (from - segment->va), to - from);
}

static status_t load_segment(const struct program *p, const struct elf_segment *segment,
                             const char *image)
{
    vaddr_t end = segment->va + segment->memory_bytes;
    for (vaddr_t va = segment->va & ~PAGE_MASK; va < end; va += PAGE_SIZE) {
        paddr_t frame;
        status_t status = add_page(p, va, segment->prot, &frame);
        if (status != OK)
            return status;
        fill_page(segment, image, va, frame);
    }
    return OK;
}

static status_t add_stack(const struct program *p, const struct user_layout *layout)
{
    for (vaddr_t va = layout->stack_start; va < layout->stack_end; va += PAGE_SIZE) {
        paddr_t frame;
        status_t status = add_page(p, va, PROT_R | PROT_W, &frame);
        if (status != OK)
            return status;
    }
    return OK;
}

status_t program_load(struct program *p, const struct multiboot_module *module,
                      struct frames *frames, uint32_t levels)
{
    const struct user_layout layout = layout_of(levels);
    const char *image = frames_at(module->start);
    struct elf elf;
    status_t status = elf_open(image, module->len_bytes, layout.image_end, &elf);
    if (status != OK)
        return status;
    p->tables = (struct tables){.frames = frames, .levels = levels};
    p->entry = elf.entry;
    p->stack = layout.stack_end;
    status = frames_alloc(frames, p->table_kind, &p->tables.root);
    for (uint32_t i = 0; i < elf.n_segments && status == OK; i++)
        status = load_segment(p, &elf.segments[i], image);
    if (status == OK)
        status = add_stack(p, &layout);
    return status;
}

status_t program_map_boot_info(const struct program *p, paddr_t frame, vaddr_t *va)
{
    vaddr_t boot_info = layout_of(p->tables.levels).boot_info;
    status_t status = map_page(p, boot_info, frame, PROT_R);
    if (status == OK)
        *va = boot_info;
    return status;
}
