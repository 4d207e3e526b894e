// SPDX-License-Identifier: MIT
// What the MMU would do with an access by user code (SDM 3A, 4.5 and 4.6), written from the manual
// and apart from the engine: it shares no code and no constant with it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum walk_access { WALK_READ, WALK_WRITE, WALK_FETCH };

struct walk {
    bool is_allowed;
    uint64_t address;    // physical, of the byte
    uint32_t error_code; // of the page fault
    unsigned size_shift; // of the page: 12, 21, 30
};

// Walks the tables at `root` in `memory`, whose byte 0 is physical address 0.
struct walk walk_user(const char *memory, uint64_t root, unsigned levels, uint64_t va,
                      enum walk_access access);
