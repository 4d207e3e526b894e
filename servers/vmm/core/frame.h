// SPDX-License-Identifier: MIT
// The frame table, one record per frame of RAM, and the buddy allocator over all that is usable.
//
//   FREE ──frame_alloc()/reserve──▶ HELD, TABLE, PAGE, RECORDS, OBJECT ──frame_free()──▶ FREEING
//    ▲                                                                                      │
//    └───────────────── vmm_settle(), after the flush ──────────────────────────────────────┘
//
// A block of 2^order frames is described by its first record; the others are BODY. A page of 2 MiB
// or 1 GiB is such a block: entries that map it whole count in `block_refs` of its head. When some
// entry maps a part, the part's record becomes a PAGE of its own and counts that in `refs` (or, 2 MiB
// of 1 GiB, in `block_refs`), and the heads of the blocks around it count it in `part_refs`. So the
// references to a frame are its own plus the `block_refs` of the heads around it, and a block has no
// other holder than one entry if its counts are 1 and 0. When nobody maps a block whole any more it
// breaks: what is referred to of it are blocks and pages by themselves, the rest is free.
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
#define FRAME_PART    0x4u // a part of a block that somebody maps whole

struct frame {
    uint8_t kind;
    uint8_t order; // of a block's head
    uint8_t level; // TABLE: of its entries. OBJECT: enum kernel_object
    uint8_t flags;
    uint32_t refs; // TABLE: parents. PAGE: entries that map just this frame
    record_t account;
    union {
        struct {
            pfn_t next, prev; // FREE, FREEING, HELD, RECORDS: its list. OBJECT: a task's slots
        };
        uint32_t block_refs[2]; // PAGE: entries that map 2 MiB, 1 GiB from here
    };
    union {
        struct {
            record_t link;  // TABLE: what was mapped through grants. OBJECT: its record
            uint16_t used;  // TABLE: entries that are not empty (of a root: in the user half),
            uint16_t first; // all within first..last. RECORDS, PORTALS: places in use
        };
        uint32_t part_refs[2]; // PAGE: entries that map parts of the 2 MiB, 1 GiB from here
    };
    uint16_t last;
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

static inline unsigned level_order(unsigned level)
{
    return 9 * (level - 1);
}

// A page of 4 KiB that is no part of a block.
static inline bool frame_is_plain(const struct frame *f)
{
    uint32_t head; // kind, order, level, flags: one comparison, for this is asked of every page
    __builtin_memcpy(&head, f, sizeof head);
    return head == FRAME_PAGE;
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

// Drops all pages that n entries of level 1 map.
void page_drop_all(struct vmm *vm, const pte_t *entries, unsigned n);

// Makes one reference to the page of `level` one to each of its 512 parts.
void page_split(struct vmm *vm, pfn_t pfn, unsigned level);

// The reverse. False, and nothing changed, if the parts are no block, and have other holders or
// different accounts, so that they cannot be made one.
bool page_join(struct vmm *vm, pfn_t pfn, unsigned level);

// Whether one entry of `level` alone refers to the page.
bool page_is_sole(const struct vmm *vm, pfn_t pfn, unsigned level);

// For audits: adds `delta` to what an entry of `level` counts in.
void page_count_add(struct vmm *vm, pfn_t pfn, unsigned level, uint32_t delta);

// Frames set aside for a request, so that its commit cannot fail: blocks of 2^9 and 2^18 frames for
// the entries of level 2 and 3 (index level - 1), and blocks of any order for those that are taken
// one by one, which tables are too.
struct reserve {
    record_t account;
    pfn_t head[3];
    pfn_t next; // frames taken from a block already, to be given out,
    uint32_t n; // and how many
    bool fell_back;
};

// Adds n[i] blocks for each size to an empty reserve, charged. With `falls_back`, where no large
// block is free: blocks a size smaller and a frame for the table that they need. Errors: E_QUOTA,
// E_NOMEM: the reserve is empty.
must_check status_t reserve_fill(struct vmm *vm, struct reserve *r, record_t account,
                                 const uint64_t n[3], bool falls_back);

// Takes a block that reserve_fill() put there; it has the counts of a new one.
pfn_t reserve_take(struct vmm *vm, struct reserve *r, unsigned level, enum frame_kind kind);

// Takes pages of 4 KiB in a row, each with one reference: *n at least 1 and at most `max`.
pfn_t reserve_take_pages(struct vmm *vm, struct reserve *r, unsigned max, unsigned *n);

// Gives back what was not taken.
void reserve_drop(struct vmm *vm, struct reserve *r);
