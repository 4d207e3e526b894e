// SPDX-License-Identifier: MIT
#include "arch/offsets.h"
#include "arch_local.h"

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

extern char fatal_stack_top[];

static uint64_t gdt[] = {
    0,
    0x00af9a000000ffff, // kernel code
    0x00cf92000000ffff, // kernel data
    0x00cff2000000ffff, // user data
    0x00affa000000ffff, // user code
    0,
    0, // TSS, filled in below
};

static void set_tss_descriptor(const struct tss *tss)
{
    uint64_t base = (uint64_t)tss;
    gdt[5] =
        (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[6] = base >> 32;
}

void gdt_init(struct tss *tss)
{
    tss->ist[0] = (uint64_t)fatal_stack_top;
    tss->iomap = sizeof(*tss);
    set_tss_descriptor(tss);
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
