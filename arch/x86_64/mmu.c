// SPDX-License-Identifier: MIT
// CR3 and invalidations (SDM 3A, 4.10); beside this file only switch.inc, for assembly, loads CR3. There are no tags yet:
// whatever is not global goes with the next load of CR3, so a space that is not loaded has nothing
// to flush.
#include "arch/cpu.h"
#include "arch_local.h"
#include "kernel/arch.h"

void mmu_load(paddr_t root)
{
    cr3_write(root);
}

static void invalidate(vaddr_t va, uint64_t pages)
{
    for (; pages--; va += PAGE_SIZE)
        __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

// Toggling CR4.PGE drops the global translations too (SDM 3A, 4.10.4.1).
static void invalidate_global(void)
{
    uint64_t cr4 = cr4_read();
    cr4_write(cr4 & ~CR4_PGE);
    cr4_write(cr4);
}

void arch_flush(struct cpu *cpu, paddr_t root, vaddr_t va, uint64_t pages)
{
    (void)cpu;
    bool is_kernel = !root;
    if (root == FLUSH_ALL_SPACES) // without tags, only what is loaded can be cached
        root = cr3_read();
    if (!is_kernel && root != cr3_read())
        return;
    if (pages && pages <= KERNEL_WORK_MAX)
        invalidate(va, pages);
    else if (is_kernel)
        invalidate_global();
    else
        mmu_load(root);
}
