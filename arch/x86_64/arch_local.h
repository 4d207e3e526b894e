// SPDX-License-Identifier: MIT
// What the files of arch/x86_64 call in one another.
#pragma once

#include "ipc/types.h"
#include "kernel/cpu.h"

// gdt.c: segments and the CPU's TSS.
void gdt_init(struct tss *tss);

// idt.c
void idt_init(void);

// mmu.c: CR3 and invalidations; beside it only switch.inc, for assembly, loads CR3.
void mmu_load(paddr_t root);

// fpu.c
void fpu_init(void);
void fpu_lock(struct cpu *cpu, bool lock);

// apic.c: local APIC with its timer; the legacy PIC behind its LINT0 brings the serial port's
// interrupt.
void apic_init(void);
void apic_timer_start(void);
void apic_end(void);
void pic_init(void);
void pic_end(void);

#define VECTOR_PIC      0x20u
#define VECTOR_SERIAL   (VECTOR_PIC + 4)
#define VECTOR_TIMER    0x30u
#define VECTOR_SPURIOUS 0xffu
#define VECTORS         256u

// Assembly: entry points, stacks.
extern char syscall_entry[];
extern char trap_stubs[];
extern char trap_fatal_nmi[], trap_fatal_double[], trap_fatal_machine[];
extern char cpu_stack[], cpu_stack_top[];

// Reads a byte at an address that may not be mapped; false if it is not.
bool probe_read(const void *address);
extern char probe_instruction[], probe_failed[];

// context.c: loads what `next`, or the task before it, has beyond registers and root: its `special`.
struct task;
void context_special(const struct task *next);

// Leaves the kernel for `t`, whose root is loaded, for the first time.
_Noreturn void trap_enter(struct task *t);
