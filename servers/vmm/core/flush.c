// SPDX-License-Identifier: MIT
#include "flush.h"

#include "vmm.h"

// Issuing early is always right: what is gathered was already changed in the tables.
static struct flush_entry *flush_add(struct vmm *vm, struct flush_entry entry)
{
    struct flush *f = &vm->state->flush;
    if (f->n == FLUSH_ENTRIES)
        flush_issue(vm);
    f->entries[f->n] = entry;
    return &f->entries[f->n++];
}

static bool flush_has_all(const struct flush *f, paddr_t root)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->entries[i].root == root && !f->entries[i].pages)
            return true;
    return false;
}

void flush_page(struct vmm *vm, paddr_t root, vaddr_t va)
{
    struct flush *f = &vm->state->flush;
    if (flush_has_all(f, root))
        return;
    for (uint32_t i = 0; i < f->n; i++) {
        struct flush_entry *entry = &f->entries[i];
        if (entry->root != root)
            continue;
        if (va - entry->va < entry->pages << PAGE_SHIFT)
            return;
        if (va == entry->va + (entry->pages << PAGE_SHIFT)) {
            if (++entry->pages > FLUSH_PAGES_MAX)
                flush_space(vm, root);
            return;
        }
    }
    flush_add(vm, (struct flush_entry){.root = root, .va = va, .pages = 1});
}

void flush_space(struct vmm *vm, paddr_t root)
{
    struct flush *f = &vm->state->flush;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->n; i++)
        if (f->entries[i].root != root)
            f->entries[kept++] = f->entries[i];
    f->n = kept;
    flush_add(vm, (struct flush_entry){.root = root});
}

void flush_issue(struct vmm *vm)
{
    struct flush *f = &vm->state->flush;
    for (uint32_t i = 0; i < f->n; i++)
        vm->ports->flush(vm->context, f->entries[i].root, f->entries[i].va, f->entries[i].pages);
    f->n = 0;
}
