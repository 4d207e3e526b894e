// SPDX-License-Identifier: MIT
// What a CPU holds of a task: registers to start with, and what a switch loads.
#include "arch/cpu.h"
#include "arch/init.h"
#include "arch/layout.h"
#include "arch/offsets.h"
#include "arch/power.h"
#include "arch/uart.h"
#include "arch_local.h"
#include "kernel/arch.h"
#include "kernel/task.h"

#define CPUID_SMEP (1u << 7)  // leaf 7, EBX
#define CPUID_SMAP (1u << 20) // leaf 7, EBX
#define CPUID_UMIP (1u << 2)  // leaf 7, ECX
#define CPUID_MCE  (1u << 7)  // leaf 1, EDX
#define CPUID_PGE  (1u << 13) // leaf 1, EDX

static struct cpu first_cpu;
static vaddr_t user_end, probe_page;

static void protect_init(void)
{
    struct cpuid features = cpuid(0, 0).eax >= 7 ? cpuid(7, 0) : (struct cpuid){0};
    uint32_t basic = cpuid(1, 0).edx;
    uint64_t cr4 = cr4_read() & (CR4_PAE | CR4_LA57); // nothing else of the firmware's
    if (basic & CPUID_PGE)
        cr4 |= CR4_PGE;
    if (basic & CPUID_MCE)
        cr4 |= CR4_MCE;
    if (features.ebx & CPUID_SMEP)
        cr4 |= CR4_SMEP;
    if (features.ebx & CPUID_SMAP)
        cr4 |= CR4_SMAP;
    if (features.ecx & CPUID_UMIP)
        cr4 |= CR4_UMIP;
    cr4_write(cr4);
    cr0_write(cr0_read() | CR0_WP);
}

static void syscall_init(void)
{
    // SYSRET takes SS from bits 48..63 + 8 and CS from + 16; SYSCALL takes CS from bits 32..47.
    msr_write(MSR_STAR, (uint64_t)SELECTOR_KERNEL_DATA << 48 |
                            (uint64_t)SELECTOR_KERNEL_CODE << 32 | 3ull << 48);
    msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
    msr_write(MSR_SFMASK, RFLAGS_MASKED);
    msr_write(MSR_SYSENTER_CS, 0); // SYSENTER is a fault
    msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE);
}

struct cpu *arch_init(paddr_t root, unsigned levels)
{
    struct cpu *cpu = &first_cpu;
    user_end = levels == 5 ? USER_END_5LEVEL : USER_END_4LEVEL;
    probe_page = levels == 5 ? PROBE_5LEVEL : PROBE_4LEVEL;
    mmu_load(root);
    gdt_init(&cpu->arch.tss);
    idt_init();
    cpu->self = cpu;
    cpu->stack_top = (uint64_t)cpu_stack_top;
    msr_write(MSR_GS_BASE, (uint64_t)cpu);
    msr_write(MSR_KERNEL_GS_BASE, 0);
    protect_init();
    fpu_init();
    cpu->arch.is_fpu_locked = true;
    syscall_init();
    pic_init();
    apic_init();
    apic_timer_start();
    return cpu;
}

bool arch_is_user_address(vaddr_t va)
{
    return va < user_end || (va & ~PAGE_MASK) == probe_page;
}

struct object *arch_object_at(uint64_t index)
{
    if (index >= OBJECT_WINDOW_INDICES)
        return NULL;
    void *address = (void *)(OBJECT_WINDOW + index * PAGE_SIZE);
    return probe_read(address) ? address : NULL;
}

void arch_task_start(struct task *t, const struct task_start *start)
{
    struct registers *regs = &t->regs;
    regs->w[0] = start->arg;
    regs->rip = start->rip;
    regs->cs = SELECTOR_USER_CODE;
    regs->rflags = RFLAGS_FIXED | RFLAGS_IF;
    regs->rsp = start->rsp;
    regs->ss = SELECTOR_USER_DATA;
}

void arch_task_forget(struct task *t)
{
    if (t->cpu->arch.fpu_owner == t)
        t->cpu->arch.fpu_owner = NULL;
}

// Loading a null FS, as every switch does, may clear its base.
void context_special(const struct task *next)
{
    struct cpu *cpu = next->cpu;
    if (next->fs_base || cpu->arch.fs_base) {
        cpu->arch.fs_base = next->fs_base;
        msr_write(MSR_FS_BASE, next->fs_base);
    }
    fpu_lock(cpu, cpu->arch.fpu_owner != next);
}

void arch_enter(struct cpu *cpu, struct task *t)
{
    cpu->arch.tss.rsp[0] = (uint64_t)(&t->regs + 1);
    trap_enter(t);
}

void arch_idle(void)
{
    // STI takes effect after the next instruction: no interrupt can come before HLT (SDM 2B, STI).
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

void arch_console_write(const char *text, size_t len)
{
    uart_write(text, len);
}

size_t arch_console_send(const char *text, size_t len)
{
    return uart_send(text, len);
}

size_t arch_console_read(char *text, size_t max)
{
    return uart_read(text, max);
}

void arch_power_off(unsigned code)
{
    power_off(code);
}
