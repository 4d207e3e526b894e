// SPDX-License-Identifier: MIT
// An operation as the tests generate, print and replay it: what a client of the VMM may ask, in
// terms of names (capabilities) and plots; or an access by a task of the space.
#pragma once

#include "universe.h"

// The names and their weights (of 64) in random sequences.
// clang-format off
#define OP_LIST(X)                                                                             \
    X(CREATE, 2) X(CLONE, 4) X(DROP, 4) X(DERIVE, 2) X(MAP, 13) X(UNMAP, 4) X(PROTECT, 4)      \
    X(SHARE, 6) X(MOVE, 3) X(WRITE, 10) X(READ, 3) X(EXEC, 1) X(SNAPSHOT, 2) X(ROLLBACK, 2)    \
    X(DIFF, 2) X(REVOKE, 2)
// clang-format on

#define OP_ENUM(name, weight) OP_##name,
enum op_kind { OP_LIST(OP_ENUM) OP_KINDS };
#undef OP_ENUM

// Arguments that every request must refuse.
enum twist {
    TWIST_NONE,
    TWIST_UNALIGNED,
    TWIST_EMPTY,  // zero pages
    TWIST_BEYOND, // the user half's end
    TWIST_WRAP,   // of the addresses
    TWISTS,
};

struct op {
    uint8_t kind; // enum op_kind
    uint8_t name; // that is called
    uint8_t
        other; // SHARE, MOVE: the destination's. ROLLBACK: the snapshot's. DIFF: the other one's.
               // REVOKE: the victim's
    uint8_t first; // the plots
    uint8_t n;
    uint8_t at;    // SHARE, MOVE: the first one there
    uint8_t prot;  // PROT_*, perhaps an impossible one. DERIVE: of the new name
    uint8_t flags; // MAP: MAP_*. CLONE: enum clone_mode. REVOKE: 1 if the victim is carried though
                   // it is the one called
    uint8_t quota; // CREATE, CLONE, SNAPSHOT: frames; 0: none of its own
    uint8_t twist; // enum twist
    uint8_t squeeze;    // 0, or one more than the frames that are free for it
    uint8_t cpu;        // WRITE, READ, EXEC: that makes the access
    uint32_t value;     // WRITE
    uint32_t meanwhile; // 0, or a seed for what others do between its steps
};

// The operation as a line of text, much like the shell's.
#define OP_TEXT 160u
void op_print(const struct op *op, const struct universe *u, char text[OP_TEXT]);
