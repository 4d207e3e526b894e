// SPDX-License-Identifier: MIT
// The VMM's side of the kernel's portals: 100 places to a kernel frame, and beside it a frame of
// the VMM's with what each is for. Both belong to one account; they are given back when all places
// are free.
//
//   FREE ──portal_alloc()──▶ GRANT, TASK, FOREIGN ────────portal_free()──▶ FREE
//                              ├──portal_kill()──▶ DEAD ──portal_unused()──▶ FREE
//                              ├──grant_doom()──▶ DOOMED ──grant_bury()──▶ DEAD
//                              │     portal_unused() ──▶ GONE ──grant_bury()──▶ FREE
//                              └──grant_drop()──▶ GONE
#pragma once

#include "vmm.h"

enum portal_kind {
    PORTAL_FREE,
    PORTAL_DEAD,    // revoked; the kernel tells when nobody refers to it
    PORTAL_GRANT,   // a capability to an address space
    PORTAL_DOOMED,  // a grant that is being revoked: serves no more, but is still in the tree
    PORTAL_GONE,    // nobody refers to it any more, but it is still in the tree
    PORTAL_TASK,    // a capability to a task, and where its faults come from
    PORTAL_FOREIGN, // into another task's endpoint
};

struct portal {
    uint64_t kind : 4;    // enum portal_kind
    uint64_t rights : 15; // GRANT: RIGHT_*
    uint64_t first : 45;  // GRANT: the window's pages
    union {
        uint64_t n_pages;
        struct {
            portal_t next_gone, prev_gone; // GONE: of those that were dropped, see grant.c
        };
    };
    record_t owner;         // GRANT: space. TASK: task. FOREIGN: endpoint, or 0 when that went
    portal_t parent, child; // GRANT: the tree of derivations
    portal_t next, prev;    // GRANT: siblings. FOREIGN: of the endpoint. FREE: of the frame
    record_t link;          // GRANT: the vias of what was shared through it
};

_Static_assert(sizeof(struct portal) == 40, "100 of them fit a frame");

// What a portal has to be for a request: its kind and the rights, as they lie in its first word.
#define portal_need(kind, rights) ((uint32_t)(kind) | (uint32_t)(rights) << 4)

// Whether it is of that kind and has all those rights: one comparison, for every call asks.
static inline bool portal_has(const struct portal *p, uint32_t need)
{
    uint32_t head;
    __builtin_memcpy(&head, p, sizeof head);
    return !((head ^ need) & (need | 15));
}

struct portal *portal_of(const struct vmm *vm, portal_t number);

// The portal of that number if it is of `kind`, else NULL: for numbers that came with a message.
struct portal *portal_find(const struct vmm *vm, uint64_t number, enum portal_kind kind);

// Allocates a portal, all zero but kind and owner; the kernel knows nothing of it yet. Errors:
// E_QUOTA, E_NOMEM, E_LIMIT.
must_check status_t portal_alloc(struct vmm *vm, record_t account, enum portal_kind kind,
                                 record_t owner, portal_t *number);

// Frees a portal that the kernel never minted, or said that nobody refers to.
void portal_free(struct vmm *vm, portal_t number);

// Revokes a minted portal: dead at once.
void portal_kill(struct vmm *vm, portal_t number);

// The kernel says that nobody refers to a dead portal any more.
void portal_unused(struct vmm *vm, portal_t number);

// Portals of one frame that the kernel is to make dead together.
struct portal_set {
    uint32_t index; // 0: there are none
    uint64_t places[2];
};

void portal_set_kill(struct vmm *vm, struct portal_set *set);

// Adds a minted portal; those added before are killed if it is of another frame.
static inline void portal_set_put(struct vmm *vm, struct portal_set *set, uint32_t index,
                                  uint32_t place)
{
    if (set->index != index)
        portal_set_kill(vm, set);
    set->index = index;
    set->places[place / 64] |= 1ull << place % 64;
}

static inline void portal_set_add(struct vmm *vm, struct portal_set *set, portal_t number)
{
    portal_set_put(vm, set, number / PORTALS_IN_FRAME, number % PORTALS_IN_FRAME);
}

// Whether it is a grant, in the tree and with a reference to its space, dead or alive.
static inline bool portal_is_grant(const struct portal *p)
{
    return p->kind == PORTAL_GRANT || p->kind == PORTAL_DOOMED || p->kind == PORTAL_GONE;
}

// What the kernel tells the VMM of a caller. It says where the portal's record lies, so that a call
// finds it without a walk through the object window:
//
//    63   60 59            35 34                          0
//   +-------+----------------+-----------------------------+
//   | kind  | number         | address of the record / 8   |
//   +-------+----------------+-----------------------------+
#define BADGE_KIND_SHIFT   60
#define BADGE_NUMBER_SHIFT 35

_Static_assert((uint64_t)FRAMES_MAX << PAGE_SHIFT == 8ull << BADGE_NUMBER_SHIFT,
               "a record's address fits a badge");

uint64_t portal_badge(const struct vmm *vm, enum portal_kind kind, portal_t number);

static inline enum portal_kind badge_kind(uint64_t badge)
{
    return (enum portal_kind)(badge >> BADGE_KIND_SHIFT);
}

static inline portal_t badge_portal(uint64_t badge)
{
    return (portal_t)(badge >> BADGE_NUMBER_SHIFT &
                      ((1u << (BADGE_KIND_SHIFT - BADGE_NUMBER_SHIFT)) - 1));
}

// The portal that a badge of ours names, or NULL if it is dead.
struct portal *badge_find(const struct vmm *vm, uint64_t badge);

// Puts a capability to a portal into the VMM's own endpoint into the empty slot.
must_check status_t portal_mint(struct vmm *vm, portal_t number, uint32_t slot);
