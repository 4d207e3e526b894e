// SPDX-License-Identifier: MIT
// Which frames are free: a buddy allocator whose blocks are of the sizes that page tables know. 512
// blocks of a level make one of the next: a block is 4 KiB (level 1), 2 MiB or 1 GiB.
//
// The 512 blocks of a level that lie in one of the next are a stretch. Its free blocks are in a
// list, or fresh: the last ones of the stretch, of which none was taken since it was broken up, so
// that breaking it writes no records. Taking and giving back is a matter of a few instructions, and
// a stretch that is free as a whole is joined to one block at once, without looking for buddies.
//
// A block that was in use waits in its stretch, out of reach, while flushes are gathered that were
// not issued yet: one of them may be for it.
#pragma once

#include "frame.h"

struct stretch {
    uint32_t next, prev; // of those with free blocks, by index + 1; 0 is the list's head
    pfn_t free;          // its free blocks
    uint16_t n_free;     // how many, the fresh ones included
    uint16_t n_fresh;
    pfn_t waiting; // its blocks that wait for the flush
    pfn_t waiting_end;
    uint32_t n_waiting;
    uint32_t next_waiting; // of those where some wait, by index + 1
};

_Static_assert(sizeof(struct stretch) == 32, "1/65536 of the memory");

// Boot only. Bytes of stretches for so many frames; zero they mean that no frame is free.
uint64_t block_bytes(uint32_t n_frames);

// Boot only: finds the stretches in memory of block_bytes().
void block_boot(struct vmm *vm, void *memory);

// Boot only: makes frames first .. first + n - 1 free. They were ABSENT.
void block_add(struct vmm *vm, uint32_t first, uint32_t n);

// Takes `n` frames off the count of free ones. Those of 4 KiB can then be had with block_take() at
// any time: whichever are free will do. False: there are not as many.
static inline bool block_claim(struct vmm *vm, uint64_t n)
{
    if (n > vm->state->n_free)
        return false;
    vm->state->n_free -= n;
    return true;
}

// Where the block of `level` around the frame begins.
static inline pfn_t block_start(pfn_t pfn, unsigned level)
{
    return (pfn_t){pfn.n & ~((1u << level_order(level)) - 1)};
}

// The stretch of blocks of `level` around the frame.
static inline struct stretch *block_stretch(const struct vmm *vm, pfn_t pfn, unsigned level)
{
    return &vm->stretches[level - 1][(pfn.n >> 9 * level) + 1];
}

// Takes a block whose frames were claimed. Its record is its taker's to write (until then FRAME_ZERO
// in it tells of a frame what it says), those of its other frames are BODY. PFN_NONE: no block of
// 2 MiB or 1 GiB is free as a whole.
pfn_t block_take(struct vmm *vm, unsigned level);

// Frames chained by their records' `next`, of one stretch.
struct block_row {
    pfn_t first, last;
    uint32_t n;
};

// Takes some of `max` frames that were claimed, at least one; `last` is not filled in. Who walks the
// row puts what its last record names as next into **rest, before anything else is taken. But for
// their first 16 bytes the records are zero.
struct block_row block_take_row(struct vmm *vm, unsigned max, pfn_t **rest);

// Gives back what nobody has seen since it was taken.
void block_give(struct vmm *vm, pfn_t pfn, unsigned level);

// Gives back a block of which nothing is cached that is not in the flushes gathered by now. If there
// are any it waits: block_give_waiting() makes it free when they are issued. `flags`: FRAME_ZERO or 0.
void block_retire(struct vmm *vm, pfn_t pfn, unsigned level, uint8_t flags);

// The same for a row of frames, of kind FREE.
void block_retire_row(struct vmm *vm, const struct block_row *row);

void block_give_waiting(struct vmm *vm);

// For audits and tests: whether the frame is free, and how many blocks of a level are free as a
// whole, in larger ones too.
bool block_is_free(const struct vmm *vm, pfn_t pfn);
uint64_t block_count(const struct vmm *vm, unsigned level);
