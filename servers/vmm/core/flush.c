// SPDX-License-Identifier: MIT
#include "flush.h"

#include "vmm.h"

// Issuing early is always right: what is gathered was already changed in the tables.
static void flush_add(struct vmm *vm, struct flush_entry entry)
{
    struct flush *f = &vm->state->flush;
    if (f->n == FLUSH_ENTRIES)
        flush_issue(vm);
    f->entries[f->n++] = entry;
    vm->state->is_busy = true;
}

// Joins the stretch with one that it touches. False: there is none.
static bool flush_join(struct flush_entry *entry, vaddr_t va, uint64_t n)
{
    vaddr_t end = va + (n << PAGE_SHIFT), old_end = entry->va + (entry->pages << PAGE_SHIFT);
    if (va > old_end || end < entry->va)
        return false;
    entry->va = va < entry->va ? va : entry->va;
    entry->pages = ((end > old_end ? end : old_end) - entry->va) >> PAGE_SHIFT;
    return true;
}

void flush_pages(struct vmm *vm, paddr_t root, vaddr_t va, uint64_t n)
{
    struct flush *f = &vm->state->flush;
    uint64_t total = n;
    uint32_t parts = 1;
    if (f->is_of_all && root)
        return;
    for (uint32_t i = 0; i < f->n; i++) {
        struct flush_entry *entry = &f->entries[i];
        if (entry->root != root)
            continue;
        if (!entry->pages)
            return;
        if (entry->is_any)
            *entry = (struct flush_entry){.root = root, .va = va, .pages = n};
        if (flush_join(entry, va, n)) {
            if (entry->pages > FLUSH_PAGES_MAX)
                flush_space(vm, root);
            return;
        }
        total += entry->pages;
        parts++;
    }
    if (total > FLUSH_PAGES_MAX || parts > FLUSH_PARTS_MAX)
        flush_space(vm, root);
    else
        flush_add(vm, (struct flush_entry){.root = root, .va = va, .pages = n});
}

void flush_tables(struct vmm *vm, paddr_t root, vaddr_t va)
{
    const struct flush *f = &vm->state->flush;
    if (f->is_of_all)
        return;
    for (uint32_t i = 0; i < f->n; i++)
        if (f->entries[i].root == root)
            return;
    flush_add(vm, (struct flush_entry){.root = root, .va = va, .pages = 1, .is_any = true});
}

void flush_space(struct vmm *vm, paddr_t root)
{
    struct flush *f = &vm->state->flush;
    uint32_t kept = 0;
    if (f->is_of_all && root)
        return;
    for (uint32_t i = 0; i < f->n; i++)
        if (f->entries[i].root != root)
            f->entries[kept++] = f->entries[i];
    f->n = kept;
    flush_add(vm, (struct flush_entry){.root = root});
}

void flush_all_spaces(struct vmm *vm)
{
    struct flush *f = &vm->state->flush;
    uint32_t kept = 0;
    if (f->is_of_all)
        return;
    for (uint32_t i = 0; i < f->n; i++)
        if (!f->entries[i].root)
            f->entries[kept++] = f->entries[i];
    f->n = kept;
    f->is_of_all = vm->state->is_busy = true;
}

void flush_page_now(struct vmm *vm, paddr_t root, vaddr_t va)
{
    vm->ports->flush(vm->context, root, va, 1);
}

void flush_issue(struct vmm *vm)
{
    struct flush *f = &vm->state->flush;
    if (f->is_of_all)
        vm->ports->flush(vm->context, FLUSH_SPACES, 0, 0);
    f->is_of_all = false;
    for (uint32_t i = 0; i < f->n; i++)
        vm->ports->flush(vm->context, f->entries[i].root, f->entries[i].va, f->entries[i].pages);
    f->n = 0;
}
