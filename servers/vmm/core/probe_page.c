// SPDX-License-Identifier: MIT
#include "probe_page.h"

#include "arch/layout.h"
#include "frame.h"

pte_t probe_entry(const struct vmm *vm)
{
    return pte_table(frame_address(vm->state->probe), false);
}

vaddr_t probe_address(const struct vmm *vm)
{
    return vm->state->levels == 4 ? PROBE_4LEVEL : PROBE_5LEVEL;
}

static pfn_t probe_frame(const struct vmm *vm, unsigned i)
{
    return (pfn_t){vm->state->probe.n + i};
}

// The one entry of the table in the frame `i`, which leads to the next frame: both addresses have
// zeros below the root's index.
static pte_t path_entry(const struct vmm *vm, unsigned i)
{
    pte_t e = pte_table(frame_address(probe_frame(vm, i + 1)), false);
    if (i == vm->state->levels - 2)
        e.bits |= PTE_D; // the page; executable, for NX is clear
    return e;
}

void probe_page_make(struct vmm *vm, pfn_t first)
{
    unsigned n_tables = vm->state->levels - 1;
    vm->state->probe = first;
    for (unsigned i = 0; i < n_tables; i++)
        *(pte_t *)frame_at(vm, probe_frame(vm, i)) = path_entry(vm, i);
    char *page = frame_at(vm, probe_frame(vm, n_tables));
    for (const char *byte = vm->ports->probe_start; byte != vm->ports->probe_end; byte++)
        *page++ = *byte;
}

bool probe_page_is_intact(const struct vmm *vm)
{
    bool is_intact = true;
    for (unsigned i = 0; i < vm->state->levels - 1; i++) {
        const pte_t *entries = frame_at(vm, probe_frame(vm, i));
        is_intact &= entries[0].bits == path_entry(vm, i).bits;
        for (unsigned j = 1; j < PTE_ENTRIES; j++)
            is_intact &= pte_is_empty(entries[j]);
    }
    return is_intact;
}
