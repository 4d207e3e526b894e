// SPDX-License-Identifier: MIT
// Every sequence of operations up to a length, on a machine so small that there are only some
// thousand states of it: breadth first, each state once. Two states are the same if all spaces mean
// the same and their tables have the same shape, counts and bits, whatever frames they lie in. Each
// operation is tried with no free frame, with one, with two ... until it succeeds, so every
// allocation of it fails once in every state.
#pragma once

#include "test/unit/model/lockstep.h"

// Frames of a tiny machine: enough for all that its spaces can hold.
#define EXPLORE_FRAMES 64u

struct explore_config {
    unsigned levels;
    unsigned n_names; // spaces that may exist at once
    unsigned n_pages; // in different tables
    unsigned n_frames;
    unsigned depth;     // operations in a row
    uint32_t step_work; // as in struct state; 0: as usual
    bool is_quiet;
};

struct explore_result {
    uint64_t n_states;
    uint64_t n_tries; // of operations
    unsigned depth;   // reached
};

// False, and the shortest failing sequence printed, if core and model differ anywhere.
bool explore(const struct explore_config *config, struct explore_result *result);

// A sum of all that makes a state (canon.c).
uint64_t canon_sum(const struct lockstep *l);

// All operations of the tiny universe (menu.c). Answers how many.
#define MENU_MAX 512u
unsigned menu_make(const struct explore_config *config, struct op ops[MENU_MAX]);
