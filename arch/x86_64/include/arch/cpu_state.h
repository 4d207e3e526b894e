// SPDX-License-Identifier: MIT
// What arch keeps of each CPU, inside struct cpu: reached through GS.
#pragma once

#include "ipc/types.h"

struct task;

// SDM 3A, 8.7. An interrupt from ring 3 finds its stack in rsp[0]: the end of the current task's
// registers.
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap; // beyond the limit: no port is open to user mode
} __attribute__((packed));

struct cpu_state {
    uint64_t fs_base;                           // in the MSR
    struct task *fpu_owner;                     // whose FPU state is in the registers
    bool is_fpu_locked;                         // CR0.TS
    struct tss tss __attribute__((aligned(4))); // rsp[0] at a multiple of 8
};
