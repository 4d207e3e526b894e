// SPDX-License-Identifier: MIT
// Long requests. No message keeps the VMM busy for much more than STEP_WORK: a request that takes more
// than what is left of that becomes a job, is answered E_MORE, and its caller calls again. So every step
// is a call of its own: on its caller's time and priority, and behind those who called before.
//
//   edit_prepare() of all its edits ──▶ edit_commit() of all its edits ──▶ gone
//     may fail, changes nothing           cannot fail
//
// A job locks the spaces that it works on, whole: to lock ranges would be finer, but then a plan would
// have to hold against splits, joins and closed tables beside it. What is done to a locked space from
// outside is little: tables lose other parents and pages other holders (clones go or copy), a revoke takes
// pages out. A clone of the space itself, by which they would gain some, has to wait. So a plan only ever
// asks for too much.
//
// Whoever meets a locked space, by a call or by a fault, helps: a job that has not begun to change
// anything gives way to him and starts anew when its caller comes back; for one that has, he does a step.
// Nobody waits for somebody who does not run, and it does no harm if a job's caller dies.
//
// A job is a frame, charged to the space's account, and ends with any of its spaces.
#pragma once

#include "edit.h"

#define JOB_EDITS 4u

struct job {
    portal_t by;        // the grant through which it was asked for; 0: nobody comes back for it
    uint32_t serial;    // names it to its caller
    record_t spaces[2]; // one or two
    bool commits;       // it is past what may fail
    uint8_t n, at;      // edits, and the one at hand
    struct edit edits[JOB_EDITS];
};

// Edits that are done together or not at all.
struct work {
    record_t account;
    portal_t by;
    record_t spaces[2];
    unsigned n, n_alone; // edits, and how many of them if all is done at once
    struct edit *edits;
    uint64_t token; // out, with E_MORE: what the caller has to show to go on
};

// Does the edits, or begins to. E_MORE: the spaces are locked by a job now. Else as edit_prepare().
must_check status_t job_do(struct vmm *vm, struct work *w);

// The same, but for later: locks and does nothing yet. Errors: E_NOMEM, E_QUOTA.
must_check status_t job_start(struct vmm *vm, const struct work *w);

// The caller of a job on the space is back: a step. OK: it is done, perhaps since long. E_MORE: *token is
// new. E_STATE: it gave way, and has to begin anew. Else as edit_prepare().
must_check status_t job_resume(struct vmm *vm, record_t space, portal_t by, uint64_t *token);

// Somebody wants to see or change the pages of a space. E_MORE: he has to come back. Else it is not
// locked (any more): the status is that of a job by nobody that ended just now.
status_t job_help(struct vmm *vm, record_t space);

// The grant `by` on the space is about to go: so does a job that shares pages through it, as far as it
// came, for nobody would know through what the rest came. Its caller has lost the grant. A plan gives way
// whoever made it: it may be for pages that the grant let him place.
void job_leave(struct vmm *vm, record_t space, portal_t by);

// Ends the job of a space, if there is one, wherever it is.
void job_stop(struct vmm *vm, record_t space);
