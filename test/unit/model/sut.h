// SPDX-License-Identifier: MIT
// The system under test: runs operations on the real core, requests through request_serve() and
// accesses through the fake TLB and the core's answer to page faults.
#pragma once

#include "board.h"
#include "model.h"

struct sut {
    struct board board;
    const struct universe *u;
    uint64_t badges[NAMES];           // of the names' grants
    uint32_t hoard;                   // first frame of those that sut_squeeze() took
    uint64_t n_faults;                // that were resolved
    unsigned n_killed;                // capabilities that the last operation made dead
    uint64_t n_steps;                 // after which something was still to be done
    unsigned audit_every;             // of those
    bool is_broken;                   // by the audit of one
    void (*meanwhile)(void *context); // what others do between two steps, or NULL
    void *meanwhile_context;
};

struct sut_config {
    unsigned levels;
    uint64_t n_frames;
    uint32_t page_sizes;
    uint32_t step_work; // as in struct state; 0: as usual
};

// A machine with one empty space and NAME_ROOT on it.
void sut_start(struct sut *s, const struct universe *u, struct sut_config config);
void sut_end(struct sut *s);

// Runs an operation; `made` is the name for what it makes. A READ answers the value read.
// Beside the errors of the VMM: SUT_BROKEN, and why, in words.
#define SUT_BROKEN (-100)
status_t sut_run(struct sut *s, const struct op *op, unsigned made, uint32_t *value,
                 const char **why);

// Asks the VMM (QUERY, MAPS, DIFF) about an address.
status_t sut_ask(struct sut *s, enum vmm_request request, unsigned name, unsigned other, vaddr_t va,
                 uint64_t words[MESSAGE_WORDS]);

// Takes away all frames but `keep`; gives them back.
void sut_squeeze(struct sut *s, uint64_t keep);
void sut_release(struct sut *s);

// What the name's account could still use.
uint64_t sut_quota_left(struct sut *s, unsigned name);

// The root of the space that a name is for.
paddr_t sut_root(const struct sut *s, unsigned name);

// The contents of a page: its value stands at the beginning and, inverted, at its end.
bool sut_content(const struct sut *s, paddr_t page, uint32_t *value);
