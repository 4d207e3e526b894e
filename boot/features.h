// SPDX-License-Identifier: MIT
// What the loader asks of the CPU (SDM 2A, CPUID). Entry code has checked long mode and NX.
#pragma once

#include "ipc/types.h"

#include "arch/cpu.h"

// Of the page tables that are loaded.
static inline uint32_t features_levels(void)
{
    return cr4_read() & CR4_LA57 ? 5 : 4;
}

// The answer to a leaf of the extended range, zero where the CPU does not have the leaf.
static inline struct cpuid features_extended(uint32_t leaf)
{
    return cpuid(0x80000000u, 0).eax >= leaf ? cpuid(leaf, 0) : (struct cpuid){0};
}

static inline bool features_has_1g_pages(void)
{
    return features_extended(0x80000001u).edx & 1u << 26;
}

// The first physical address that entries cannot name.
static inline paddr_t features_physical_end(void)
{
    uint32_t bits = features_extended(0x80000008u).eax & 0xff;
    if (bits == 0)
        bits = 36; // what SDM 3A, 4.1.4 lets one assume with PAE
    return 1ull << (bits < 52 ? bits : 52);
}

static inline bool features_has_local_apic(void)
{
    return cpuid(1, 0).edx & 1u << 9;
}
