// SPDX-License-Identifier: MIT
#include "walker.h"

#include <string.h>

static uint64_t entry_at(const char *memory, uint64_t address)
{
    uint64_t entry;
    memcpy(&entry, memory + address, 8);
    return entry;
}

static uint32_t access_bits(enum walk_access access)
{
    return 4u | (access == WALK_WRITE ? 2u : 0) | (access == WALK_FETCH ? 16u : 0);
}

struct walk walk_user(const char *memory, uint64_t root, unsigned levels, uint64_t va,
                      enum walk_access access)
{
    bool can_write = true, can_user = true, can_fetch = true;
    uint64_t table = root;
    struct walk w = {.error_code = access_bits(access)};
    for (unsigned shift = 12 + 9 * (levels - 1);; shift -= 9) {
        uint64_t entry = entry_at(memory, table + (va >> shift & 511) * 8);
        if (!(entry & 1))
            return w;
        can_write = can_write && (entry >> 1 & 1);
        can_user = can_user && (entry >> 2 & 1);
        can_fetch = can_fetch && !(entry >> 63);
        table = entry & 0xffffffffff000;
        if (shift == 12 || (shift <= 30 && entry >> 7 & 1)) {
            w.size_shift = shift;
            break;
        }
    }
    w.error_code |= 1;
    w.is_allowed =
        can_user && (access != WALK_WRITE || can_write) && (access != WALK_FETCH || can_fetch);
    w.address = table + (va & ((1ull << w.size_shift) - 1));
    return w;
}
