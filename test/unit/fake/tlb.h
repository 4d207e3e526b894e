// SPDX-License-Identifier: MIT
// A TLB as bad as the manual allows (SDM 3A, 4.10): each of two CPUs remembers leaf translations
// and pointers to tables (paging-structure caches), with the rights that they had, under a tag for
// each root and for the kernel's global half, until it is told to forget. CPU 0 caches all that it
// could have seen, CPU 1 only what it used itself and so keeps old things longer.
//
// After each request nothing remembered may be stale: point elsewhere or allow more than the tables
// do now. That less is remembered than the tables allow is harmless: the access faults, the CPU
// forgets, it is made again.
#pragma once

#include "test/unit/model/walker.h"

#define TLB_CPUS    2u
#define TLB_TAGS    16u
#define TLB_WATCHED 64u
#define TLB_GLOBAL  0u // the root of the tag for the kernel's half, in flushes too
#define TLB_ALL     1u // in flushes: every root but that

// Something remembered. level 0: nothing.
struct tlb_line {
    uint32_t frame; // of the 4 KiB page, or the table
    uint8_t level;  // of the page, or the table
    uint8_t rights;
};

struct tlb_tag {
    bool is_used;
    paddr_t root;
    struct tlb_line page[TLB_CPUS][TLB_WATCHED];
    struct tlb_line table[TLB_CPUS][TLB_WATCHED][WALK_LEVELS];
};

struct tlb_place {
    unsigned cpu;
    paddr_t root;
    vaddr_t va;
    bool is_table;
    unsigned level;
};

struct tlb {
    const struct memory *memory;
    unsigned levels;
    paddr_t global_root; // through which the kernel's half is walked
    unsigned n_user, n_global;
    vaddr_t user[TLB_WATCHED]; // the addresses that are watched, in every space
    vaddr_t global[TLB_WATCHED];
    bool (*is_root)(void *context, paddr_t root); // whether it still is one
    bool (*is_free)(void *context, paddr_t frame);
    void *context;
    uint64_t n_flushes, n_unneeded;
    uint64_t last_pages; // of the last flush
    uint64_t n_late;     // flushes of frames that were in the allocator again already
    struct tlb_tag tags[TLB_TAGS];
};

enum tlb_answer {
    TLB_OK,
    TLB_FAULT, // a page fault; what is remembered of the address is forgotten
    TLB_STALE, // the access went by something stale
};

// An access (one of PROT_*) of a CPU in the space of `root` to the watched address `i`.
enum tlb_answer tlb_access(struct tlb *t, unsigned cpu, paddr_t root, unsigned i, unsigned access,
                           paddr_t *address);

// CPU 0 caches every watched address that is mapped in a space (or, TLB_GLOBAL, the kernel's half).
void tlb_speculate(struct tlb *t, paddr_t root);

// The kernel's flush call: `pages` 0 is all of the space, root TLB_ALL all spaces. Both CPUs obey.
void tlb_flush(struct tlb *t, paddr_t root, vaddr_t va, uint64_t pages);

// Finds something stale. True if there is none.
bool tlb_is_clean(const struct tlb *t, struct tlb_place *stale);

// Forgets everything.
void tlb_reset(struct tlb *t);
