// SPDX-License-Identifier: MIT
#include "walker.h"

#include <string.h>

#include "ipc/vmm_protocol.h"

// Bits of an entry (SDM 3A, tables 4-14 to 4-20), restated on purpose.
#define P        0x001u
#define RW       0x002u
#define US       0x004u
#define ACCESSED 0x020u
#define DIRTY    0x040u
#define PS       0x080u
#define XD       (1ull << 63)
#define PHYSICAL 0x000ffffffffff000ull // with MAXPHYADDR 52

static bool is_canonical(vaddr_t va, unsigned levels)
{
    unsigned top = 12 + 9 * levels - 1; // the bit that all above it repeat
    uint64_t high = va >> top;
    return high == 0 || high == ~0ull >> top;
}

// Bytes that an entry at `level` covers.
static uint64_t span(unsigned level)
{
    return 0x1000ull << 9 * (level - 1);
}

static bool has_reserved(uint64_t entry, unsigned level)
{
    if (!(entry & PS) || level == 1)
        return false;
    // PS is reserved above 1 GiB; in a large page so are the address's low bits, but for bit 12,
    // PAT.
    return level > 3 || entry & PHYSICAL & (span(level) - 1) & ~0x1000ull;
}

static uint64_t load(const struct memory *memory, paddr_t address)
{
    uint64_t entry;
    memcpy(&entry, memory->bytes + address, sizeof entry);
    return entry;
}

static void take_rights(struct walk *w, uint64_t entry)
{
    if (!(entry & RW))
        w->rights &= ~PROT_W;
    if (entry & XD)
        w->rights &= ~PROT_X;
    w->is_user = w->is_user && entry & US;
}

static void end_at_page(const struct memory *memory, struct walk *w, uint64_t entry, vaddr_t va)
{
    uint64_t mask = span(w->level) - 1;
    w->address = (entry & PHYSICAL & ~mask) | (va & mask);
    w->needs_write = w->needs_write || (w->rights & PROT_W && !(entry & DIRTY));
    w->end = (w->address | 0xfff) < memory->len ? WALK_PAGE : WALK_OUTSIDE;
}

void walk(const struct memory *memory, unsigned levels, paddr_t root, vaddr_t va, struct walk *w)
{
    *w = (struct walk){.rights = PROT_R | PROT_W | PROT_X, .is_user = true, .end = WALK_ABSENT};
    paddr_t table = root;
    if (!is_canonical(va, levels)) {
        w->end = WALK_CANONICAL;
        return;
    }
    for (w->level = levels;; w->level--) {
        if ((table | 0xfff) >= memory->len) {
            w->end = WALK_OUTSIDE;
            return;
        }
        w->table[w->level] = table;
        w->above[w->level] = w->rights;
        uint64_t entry = load(memory, table + 8 * (va / span(w->level) % 512));
        if (!(entry & P))
            return;
        if (has_reserved(entry, w->level)) {
            w->end = WALK_RESERVED;
            return;
        }
        take_rights(w, entry);
        w->needs_write = w->needs_write || !(entry & ACCESSED);
        if (w->level == 1 || entry & PS) {
            end_at_page(memory, w, entry, va);
            return;
        }
        table = entry & PHYSICAL;
    }
}
