// SPDX-License-Identifier: MIT
// Ways to die. Each function in raise.S does one thing that ring 3 must not do; should it come
// back, the thread exits with NOT_RAISED, and an exit is not what its table row says.
#pragma once

#define NOT_RAISED 99

#ifndef __ASSEMBLER__
#include <stdint.h>

#define VECTOR_DIVIDE     0u
#define VECTOR_DEBUG      1u
#define VECTOR_BREAKPOINT 3u
#define VECTOR_OVERFLOW   4u
#define VECTOR_INVALID    6u
#define VECTOR_PROTECTION 13u
#define VECTOR_PAGE       14u
#define VECTOR_X87        16u
// QEMU 7 raises another exception here than the manual says: #UD for INT1, #GP for a stack that is
// not canonical, a page fault for IRET's own reads under SMAP. That it is a fault is what counts.
#define VECTOR_ANY        0xffu

// Addresses that page faults are to report. Other exceptions have none: 0.
#define UNMAPPED    0x1000ul
#define KERNEL_TEXT 0xffffffff80100000ul
#define OBJECTS     0xffffff8000000000ul
#define PHYSMAP     0xffff800000000000ul

typedef void raise_t(uint64_t argument);

// clang-format off
#define RAISE_LIST(X)                                                                              \
    X(raise_divide,        VECTOR_DIVIDE,     0, "divides by zero")                                \
    X(raise_icebp,         VECTOR_ANY,        0, "executes INT1")                                  \
    X(raise_step,          VECTOR_DEBUG,      0, "single-steps itself")                            \
    X(raise_step_syscall,  VECTOR_DEBUG,      0, "single-steps over a system call")                \
    X(raise_int3,          VECTOR_BREAKPOINT, 0, "executes INT3")                                  \
    X(raise_int4,          VECTOR_OVERFLOW,   0, "executes INT 4")                                 \
    X(raise_ud2,           VECTOR_INVALID,    0, "executes an invalid instruction")                \
    X(raise_x87,           VECTOR_X87,        0, "divides by zero in the x87, unmasked")           \
    X(raise_int_page,      VECTOR_PROTECTION, 0, "executes INT 14")                                \
    X(raise_int_double,    VECTOR_PROTECTION, 0, "executes INT 8")                                 \
    X(raise_int_timer,     VECTOR_PROTECTION, 0, "executes INT 0x20")                              \
    X(raise_int_80,        VECTOR_PROTECTION, 0, "executes INT 0x80")                              \
    X(raise_cli,           VECTOR_PROTECTION, 0, "switches interrupts off")                        \
    X(raise_sti,           VECTOR_PROTECTION, 0, "switches interrupts on")                         \
    X(raise_hlt,           VECTOR_PROTECTION, 0, "halts")                                          \
    X(raise_in,            VECTOR_PROTECTION, 0, "reads a port")                                   \
    X(raise_out,           VECTOR_PROTECTION, 0, "writes a port")                                  \
    X(raise_read_cr0,      VECTOR_PROTECTION, 0, "reads CR0")                                      \
    X(raise_write_cr3,     VECTOR_PROTECTION, 0, "writes CR3")                                     \
    X(raise_rdmsr,         VECTOR_PROTECTION, 0, "reads an MSR")                                   \
    X(raise_wrmsr,         VECTOR_PROTECTION, 0, "writes an MSR")                                  \
    X(raise_lgdt,          VECTOR_PROTECTION, 0, "loads a GDT")                                    \
    X(raise_ltr,           VECTOR_PROTECTION, 0, "loads a task register")                          \
    X(raise_swapgs,        VECTOR_PROTECTION, 0, "swaps GS")                                       \
    X(raise_sysret,        VECTOR_PROTECTION, 0, "executes SYSRET")                                \
    X(raise_invlpg,        VECTOR_PROTECTION, 0, "flushes a page")                                 \
    X(raise_wbinvd,        VECTOR_PROTECTION, 0, "flushes the caches")                             \
    X(raise_kernel_ds,     VECTOR_PROTECTION, 0, "loads the kernel's data segment")                \
    X(raise_null_ss,       VECTOR_PROTECTION, 0, "loads a null stack segment")                     \
    X(raise_iret_kernel,   VECTOR_ANY,        0, "returns into ring 0")                            \
    X(raise_load_far,      VECTOR_PROTECTION, 0, "reads a non-canonical address")                  \
    X(raise_jump_far,      VECTOR_PROTECTION, 0, "jumps to a non-canonical address")               \
    X(raise_stack_far,     VECTOR_ANY,        0, "pushes to a non-canonical stack")                \
    X(raise_read_nothing,  VECTOR_PAGE, UNMAPPED,    "reads where nothing is")                     \
    X(raise_write_nothing, VECTOR_PAGE, UNMAPPED,    "writes where nothing is")                    \
    X(raise_jump_nothing,  VECTOR_PAGE, UNMAPPED,    "jumps to where nothing is")                  \
    X(raise_write_text,    VECTOR_PAGE, (vaddr_t)raise_write_text, "writes its own code")          \
    X(raise_write_rodata,  VECTOR_PAGE, (vaddr_t)raise_rodata, "writes a constant")                \
    X(raise_jump_data,     VECTOR_PAGE, (vaddr_t)raise_data, "executes its data")                  \
    X(raise_no_stack,      VECTOR_PAGE, UNMAPPED - 8, "pushes where no stack is")                  \
    X(raise_read_kernel,   VECTOR_PAGE, KERNEL_TEXT, "reads the kernel")                           \
    X(raise_write_kernel,  VECTOR_PAGE, KERNEL_TEXT, "writes the kernel")                          \
    X(raise_jump_kernel,   VECTOR_PAGE, KERNEL_TEXT, "jumps into the kernel")                      \
    X(raise_read_objects,  VECTOR_PAGE, OBJECTS,     "reads the kernel's objects")                 \
    X(raise_read_physmap,  VECTOR_PAGE, PHYSMAP,     "reads physical memory")
// clang-format on

#define RAISE_DECLARE(entry, vector, address, text) raise_t entry;
RAISE_LIST(RAISE_DECLARE)
#undef RAISE_DECLARE

extern const uint64_t raise_rodata[];
extern uint64_t raise_data[];

// Sets every flag of RFLAGS that ring 3 may set and the kernel must not be impressed by, yields
// some times (`argument` is the header word), and exits with 0 if the flags that are its own were
// kept.
raise_t strange_flags;

// Puts RSP where no stack can be, spins for some time slices and exits with 0 (`argument` is the
// header word of EXIT).
raise_t strange_stack;
#endif
