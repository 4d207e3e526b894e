// SPDX-License-Identifier: MIT
#include "boot/tables.h"

static uint64_t *entry_of(paddr_t table, vaddr_t va, uint32_t level)
{
    uint64_t *entries = frames_at(table);
    return &entries[va / tables_entry_bytes(level) % PTE_ENTRIES];
}

uint64_t *tables_root_entry(const struct tables *t, vaddr_t va)
{
    return entry_of(t->root, va, t->levels);
}

// Makes `entry` lead to a table, a new one if it is empty. What leads on permits all: the leaf
// alone decides on W and NX, and U must be in every entry of the walk.
static status_t descend(const struct tables *t, const struct mapping *m, uint64_t *entry)
{
    if (*entry & PTE_P)
        return *entry & PTE_PS ? E_EXISTS : OK;
    paddr_t table;
    status_t status = frames_alloc(t->frames, m->table_kind, &table);
    if (status != OK)
        return status;
    *entry = table | PTE_P | PTE_W | PTE_A | (m->flags & PTE_U);
    return OK;
}

status_t tables_map(const struct tables *t, const struct mapping *m)
{
    paddr_t table = t->root;
    for (uint32_t level = t->levels; level > m->level; level--) {
        uint64_t *entry = entry_of(table, m->va, level);
        status_t status = descend(t, m, entry);
        if (status != OK)
            return status;
        table = *entry & PTE_ADDR;
    }
    uint64_t *leaf = entry_of(table, m->va, m->level);
    if (*leaf & PTE_P)
        return E_EXISTS;
    *leaf = m->pa | m->flags | PTE_P | PTE_A | PTE_D | (m->level > 1 ? PTE_PS : 0);
    return OK;
}
