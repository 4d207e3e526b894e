// SPDX-License-Identifier: MIT
#include "boot/modules.h"

#include "boot/frames.h"
#include "ipc/rt.h"

const struct multiboot_module *modules_find(const struct multiboot *info, const char *name)
{
    for (uint32_t i = 0; i < info->n_modules; i++) {
        if (strcmp(info->modules[i].name, name) == 0)
            return &info->modules[i];
    }
    return NULL;
}

static bool is_program(const struct multiboot *info, const struct multiboot_module *module)
{
    return module == modules_find(info, "vmm") || module == modules_find(info, "init");
}

status_t modules_claim(const struct multiboot *info, struct carve *c)
{
    for (uint32_t i = 0; i < info->n_modules; i++) {
        const struct multiboot_module *module = &info->modules[i];
        if (module->start & PAGE_MASK)
            return E_INVAL;
        enum memory_kind kind = is_program(info, module) ? MEMORY_RECLAIMABLE : MEMORY_MODULE;
        status_t status = carve_add(c, module->start, module->len_bytes, kind);
        if (status != OK)
            return status;
    }
    return OK;
}

// Puts `module` in its place among the entries, which are sorted by address.
static status_t insert(struct module_directory *directory, const struct multiboot_module *module)
{
    size_t name_bytes = strlen(module->name) + 1;
    if (name_bytes > MODULE_NAME_BYTES || directory->n_modules == MODULES_MAX)
        return E_LIMIT;
    uint32_t at = directory->n_modules++;
    for (; at > 0 && directory->modules[at - 1].start > module->start; at--)
        directory->modules[at] = directory->modules[at - 1];
    struct module_entry *entry = &directory->modules[at];
    *entry = (struct module_entry){
        .start = module->start,
        .len_bytes = module->len_bytes,
        .n_pages = (uint32_t)((module->len_bytes + PAGE_MASK) >> PAGE_SHIFT),
    };
    memcpy(entry->name, module->name, name_bytes);
    return OK;
}

status_t modules_list(const struct multiboot *info, struct module_directory *directory)
{
    for (uint32_t i = 0; i < info->n_modules; i++) {
        if (is_program(info, &info->modules[i]))
            continue;
        status_t status = insert(directory, &info->modules[i]);
        if (status != OK)
            return status;
    }
    // Modules lie below 4 GiB and do not overlap, so their pages fit 32 bits by far.
    directory->n_pages = 1;
    for (uint32_t i = 0; i < directory->n_modules; i++) {
        directory->modules[i].first_page = directory->n_pages;
        directory->n_pages += directory->modules[i].n_pages;
    }
    return OK;
}

void modules_clear_tails(const struct module_directory *directory)
{
    for (uint32_t i = 0; i < directory->n_modules; i++) {
        const struct module_entry *entry = &directory->modules[i];
        char *start = frames_at(entry->start);
        memset(start + entry->len_bytes, 0, entry->n_pages * PAGE_SIZE - entry->len_bytes);
    }
}
