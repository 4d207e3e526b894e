// SPDX-License-Identifier: MIT
// FPU state of a task: what XSAVE stores for x87, SSE and AVX (SDM 1, 13.4), or FXSAVE without
// XSAVE.
#pragma once

#include <stdint.h>

struct fpu_state {
    uint16_t control; // x87 control word
    uint8_t unused1[22];
    uint32_t mxcsr;
    uint8_t unused2[804];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct fpu_state) == 832, "legacy area, header, AVX");
