// SPDX-License-Identifier: MIT
#include "arch/offsets.h"
#include "arch_local.h"

#define STUB_BYTES 16u
#define N_STUBS    (VECTOR_TIMER + 1)

#define GATE_KERNEL 0x8eu // present, DPL 0, interrupt gate
#define GATE_USER   0xeeu // the same for INT3 and INTO, which user mode may execute

#define VECTOR_NMI      2u
#define VECTOR_BREAK    3u
#define VECTOR_OVERFLOW 4u
#define VECTOR_DOUBLE   8u
#define VECTOR_MACHINE  18u

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

static struct gate idt[VECTORS];

static void set_gate(unsigned vector, const char *entry, uint8_t type, uint8_t ist)
{
    uint64_t offset = (uint64_t)entry;
    idt[vector] = (struct gate){
        .offset_low = (uint16_t)offset,
        .selector = SELECTOR_KERNEL_CODE,
        .ist = ist,
        .type = type,
        .offset_middle = (uint16_t)(offset >> 16),
        .offset_high = (uint32_t)(offset >> 32),
    };
}

void idt_init(void)
{
    for (unsigned v = 0; v < N_STUBS; v++)
        set_gate(v, trap_stubs + v * STUB_BYTES, GATE_KERNEL, 0);
    idt[VECTOR_BREAK].type = idt[VECTOR_OVERFLOW].type = GATE_USER;
    set_gate(VECTOR_SPURIOUS, trap_stubs + N_STUBS * STUB_BYTES, GATE_KERNEL, 0);
    set_gate(VECTOR_NMI, trap_fatal_nmi, GATE_KERNEL, 1);
    set_gate(VECTOR_DOUBLE, trap_fatal_double, GATE_KERNEL, 1);
    set_gate(VECTOR_MACHINE, trap_fatal_machine, GATE_KERNEL, 1);
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = {sizeof(idt) - 1, (uint64_t)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}
