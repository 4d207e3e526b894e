// SPDX-License-Identifier: MIT
// Privileged instructions and the control bits that the kernel uses (SDM 3A, 2.5; 3C, 2).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)

#define CR4_PAE        (1ull << 5)
#define CR4_MCE        (1ull << 6)
#define CR4_PGE        (1ull << 7)
#define CR4_OSFXSR     (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP       (1ull << 11)
#define CR4_LA57       (1ull << 12)
#define CR4_OSXSAVE    (1ull << 18)
#define CR4_SMEP       (1ull << 20)
#define CR4_SMAP       (1ull << 21)

#define MSR_APIC_BASE      0x0000001bu
#define MSR_SYSENTER_CS    0x00000174u
#define MSR_EFER           0xc0000080u
#define MSR_STAR           0xc0000081u
#define MSR_LSTAR          0xc0000082u
#define MSR_SFMASK         0xc0000084u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u

#define EFER_SCE (1ull << 0)

#define RFLAGS_FIXED  0x2ull
#define RFLAGS_IF     (1ull << 9)
// IF, TF, DF, NT, AC and the rest of what user mode may set: cleared at a system call.
#define RFLAGS_MASKED 0x47700ull

static inline uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

#define CONTROL_REGISTER(n)                                                \
    static inline uint64_t cr##n##_read(void)                              \
    {                                                                      \
        uint64_t value;                                                    \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(value) : : "memory"); \
        return value;                                                      \
    }                                                                      \
    static inline void cr##n##_write(uint64_t value)                       \
    {                                                                      \
        __asm__ volatile("mov %0, %%cr" #n : : "r"(value) : "memory");     \
    }
CONTROL_REGISTER(0)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}
