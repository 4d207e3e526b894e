// SPDX-License-Identifier: MIT
// Share and move: the frames of a window here, mapped there.
#pragma once

#include "vmm.h"

struct transfer {
    record_t from, to; // spaces, perhaps the same
    portal_t grant;    // on `from`, through which it is, and
    portal_t to_grant; // on `to`, or 0
    uint64_t first;    // pages in `from`
    uint64_t n_pages;
    uint64_t first_to; // pages in `to`
    unsigned prot;     // there
    unsigned max;      // the greatest rights that both capabilities allow
    record_t pager;    // 0, or only what this one pages may be at the destination, not nothing
    uint64_t token;    // out, with E_MORE: see job.h
    bool moves;        // taken from here and private there; else in both, coherent
};

// The source range becomes its space's own (paths and pages are unshared, lazy pages made real, on
// its account). Errors: E_FAULT (a hole in the source), E_EXISTS (something at the destination),
// E_RIGHT (beyond what a page may ever allow), E_LIMIT (shared on too often: link.h), E_QUOTA,
// E_NOMEM, E_MORE. Nothing changed on failure.
must_check status_t transfer_pages(struct vmm *vm, struct transfer *t);
