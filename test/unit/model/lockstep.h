// SPDX-License-Identifier: MIT
// The model and the real core, step by step: each operation is run on both, and afterwards
// everything that can be seen is compared, by the software MMU and not by what the core says of
// itself.
#pragma once

#include "model.h"
#include "sut.h"

#define WHY_BYTES 320u

#define MEANWHILE_MAX 6u

// The request was carried out after so many of those that came meanwhile.
struct guess {
    bool is_left;
    struct model model;
};

// See meanwhile.c.
struct meanwhile {
    const struct op *op; // that goes on
    unsigned made;
    uint64_t seed;
    struct op inner[MEANWHILE_MAX];
    unsigned n_inner, n;
    bool is_bad;
    bool is_pending;      // it may not have been carried out yet:
    struct model pending; // then this is how things are
    uint32_t errors;      // that were due at some moment
    struct guess guesses[MEANWHILE_MAX + 1];
};

struct lockstep {
    const struct universe *u;
    struct model model;
    struct sut sut;
    uint64_t n_free;      // when there was nothing but NAME_ROOT's space, empty
    unsigned audit_every; // operations; 1: all
    uint64_t n_ops;
    uint64_t n_done[OP_KINDS];     // of each kind, those that succeeded,
    uint64_t n_refused[OP_KINDS];  // that were refused for good reason,
    uint64_t n_short[OP_KINDS];    // that memory or quota was too short for
    uint64_t n_unneeded[OP_KINDS]; // flushes that nobody needed
    bool is_loud;                  // prints what it does
    struct meanwhile meanwhile;
    char why[WHY_BYTES]; // what was wrong
};

void lockstep_start(struct lockstep *l, const struct universe *u, struct sut_config config);
void lockstep_end(struct lockstep *l);

// Runs an operation (one that is not possible is skipped) and compares. False, and l->why, at any
// difference.
bool lockstep_do(struct lockstep *l, const struct op *op);

// One try of a possible operation with `keep` frames free, or as many as there are, and the
// comparison. Answers what the core answered.
bool lockstep_try(struct lockstep *l, const struct op *op, uint64_t keep, status_t *status);

// CPU 0 caches all that it can see. Snapshots never run.
void lockstep_speculate(struct lockstep *l);

// Drops all names but NAME_ROOT, unmaps everything there, and compares: all frames are free again.
bool lockstep_finish(struct lockstep *l);

// What an operation may need at most: for a refusal for want of memory to be believed (need.c).
uint64_t need_frames(const struct model *m, const struct op *op, unsigned levels);

// Whether memory, or an account that the operation draws on, is really too short for it: measured
// before, for the operation changes it; asked only if it failed.
struct need_short {
    bool memory, quota;
};
struct need_short need_measure(struct lockstep *l, const struct model *m, const struct op *op);
static inline bool need_tells(const struct need_short *s, status_t status)
{
    return status == E_NOMEM ? s->memory : status == E_QUOTA && s->quota;
}

// Around the run of an operation: what others do between its steps. The end compares, and takes the
// place of judging the operation if meanwhile.n_inner is not 0.
void meanwhile_begin(struct lockstep *l, const struct op *op, unsigned made);
bool meanwhile_end(struct lockstep *l, status_t status);

// TLB and books are right, whatever goes on.
bool lockstep_check_machine(struct lockstep *l);

void lockstep_say(const struct lockstep *l, const char *before, const struct op *op);

// Compares every page of every space with the model (compare.c).
bool compare_all(struct lockstep *l);

// Compares what the VMM answers about the pages of the name's window, and of two names' differences
// (compare_answers.c).
bool compare_answers(struct lockstep *l, unsigned name);
bool compare_diff(struct lockstep *l, unsigned name, unsigned other);

// Records what is wrong; answers false.
bool lockstep_fail(struct lockstep *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
