// SPDX-License-Identifier: MIT
#include "arch/percpu.h"
#include "arch_local.h"

// SDM 3A, 8.7.
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap; // beyond the limit: no port is open to user mode
} __attribute__((packed));

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

extern char fatal_stack_top[];

static struct tss tss;

static uint64_t gdt[] = {
    0,
    0x00af9a000000ffff, // kernel code
    0x00cf92000000ffff, // kernel data
    0x00cff2000000ffff, // user data
    0x00affa000000ffff, // user code
    0,
    0, // TSS, filled in below
};

static void set_tss_descriptor(void)
{
    uint64_t base = (uint64_t)&tss;
    gdt[5] =
        (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[6] = base >> 32;
}

void gdt_init(void)
{
    tss.ist[0] = (uint64_t)fatal_stack_top;
    tss.iomap = sizeof(tss);
    set_tss_descriptor();
    struct table_pointer pointer = {sizeof(gdt) - 1, (uint64_t)gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "mov %2, %%ss\n\t"
                     "mov %3, %%ds\n\t"
                     "mov %3, %%es\n\t"
                     "mov %3, %%fs\n\t"
                     "mov %3, %%gs\n\t"
                     "ltr %w4"
                     :
                     : "m"(pointer), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(0),
                       "r"(SELECTOR_TSS)
                     : "rax", "memory");
}

void gdt_set_registers_end(uint64_t end)
{
    tss.rsp[0] = end;
}
