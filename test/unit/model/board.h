// SPDX-License-Identifier: MIT
// The smallest machine that the memory server runs on: physical memory as boot leaves it, and a
// kernel that does nothing but flush and count. All of its state is this struct and the memory, so
// it can be copied and put back (explore), and it may have 40 frames or a million.
#pragma once

#include "servers/vmm/core/start.h"
#include "test/unit/fake/tlb.h"
#include "universe.h"

#define BOARD_LOG 1024u

struct board {
    struct vmm vm;
    struct memory memory;
    struct tlb tlb;
    uint64_t minted; // badge of the last portal that the VMM answered with
    uint64_t n_mints;
    uint64_t n_killed;   // portals made dead
    char log[BOARD_LOG]; // what the VMM logged last
};

// Makes the machine and starts the VMM, without tasks. The TLB watches the universe and part of the
// kernel's half. `page_sizes` as in boot_info.
void board_start(struct board *b, const struct universe *u, unsigned levels, uint64_t n_frames,
                 uint32_t page_sizes);
void board_end(struct board *b);

// A sum over every entry of every space: who changes nothing leaves it as it is.
uint64_t board_sum(const struct board *b);
