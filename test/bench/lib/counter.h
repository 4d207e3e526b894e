// SPDX-License-Identifier: MIT
// The CPU's counter, which counts instructions on a machine with `-icount shift=0`.
#pragma once

#include <stdint.h>

// One block, so that each bracket of two holds the same instructions of ours.
static inline __attribute__((always_inline)) uint64_t counter(void)
{
    uint64_t now;
    __asm__ volatile("rdtsc\n\tshl $32, %%rdx\n\tor %%rdx, %%rax"
                     : "=a"(now)
                     :
                     : "rdx", "cc", "memory");
    return now;
}
