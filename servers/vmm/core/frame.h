// SPDX-License-Identifier: MIT
// The frame table, one record per frame of RAM; who pays for a frame.
//
//   FREE ──frame_alloc(), a reserve──▶ HELD, TABLE, PAGE, RECORDS, OBJECT ──frame_free()──▶ waits
//    ▲                                                                                        │
//    └────────────── vmm_settle(), after the flush ───────────────────────────────────────────┘
//
// A block of 2^order frames is described by its first record; the others are BODY. A page of 2 MiB
// or 1 GiB is such a block: entries that map it whole count in `block_refs` of its head. When some
// entry maps a part, the part's record becomes a PAGE of its own and counts that in `refs` (or, 2 MiB
// of 1 GiB, in `block_refs`), and the heads of the blocks around it count it in `part_refs`. So the
// references to a frame are its own plus the `block_refs` of the heads around it, and a block has no
// other holder than one entry if its counts are 1 and 0. When nobody maps a block whole any more it
// breaks: what is referred to of it are blocks and pages by themselves, the rest is free.
#pragma once

#include "arch/layout.h"
#include "ipc/boot_info.h"
#include "vmm.h"

enum frame_kind {
    FRAME_ABSENT,   // no RAM, or not ours
    FRAME_RESERVED, // kernel, VMM, frame table: never freed
    FRAME_FREE,     // head of a free block, or of one that waits for its flush
    FRAME_BODY,     // of a block, whose head tells
    FRAME_HELD,     // head of a large block in a reserve
    FRAME_TABLE,
    FRAME_PAGE,
    FRAME_RECORDS, // see pool.h
    FRAME_PORTALS, // see portal.h
    FRAME_OBJECT,  // donated to the kernel
    FRAME_JOB,     // see job.h
};

#define FRAME_VISITED 0x1u  // by the audit
#define FRAME_SPLIT   0x2u  // head of a block of which a part was mapped by itself
#define FRAME_PART    0x4u  // a part of a block that somebody maps whole
#define FRAME_JOINED  0x8u  // head of a block joined of free parts, whose records still say so
#define FRAME_DEVICE  0x10u // a table below which device memory was mapped: see device.h
#define FRAME_BARE    0x20u // a table that a revoke left empty, or a job for a moment
#define FRAME_ZERO    0x40u // free, or just allocated: all zero, but for what a root has of the kernel

struct frame {
    uint8_t kind;
    uint8_t order; // of a block's head
    uint8_t level; // TABLE: of its entries. OBJECT: enum kernel_object
    uint8_t flags;
    // TABLE: parents. PAGE: entries that map just this frame. PORTALS: a free place. HELD, JOB: 1
    uint32_t refs;
    record_t account;
    union {
        struct {
            // FREE, HELD, RECORDS, PORTALS: its list. TABLE: of the dead. OBJECT: a task's slots
            pfn_t next, prev;
        };
        uint32_t block_refs[2]; // PAGE: entries that map 2 MiB, 1 GiB from here
    };
    union {
        struct {
            record_t link;  // TABLE: of the entries that came by shares. OBJECT: its record.
                            // PORTALS: index of the kernel's frame
            uint16_t used;  // TABLE: entries that are not empty (of a root: in the user half),
            uint16_t first; // all within first..last. RECORDS, PORTALS: places in use;
                            // PORTALS: the first place that was never used
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

// The record of the frame that an entry maps.
static inline struct frame *frame_of_page(const struct vmm *vm, pte_t e)
{
    uint64_t offset = pte_address(e) / (PAGE_SIZE / sizeof(struct frame));
    return (struct frame *)((char *)vm->frames + offset);
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

// The first eight bytes of its record if it has one reference.
#define FRAME_SOLE (FRAME_PAGE | 1ull << 32)

static inline bool frame_is_sole(const struct frame *f)
{
    uint64_t head;
    __builtin_memcpy(&head, f, sizeof head);
    return head == FRAME_SOLE;
}

// Makes it such a page, of a record that is zero behind its first 16 bytes.
static inline void frame_set_sole(struct frame *f, record_t account)
{
    const uint64_t words[2] = {FRAME_SOLE, account};
    __builtin_memcpy(f, words, sizeof words);
}

// The memory of a frame, through the physical mapping.
static inline void *frame_at(const struct vmm *vm, pfn_t pfn)
{
    return (void *)(vm->offset + frame_address(pfn));
}

// Allocates a frame of `kind`, with one reference (RECORDS and PORTALS have none), and charges it to
// `account`. Whoever takes it calls frame_zero() or overwrites all of it and clears FRAME_ZERO.
// Errors: E_QUOTA, E_NOMEM; nothing changed.
must_check status_t frame_alloc(struct vmm *vm, record_t account, enum frame_kind kind, pfn_t *pfn);

// Gives a frame, or a page of `level`, back: uncharged at once, usable again after vmm_settle().
void frame_free(struct vmm *vm, pfn_t pfn);
void frame_free_block(struct vmm *vm, pfn_t pfn, unsigned level);
// The same of a table without entries: it need not be zeroed again. What a root has of the kernel
// stays, for it may be loaded still.
void frame_free_zero(struct vmm *vm, pfn_t pfn);

// Puts a frame into the list at *head, by next and prev; and takes it out.
void frame_list(struct vmm *vm, pfn_t *head, pfn_t pfn);
void frame_unlist(struct vmm *vm, pfn_t *head, pfn_t pfn);

// Frames in a row. Eight bytes at a time, at once where it is called: what every new page waits for.
static inline void frames_zero(const struct vmm *vm, pfn_t pfn, uint64_t n)
{
    void *at = frame_at(vm, pfn);
    n *= PAGE_SIZE / 8;
    __asm__ volatile("rep stosq" : "+D"(at), "+c"(n) : "a"(0) : "memory");
}

static inline void frame_zero(const struct vmm *vm, pfn_t pfn)
{
    struct frame *f = frame_of(vm, pfn);
    uint64_t *words = frame_at(vm, pfn);
    if (!(f->flags & FRAME_ZERO)) {
        frames_zero(vm, pfn, 1);
        return;
    }
    f->flags &= (uint8_t)~FRAME_ZERO;
    words[ROOT_ENTRY_KERNEL] = words[ROOT_ENTRY_PROBE] = 0;
}

void frames_copy(struct vmm *vm, pfn_t to, pfn_t from, uint64_t n);

static inline void frame_copy(struct vmm *vm, pfn_t to, pfn_t from)
{
    frames_copy(vm, to, from, 1);
    frame_of(vm, to)->flags &= (uint8_t)~FRAME_ZERO;
}
