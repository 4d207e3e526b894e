// SPDX-License-Identifier: MIT
// The VMM's page-table entries: what arch/pte.h leaves to software, and constructors for all of
// them.
//
//    63 62  60 59  57 56  54 53 52 51          12 11 10  9  8  7  6  5  4  3  2  1  0
//   +--+------+------+------+-----+--------------+-----+--+--+--+--+--+--+--+--+--+--+
//   |NX|      | PROT | MAX  |  SO | frame        |LK|DV|SH| G|PS| D| A|CD|WT| U| W| P|
//   +--+------+------+------+-----+--------------+-----+--+--+--+--+--+--+--+--+--+--+
//
// - empty: all bits zero.
// - table (P, above level 1, no PS): U, no NX, A. W means exactly: the child has this one parent.
// - page (a leaf with a frame): PROT is what it logically allows, MAX what it may ever allow, SH that
//   it is shared on purpose (clones share it too), LK that it came by a share (link.h), SO (bit 52)
//   that the frame has no other reference: never with SH, and clear it may have none either. With
//   PROT_R it is present; W then is set if PROT has it, and SO or SH is. Without PROT_R it is `held`:
//   not present, U set, the frame kept.
// - device (a leaf, DV): its frame is no RAM and counted nowhere; uncached (CD, WT), shared, never
//   executable, and left out of clones.
// - lazy (not present, W set): demand-zero; bits 12..13 are the level of the pages to come.
//   With PROT 0 it is reserved or a guard.
// - paged (not present, WT set): bits 12.. are the record of the pager that gets the fault.
// All but tables may stand at any level: the entry speaks for everything that it covers.
#pragma once

#include "arch/pte.h"
#include "ipc/types.h"
#include "ipc/vmm_protocol.h"

typedef struct {
    uint64_t bits;
} pte_t;

#define PTE_SHARED     (1ull << 9)
#define PTE_DEVICE     (1ull << 10)
#define PTE_LINKED     (1ull << 11)
#define PTE_SOLE       (1ull << 52)
#define PTE_MAX_SHIFT  54
#define PTE_PROT_SHIFT 57
#define PTE_MAX        (7ull << PTE_MAX_SHIFT)
#define PTE_PROT       (7ull << PTE_PROT_SHIFT)
#define PTE_HELD       PTE_U // of a non-present entry
#define PTE_LAZY       PTE_W
#define PTE_PAGED      PTE_WT

#define PTE_NONE ((pte_t){0})

_Static_assert(PROT_R == 1 && PROT_W == 2 && PROT_X == 4, "PROT and MAX hold PROT_* as they are");

static inline bool pte_is_empty(pte_t e)
{
    return e.bits == 0;
}

static inline bool pte_is_present(pte_t e)
{
    return e.bits & PTE_P;
}

static inline bool pte_is_table(pte_t e, unsigned level)
{
    return level > 1 && (e.bits & (PTE_P | PTE_PS)) == PTE_P;
}

// What an entry has beside the address if it points to a table that has this one parent. No other
// entry has the same below bit 12.
#define PTE_OWN_TABLE (PTE_P | PTE_W | PTE_U | PTE_A)

static inline bool pte_is_own_table(pte_t e)
{
    return (e.bits & PAGE_MASK) == PTE_OWN_TABLE;
}

static inline bool pte_is_lazy(pte_t e)
{
    return (e.bits & (PTE_P | PTE_U | PTE_W)) == PTE_LAZY;
}

static inline bool pte_is_paged(pte_t e)
{
    return (e.bits & (PTE_P | PTE_U | PTE_PAGED)) == PTE_PAGED;
}

// Whether the entry, known to be no table, has a frame, be it RAM or a device's.
static inline bool pte_is_leaf(pte_t e)
{
    return e.bits & PTE_U;
}

static inline bool pte_is_device(pte_t e)
{
    return e.bits & PTE_DEVICE;
}

// Whether the entry, known to be no table, refers to a frame of RAM, and counts in its record.
static inline bool pte_has_page(pte_t e)
{
    return (e.bits & (PTE_U | PTE_DEVICE)) == PTE_U;
}

// Whether it is a page that came by a share.
static inline bool pte_is_linked(pte_t e)
{
    return e.bits & PTE_LINKED;
}

static inline paddr_t pte_address(pte_t e)
{
    return e.bits & PTE_ADDR;
}

static inline unsigned pte_prot(pte_t e)
{
    return e.bits >> PTE_PROT_SHIFT & 7;
}

static inline unsigned pte_max(pte_t e)
{
    return e.bits >> PTE_MAX_SHIFT & 7;
}

static inline pte_t pte_rights(pte_t e, unsigned prot, unsigned max)
{
    e.bits &= ~(PTE_PROT | PTE_MAX);
    e.bits |= (uint64_t)prot << PTE_PROT_SHIFT | (uint64_t)max << PTE_MAX_SHIFT;
    return e;
}

static inline pte_t pte_table(paddr_t child, bool is_own)
{
    return (pte_t){child | PTE_P | PTE_U | PTE_A | (is_own ? PTE_W : 0)};
}

// Demand-zero; pages of `page_level` (1..3) come with the first touch.
static inline pte_t pte_lazy(unsigned page_level, unsigned prot, unsigned max)
{
    return pte_rights((pte_t){PTE_LAZY | (uint64_t)page_level << PAGE_SHIFT}, prot, max);
}

static inline unsigned pte_lazy_level(pte_t e)
{
    return e.bits >> PAGE_SHIFT & 3;
}

static inline pte_t pte_paged(uint32_t pager, unsigned prot, unsigned max)
{
    return pte_rights((pte_t){PTE_PAGED | (uint64_t)pager << PAGE_SHIFT}, prot, max);
}

static inline uint32_t pte_pager(pte_t e)
{
    return (uint32_t)(pte_address(e) >> PAGE_SHIFT);
}

// Sets the bits that the MMU reads of a page at `level` from what the entry means. `is_sole`:
// nobody else holds the frame. A and D are always set, so that the CPU never writes a table.
static inline pte_t pte_arm(pte_t e, unsigned level, bool is_sole)
{
    unsigned prot = pte_prot(e);
    uint64_t bits = e.bits & (PTE_ADDR | PTE_PROT | PTE_MAX | PTE_SHARED | PTE_DEVICE | PTE_LINKED);
    if (level > 1)
        bits |= PTE_PS;
    if (is_sole && !(bits & PTE_SHARED))
        bits |= PTE_SOLE;
    if (!(prot & PROT_R))
        return (pte_t){bits | PTE_HELD};
    bits |= PTE_P | PTE_U | PTE_A | PTE_D;
    if (bits & PTE_DEVICE)
        bits |= PTE_CD | PTE_WT;
    if (prot & PROT_W && bits & (PTE_SOLE | PTE_SHARED))
        bits |= PTE_W;
    if (!(prot & PROT_X))
        bits |= PTE_NX;
    return (pte_t){bits};
}

// The page at `frame`, armed.
static inline pte_t pte_page(paddr_t frame, unsigned level, unsigned prot, unsigned max,
                             uint64_t flags, bool is_sole)
{
    return pte_arm(pte_rights((pte_t){frame | flags}, prot, max), level, is_sole);
}

// Entry `i` of the table that takes the place of `e`, which stands at `level` and is no table.
static inline pte_t pte_part(pte_t e, unsigned level, unsigned i)
{
    if (pte_is_empty(e) || pte_is_paged(e))
        return e;
    if (pte_is_lazy(e)) {
        unsigned page_level = pte_lazy_level(e) < level ? pte_lazy_level(e) : level - 1;
        return pte_lazy(page_level, pte_prot(e), pte_max(e));
    }
    e.bits += (uint64_t)i << (PAGE_SHIFT + 9 * (level - 2));
    if (level == 2)
        e.bits &= ~PTE_PS;
    return e;
}
