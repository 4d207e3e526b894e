// SPDX-License-Identifier: MIT
// The frame table, one record per frame of RAM, and the buddy allocator over all that is usable.
//
//   FREE ──frame_alloc()/reserve──▶ HELD, TABLE, PAGE, RECORDS, OBJECT ──frame_free()──▶ FREEING
//    ▲                                                                                      │
//    └───────────────── vmm_settle(), after the flush ──────────────────────────────────────┘
//
// A block of 2^order frames is described by its first record; the others are BODY. A page of 2 MiB
// or 1 GiB is such a block: entries that map it whole count in `block_refs` of its head. When some
// entry maps a part, the part's record becomes a PAGE of its own and counts that in `refs`. So the
// references to a frame are its own `refs` plus the `block_refs` of the heads of the blocks around
// it.
#pragma once

#include "ipc/boot_info.h"
#include "vmm.h"

enum frame_kind {
    FRAME_ABSENT,   // no RAM, or not ours
    FRAME_RESERVED, // kernel, VMM, frame table: never freed
    FRAME_FREE,     // head of a free block
    FRAME_BODY,     // of a block, whose head tells
    FRAME_FREEING,  // head of a block that waits for its flush
    FRAME_HELD,     // head of a block in a reserve
    FRAME_TABLE,
    FRAME_PAGE,
    FRAME_RECORDS, // see pool.h
    FRAME_PORTALS, // see portal.h
    FRAME_OBJECT,  // donated to the kernel
};

#define FRAME_VISITED 0x1u // by the audit
#define FRAME_SPLIT   0x2u // head of a block of which a part was mapped by itself

struct frame {
    uint8_t kind;
    uint8_t order; // of a block's head
    uint8_t level; // TABLE: of its entries. OBJECT: enum kernel_object
    uint8_t flags;
    uint32_t refs; // TABLE: parents. PAGE: entries that map just this frame
    record_t account;
    union {
        struct {
            pfn_t next, prev; // FREE, FREEING, HELD, RECORDS: its list
        };
        uint32_t block_refs[2]; // PAGE: entries that map 2 MiB, 1 GiB from here
    };
    record_t link;        // TABLE: what was mapped through grants. OBJECT: its record
    uint16_t used;        // TABLE: entries that are not empty (of a root: in the user half),
    uint16_t first, last; // all within first..last. RECORDS, PORTALS: places in use
    uint16_t reserved;
};

_Static_assert(sizeof(struct frame) == 32, "the frame table costs 1/128 of the memory");

static inline struct frame *frame_of(const struct vmm *vm, pfn_t pfn)
{
    return &vm->frames[pfn.n];
}

static inline paddr_t frame_address(pfn_t pfn)
{
    return (paddr_t)pfn.n << PAGE_SHIFT;
}

static inline pfn_t frame_number(paddr_t address)
{
    return (pfn_t){(uint32_t)(address >> PAGE_SHIFT)};
}

// The memory of a frame, through the physical mapping.
static inline void *frame_at(const struct vmm *vm, pfn_t pfn)
{
    return (void *)(vm->offset + frame_address(pfn));
}

// Boot only: puts frames first .. first + n - 1 into the free blocks. They were ABSENT.
void frame_add(struct vmm *vm, uint32_t first, uint32_t n);

// Allocates a block of 2^order frames, not zeroed, of `kind`, all its counts 0, and charges it to
// `account`. Errors: E_QUOTA, E_NOMEM; nothing changed.
must_check status_t frame_alloc(struct vmm *vm, record_t account, unsigned order,
                                enum frame_kind kind, pfn_t *pfn);

// Gives a block back: uncharged at once, usable again after vmm_settle(). Never fails.
void frame_free(struct vmm *vm, pfn_t pfn, unsigned order);

// Moves all FREEING frames into the free blocks. Only after the flush.
void frame_reclaim(struct vmm *vm);

void frame_zero(struct vmm *vm, pfn_t pfn, unsigned order);
void frame_copy(struct vmm *vm, pfn_t to, pfn_t from, unsigned order);

// One reference more or less by an entry of `level` that maps the page; the last one frees it. For
// the part of a block at a level below the block's, the first hold makes it a PAGE.
void page_hold(struct vmm *vm, pfn_t pfn, unsigned level);
void page_drop(struct vmm *vm, pfn_t pfn, unsigned level);

// Whether one entry of `level` alone refers to the page. May answer false though it is so, if the
// page is a block of which a part was once mapped by itself.
bool page_is_sole(const struct vmm *vm, pfn_t pfn, unsigned level);

// Frames set aside for a request, so that its commit cannot fail. Blocks of 1, 2^9, 2^18 frames by
// the level of the entries that they are for (index level - 1). Tables are of level 1.
struct reserve {
    record_t account;
    pfn_t head[3];
};

// Adds n[i] blocks for each size to an empty reserve, charged. Errors: E_QUOTA, E_NOMEM: the
// reserve is empty.
must_check status_t reserve_fill(struct vmm *vm, struct reserve *r, record_t account,
                                 const uint64_t n[3]);

// Takes a block that reserve_fill() put there; it has the counts of a new one.
pfn_t reserve_take(struct vmm *vm, struct reserve *r, unsigned level, enum frame_kind kind);

// Gives back what was not taken.
void reserve_drop(struct vmm *vm, struct reserve *r);
