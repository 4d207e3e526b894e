// SPDX-License-Identifier: MIT
// Local APIC and its timer (SDM 3A, 11), and the legacy PIC, wired through LINT0, for the serial
// port.
#include "arch/cpu.h"
#include "arch/io.h"
#include "arch/layout.h"
#include "arch_local.h"

#define APIC_TPR           0x080
#define APIC_EOI           0x0b0
#define APIC_SPURIOUS      0x0f0
#define APIC_LVT_TIMER     0x320
#define APIC_LVT_LINT0     0x350
#define APIC_LVT_LINT1     0x360
#define APIC_LVT_ERROR     0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_COUNT   0x390
#define APIC_TIMER_DIVIDE  0x3e0

#define APIC_ENABLE     0x100u
#define LVT_MASKED      0x10000u
#define LVT_EXTINT      0x700u
#define LVT_PERIODIC    0x20000u
#define TIMER_DIVIDE_16 0x3u

// PIT channel 2, counted through port 0x61, measures the APIC timer.
#define PIT_HZ           1193182u
#define PIT_CHANNEL2     0x42
#define PIT_MODE         0x43
#define PIT_GATE         0x61
#define TICKS_PER_SECOND 200u
#define CALIBRATE_POLLS  10000000u
#define COUNT_FALLBACK   312500u // of a 1 GHz clock: where there is no PIT

#define PIC_MASTER 0x20
#define PIC_SLAVE  0xa0
#define PIC_EOI    0x20
#define IRQ_SERIAL 4u

static uint32_t apic_read(unsigned reg)
{
    return *(volatile uint32_t *)(KERNEL_LAPIC + reg);
}

static void apic_write(unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)(KERNEL_LAPIC + reg) = value;
}

void apic_init(void)
{
    msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | 1u << 11);
    apic_write(APIC_TPR, 0);
    apic_write(APIC_LVT_ERROR, LVT_MASKED);
    apic_write(APIC_LVT_TIMER, LVT_MASKED);
    apic_write(APIC_LVT_LINT0, LVT_EXTINT);
    apic_write(APIC_LVT_LINT1, LVT_MASKED);
    apic_write(APIC_SPURIOUS, APIC_ENABLE | VECTOR_SPURIOUS);
}

void apic_end(void)
{
    apic_write(APIC_EOI, 0);
}

// How far the APIC timer counts in one tick; a PIT that never ends its count is not there.
static uint32_t measure_tick(void)
{
    uint32_t pit_count = PIT_HZ / TICKS_PER_SECOND;
    uint8_t gate = io_read8(PIT_GATE) & 0xfc;
    io_write8(PIT_GATE, gate);
    io_write8(PIT_MODE, 0xb0); // channel 2, both bytes, mode 0
    io_write8(PIT_CHANNEL2, (uint8_t)pit_count);
    io_write8(PIT_CHANNEL2, (uint8_t)(pit_count >> 8));
    apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
    io_write8(PIT_GATE, gate | 1);
    uint32_t polls = 0;
    while (!(io_read8(PIT_GATE) & 0x20) && polls < CALIBRATE_POLLS)
        polls++;
    uint32_t passed = UINT32_MAX - apic_read(APIC_TIMER_COUNT);
    return polls == CALIBRATE_POLLS || !passed ? COUNT_FALLBACK : passed;
}

void apic_timer_start(void)
{
    apic_write(APIC_TIMER_DIVIDE, TIMER_DIVIDE_16);
    uint32_t count = measure_tick();
    apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_TIMER);
    apic_write(APIC_TIMER_INITIAL, count);
}

// Both controllers to their vectors, everything masked but the serial port.
void pic_init(void)
{
    static const uint8_t master[] = {VECTOR_PIC, 4, 1};
    static const uint8_t slave[] = {VECTOR_PIC + 8, 2, 1};
    io_write8(PIC_MASTER, 0x11);
    io_write8(PIC_SLAVE, 0x11);
    for (unsigned i = 0; i < sizeof(master); i++) {
        io_write8(PIC_MASTER + 1, master[i]);
        io_write8(PIC_SLAVE + 1, slave[i]);
    }
    io_write8(PIC_MASTER + 1, (uint8_t) ~(1u << IRQ_SERIAL));
    io_write8(PIC_SLAVE + 1, 0xff);
}

void pic_end(void)
{
    io_write8(PIC_MASTER, PIC_EOI);
}
