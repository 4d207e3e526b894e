// SPDX-License-Identifier: MIT
// Sequences of operations: run, and, when one fails (be it by a crash), cut down to the shortest
// that still does, and printed.
#pragma once

#include "lockstep.h"

#define SEQUENCE_MAX 4096u

struct trial {
    const char *title;
    void (*universe)(struct universe *u, unsigned levels);
    struct sut_config config;
    unsigned audit_every;
    unsigned length; // operations on one machine
};

// Runs operations made from the seed, on a new machine, and then its end. False if anything is
// wrong: the operations were printed, the shortest failing sequence last. `totals` sums up.
bool sequence_random(const struct trial *trial, uint64_t seed, struct lockstep *totals);

// The same with operations made of `bytes`, eight for each.
bool sequence_bytes(const struct trial *trial, const uint8_t *bytes, size_t len);

// Prints how many operations were run, of each kind: done, refused, short of memory.
void sequence_totals(const struct trial *trial, const struct lockstep *totals);
