// SPDX-License-Identifier: MIT
// The root record: all of the VMM's state hangs from it, in frames, by frame number or record id
// and never by a pointer, so that another VMM could adopt it. `struct vmm` is the handle that the
// code is given: the mapping of the state, and the ports; it can be made anew at any time.
//
// Names of things: a pfn is a frame's number, 0 is none (frame 0 is never used). A record is 64
// bytes in a frame of records: its id is pfn * 64 + place, 0 is none. A portal is named by the
// kernel's number, which is never below PORTALS_IN_FRAME: 0 is none.
#pragma once

#include "flush.h"
#include "ports.h"
#include "pte.h"

typedef struct {
    uint32_t n;
} pfn_t;

typedef uint32_t record_t;
typedef uint32_t portal_t;

#define PFN_NONE     ((pfn_t){0})
#define FRAMES_MAX   (1u << 26) // record ids have 32 bits
#define BLOCK_LEVELS 3u         // free memory comes in blocks of 4 KiB, 2 MiB and 1 GiB

#define STATE_MAGIC   0x6572747361646163ull // "cadastre"
#define STATE_VERSION 1u

// The kernel's address space is its one top-level entry, taken from the boot CR3 on first use.
// Every space holds a reference; it is never freed.
struct kernel_space {
    pte_t entry;
    uint32_t refs;
};

// The revoke that is pending, see revoke.h.
struct revoke {
    portal_t top, grant;   // the grant to revoke, and the one of its tree that is at hand; 0: none
    record_t via_top, via; // the same of what was mapped through that; 0: nothing is
};

// The SPACE_DESTROY that is pending, see destroy.h.
struct destroy {
    record_t space;       // 0: none is
    portal_t by;          // 0: it was dropped meanwhile
    record_t account, at; // of all spaces on it, and the next space to be looked at; 0: of the one
};

#define VMM_SLOTS_MAX 2048u

// The VMM's own capability slots, for replies of long waits and for pagers: each names the next one.
struct slot_table {
    uint16_t next[VMM_SLOTS_MAX];
};

struct state {
    uint64_t magic;
    uint32_t version;
    uint32_t levels;
    uint64_t user_pages; // the user half is pages 0 .. user_pages - 1
    pfn_t frame_table;
    uint32_t n_frames; // in the frame table
    pfn_t boot_root;
    pfn_t window; // the table at level 2 of the object window
    uint64_t n_boot, n_free, n_charged, n_reserved;
    uint32_t waiting[BLOCK_LEVELS]; // stretches with blocks that wait for their flush, see block.h
    pfn_t dead_tables;              // without references; what hangs from them is given up in steps
    record_t root_account;
    record_t dead_accounts;
    record_t spaces;
    record_t init; // the task whose end is the machine's
    struct kernel_space kernel;
    struct flush flush;
    struct revoke revoke;
    struct destroy destroy;
    portal_t gone;        // grants that were dropped, and still have what is to be passed on
    pfn_t probe;          // the first of PROBE_FRAMES
    bool is_busy;         // something may be under way or to be settled: see vmm_settle()
    record_t starved;     // tasks whose fault waits for memory, the longest first
    bool is_relieved;     // since the last try some frames or some quota were given back
    uint32_t n_tasks;     // ever made: the number that a log line calls one
    uint32_t next_object; // window indices below are in use
    pfn_t slot_table;
    uint16_t free_slots;   // head
    uint16_t left_slots;   // that nobody has a claim on, see slots.h
    uint16_t reply_slot;   // where the next caller's reply capability lands
    uint16_t receive_slot; // where a capability lands that came with a call
    uint32_t page_sizes;   // as in boot_info
    uint32_t step_work;    // of a request or a step of one, in units
    uint32_t n_jobs;       // ever made,
    uint32_t live_jobs;    // and that there are
};

_Static_assert(sizeof(struct state) <= PAGE_SIZE, "the root record is a frame");

struct vmm {
    struct state *state;
    struct frame *frames;
    struct stretch *stretches[BLOCK_LEVELS]; // of blocks of level i + 1, see block.h
    uintptr_t offset;                        // of the physical mapping
    const struct ports *ports;
    void *context;
    int64_t left; // units of work that the request at hand may still do
};

// No message keeps the VMM busy for much longer than this. A unit is some ten instructions, so it is
// some 280,000: a page of 2 MiB, the largest that all CPUs have, is zeroed in one step (27,648 units),
// and one of 4 KiB that is mapped with many others bears a 500th of the call and the walk of a step.
#define STEP_WORK 28672u
#define WORK_PAGE 54 // a page of 4 KiB zeroed or copied
#define WORK_MANY 64 // a table copied or filled, a large page split or joined
#define WORK_FREE 3  // a page given up
#define WORK_LOOK 20 // an entry looked at, or changed, by itself
#define WORK_LINK 4  // a link copied, or looked through when entries go
#define WORK_FIND 8  // a walk from the root down

static inline void vmm_spend(struct vmm *vm, int64_t units)
{
    vm->left -= units;
}

static inline bool vmm_is_spent(const struct vmm *vm)
{
    return vm->left <= 0;
}

// Before each message.
static inline void vmm_begin(struct vmm *vm)
{
    vm->left = vm->state->step_work;
}

// The VMM's slots by use, and its own objects in the window.
enum vmm_slot {
    VMM_SLOT_MACHINE = 1,
    VMM_SLOT_ENDPOINT,
    VMM_SLOT_CONSOLE,
    VMM_SLOT_ANSWER,  // what goes with the reply
    VMM_SLOT_SCRATCH, // on its way into a new task
    VMM_SLOT_FREE,
};
enum { VMM_OBJECT_TASK, VMM_OBJECT_ENDPOINT };

// A broken invariant of our own: the kernel prints where, and the machine ends.
#define invariant(condition)  \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

// For functions of which every instruction counts. Their rare part, by which they end; or, if it answers
// nothing (clang 14 would lose it), in their midst, without registers to save around it. And a short
// function that is to be part of its callers.
#define rare    __attribute__((noinline, cold))
#define rarely  __attribute__((noinline, cold, preserve_most))
#define at_once __attribute__((always_inline))

// Ends a request for which `is_busy` is set: flushes, only then gives the freed frames back, and lets
// dead accounts go. Whoever begins something that outlives his request, or has to be settled after it,
// sets `is_busy`; here it is found out whether that is over.
void vmm_settle(struct vmm *vm);

// Whether something outlives the requests made so far.
static inline bool vmm_has_work(const struct state *s)
{
    return s->dead_tables.n | s->dead_accounts | s->starved | s->revoke.grant | s->destroy.space |
           s->gone | s->live_jobs;
}
