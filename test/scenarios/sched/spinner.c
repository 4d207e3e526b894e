// SPDX-License-Identifier: MIT
// Never calls the kernel at all.
#include <stdint.h>

uint64_t main(uint64_t argument)
{
    for (;;)
        __asm__ volatile("" : : "r"(argument));
}
