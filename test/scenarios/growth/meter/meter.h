// SPDX-License-Identifier: MIT
// Counts instructions, from before a request to behind it, and tells the least of several tries:
//
//   # cost: WHAT SIZE: N
#pragma once

#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/bench/lib/counter.h"

enum { SELF = SLOT_FREE, LAND, CLONE, TASK, CROWD = 64 }; // the crowd's slots are further ones

#define TRIES 8u
#define BASE  0x8000000000ul // a root entry's whole range
#define RANGE (1ul << 39 >> PAGE_SHIFT)
#define RW    (PROT_R | PROT_W)

static inline void keep_least(uint64_t *least, uint64_t cost)
{
    if (cost < *least)
        *least = cost;
}

// Takes the cost of `op`, a statement, into *least.
#define COUNT(least, op)                         \
    do {                                         \
        uint64_t start_ = counter();             \
        op;                                      \
        keep_least((least), counter() - start_); \
    } while (0)

void tell(const char *what, uint64_t size, uint64_t cost);

void test_ranges(void);
void test_differences(void);
void test_crowds(void);
