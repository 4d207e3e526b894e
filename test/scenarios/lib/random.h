// SPDX-License-Identifier: MIT
// Numbers that look random and are the same in every run.
#pragma once

#include <stdint.h>

// xorshift64; the seed must not be 0.
static inline uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

// Values that programs get wrong: small, huge, aligned, at the borders of address space.
static inline uint64_t random_word(uint64_t *seed)
{
    static const uint64_t borders[] = {
        0, 0x400000, 0x00007ffffffff000, 0x00fffffffffff000, 0xffff800000000000, UINT64_MAX - 0xfff,
    };
    uint64_t value = random_next(seed);
    switch (value >> 60) {
    case 0 ... 3:
        return value & 0xf;
    case 4 ... 7:
        return value & 0xffff000;
    case 8 ... 13:
        return borders[value % 6] + (value >> 8 & 3) * 0x1000 - (value >> 16 & 1) * 0x1000;
    default:
        return value;
    }
}
