// SPDX-License-Identifier: MIT
#include "servers/init/modules.h"

#include "ipc/rt.h"
#include "ipc/vmm_client.h"

#define MODULES_VA 0x10000000ul // of the directory, in the modules' space and in ours
#define WINDOW_VA  0x20000000ul // of the module being read, in ours

static const struct module_directory *directory;

status_t modules_open(void)
{
    status_t status = vmm_share(SLOT_PARENT, MODULES_VA, 1, SLOT_SELF, MODULES_VA, PROT_R);
    if (status != OK)
        return status;
    directory = (const struct module_directory *)MODULES_VA;
    return directory->n_modules <= MODULES_MAX ? OK : E_FORMAT;
}

const struct module_entry *module_find(const char *name)
{
    for (uint32_t i = 0; i < directory->n_modules; i++) {
        if (strcmp(directory->modules[i].name, name) == 0)
            return &directory->modules[i];
    }
    return NULL;
}

status_t module_map(const struct module_entry *module, const void **bytes)
{
    static const char nothing[1];
    status_t status = OK;
    if (module->n_pages != 0)
        status = vmm_share(SLOT_PARENT, MODULES_VA + module->first_page * PAGE_SIZE,
                           module->n_pages, SLOT_SELF, WINDOW_VA, PROT_R);
    if (status == OK)
        *bytes = module->n_pages != 0 ? (const void *)WINDOW_VA : nothing;
    return status;
}

status_t module_unmap(const struct module_entry *module)
{
    return module->n_pages != 0 ? vmm_unmap(SLOT_SELF, WINDOW_VA, module->n_pages) : OK;
}
