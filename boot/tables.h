// SPDX-License-Identifier: MIT
// Builds page tables of 4 or 5 levels, level 1 being the lowest. Only the loader does this in ring
// 0, and only before the kernel proper runs.
#pragma once

#include "ipc/status.h"
#include "ipc/types.h"

#include "arch/pte.h"
#include "boot/frames.h"

struct tables {
    struct frames *frames;
    paddr_t root;
    uint32_t levels;
};

struct mapping {
    vaddr_t va;
    paddr_t pa;
    uint32_t level; // of the leaf: 1 4 KiB, 2 2 MiB, 3 1 GiB; va and pa are aligned to it
    uint64_t flags; // of the leaf, without P, A, D and PS
    enum memory_kind table_kind; // of the frames that tables on the way take
};

// Bytes that one entry at `level` covers.
static inline uint64_t tables_entry_bytes(uint32_t level)
{
    return PAGE_SIZE << (9 * (level - 1));
}

// The root entry that `va` falls in.
uint64_t *tables_root_entry(const struct tables *t, vaddr_t va);

// Maps one leaf, making the tables on the way. Leaves get A and D set, so that the CPU never writes
// to a table. Errors: E_EXISTS (something is mapped there), E_NOMEM, E_LIMIT.
must_check status_t tables_map(const struct tables *t, const struct mapping *m);
