// SPDX-License-Identifier: MIT
// The owner has a space, the land, and hands out capabilities to it. Its helpers run in clones of its
// own space, in which the board is the same memory: what they tell stands there.
#pragma once

#include "ipc/init_client.h"
#include "ipc/thread.h"

enum {
    LAND = SLOT_FREE,
    DOOR, // a way to EAR
    EAR,
    GRANT,   // derived from LAND
    GRANT_2, // derived from that
    GRANT_3, // and from that
    CALLER,
    CALLER_2,
    CAME,
    CAME_2,
    SELF, // the owner's task
    SPACE = 24,
    TASK = 32,
    CHAIN = 64, // and all behind
};

#define RW         (PROT_R | PROT_W)
#define FIELD      0x10000000ul // in the land
#define N_FIELDS   4096ul
#define MINE       0x20000000ul // the first page of the field, in the owner's space
#define VIEW       0x30000000ul // and in those of its helpers
#define BOARD      0x40000000ul
#define N_HELPERS  8u
#define WORD       0x1234ul
#define SECRET     0x5ec7e7ul // what nobody may read
#define PAGE_FAULT 14u
#define PATIENCE   1000u // turns of the CPU

struct board {
    volatile uint64_t n[N_HELPERS]; // how often it worked
    volatile uint64_t seen[N_HELPERS];
    volatile int64_t status[N_HELPERS]; // what ended it
    volatile bool goes, is_over;
};
static struct board *const board = (struct board *)BOARD;

// What GRANT and those below it are for.
#define GRANT_RIGHTS \
    (RIGHT_READ | RIGHT_WRITE | RIGHT_MAP | RIGHT_DERIVE | RIGHT_SHARE | RIGHT_QUERY)

// Derives GRANT, GRANT_2 and GRANT_3 from the land.
must_check status_t owner_derive(void);
// Drops them, and starts the board anew.
void owner_forget(void);

// A clone of this space, SPACE + i, for a helper; then the helper in it, whose SLOT_PARENT is DOOR.
must_check status_t helper_clone(unsigned i);
must_check status_t helper_start(unsigned i, void (*run)(uint64_t i));

// Waits for the helper's end and drops its space.
must_check status_t helper_end(unsigned i, struct vmm_exit *end);

// Gives the CPU away until helpers 0 .. n - 1 have done something `times` times each.
bool helpers_work(unsigned n, uint64_t times);

void try_readers(void);
void try_holders(void);
void try_flights(void);
void try_pagers(void);
void try_steps(void);
