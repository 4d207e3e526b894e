// SPDX-License-Identifier: MIT
// FPU state is switched when a task uses it, not before: until then CR0.TS traps it (#NM).
#include "arch/fpu.h"

#include "arch/cpu.h"
#include "arch_local.h"
#include "kernel/arch.h"
#include "kernel/task.h"

#define CPUID_XSAVE (1u << 26) // leaf 1, ECX
#define CPUID_AVX   (1u << 28)

#define XCR0_X87_SSE 0x3u
#define XCR0_AVX     0x4u

static uint32_t xsave_mask; // 0: FXSAVE

void fpu_init(void)
{
    uint32_t features = cpuid(1, 0).ecx;
    cr0_write((cr0_read() & ~CR0_EM) | CR0_MP | CR0_NE | CR0_TS);
    uint64_t cr4 = cr4_read() | CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (features & CPUID_XSAVE) {
        cr4_write(cr4 | CR4_OSXSAVE);
        xsave_mask = XCR0_X87_SSE | (features & CPUID_AVX ? XCR0_AVX : 0);
        __asm__ volatile("xsetbv" : : "c"(0), "a"(xsave_mask), "d"(0));
    } else {
        cr4_write(cr4);
    }
}

static void save(struct fpu_state *f)
{
    if (xsave_mask)
        __asm__ volatile("xsave64 %0" : "+m"(*f) : "a"(xsave_mask), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 %0" : "=m"(*f) : : "memory");
}

static void restore(const struct fpu_state *f)
{
    if (xsave_mask)
        __asm__ volatile("xrstor64 %0" : : "m"(*f), "a"(xsave_mask), "d"(0) : "memory");
    else
        __asm__ volatile("fxrstor64 %0" : : "m"(*f) : "memory");
}

void fpu_lock(struct cpu *cpu, bool lock)
{
    if (cpu->arch.is_fpu_locked == lock)
        return;
    cpu->arch.is_fpu_locked = lock;
    if (lock)
        cr0_write(cr0_read() | CR0_TS);
    else
        __asm__ volatile("clts");
}

void arch_fpu_take(struct cpu *cpu)
{
    fpu_lock(cpu, false);
    struct task *owner = cpu->arch.fpu_owner, *t = cpu->current;
    if (owner) {
        save(&owner->fpu);
        owner->special &= owner->fs_base ? ~0 : ~SPECIAL_CONTEXT;
    }
    if (!t->has_fpu)
        t->fpu = (struct fpu_state){.control = 0x37f, .mxcsr = 0x1f80};
    t->has_fpu = true;
    restore(&t->fpu);
    t->special |= SPECIAL_CONTEXT;
    cpu->arch.fpu_owner = t;
}
