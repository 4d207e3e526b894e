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
// Whoever meets a locked space, by a call or by a fault, helps: he does a step. (Who only reads is served
// as long as nothing has changed.) So a job gets on whoever comes, nobody waits for somebody who does not
// run, and it does no harm if a job's caller dies.
//
// A job that ended stays until its caller has heard how, of a space those that ended last. What was asked
// for through a grant is done or has failed when a revoke of that grant is.
//
// A job is a record, and as long as it runs a frame, charged to the space's account; it ends with its
// first space.
#pragma once

#include "edit.h"

#define JOB_EDITS  4u
#define JOBS_ENDED 64u // of a space, whose callers may still come back

struct job {
    uint8_t kind;        // RECORD_JOB
    bool commits : 1;    // it is past what may fail
    bool has_pager : 1;  // if it fails, the latest pager of its first space goes
    bool is_awaited : 1; // its caller may come back: nobody dropped that grant
    uint8_t n, at;       // edits, and the one at hand
    status_t status;     // how it ended
    portal_t by, to;     // the grants through which it was asked for, or those above them; or 0
    uint32_t serial;     // with the record's id it names the job to its caller
    record_t spaces[2];  // one or two; the first is that of `by`
    record_t clone_of;   // this space was to be: if it fails, the first space is nothing
    pfn_t edits;         // a frame with struct edit[]; none: it has ended
    record_t next;       // of those of its space that have ended
};

_Static_assert(sizeof(struct job) <= 64, "a job is a record");

// Edits that are done together or not at all.
struct work {
    record_t account;
    portal_t by, to; // as in struct job
    record_t spaces[2];
    record_t clone_of;
    bool has_pager;
    unsigned n, n_alone; // edits, and how many of them if all is done at once
    struct edit *edits;
    uint64_t token; // out, with E_MORE: what the caller has to show to go on
};

struct job *job_of(const struct vmm *vm, record_t id);

// Does the edits, or begins to. E_MORE: the spaces are locked by a job now. Else as edit_prepare().
must_check status_t job_do(struct vmm *vm, struct work *w);

// The same, but for later: locks and does nothing yet. Errors: E_NOMEM, E_QUOTA.
must_check status_t job_start(struct vmm *vm, const struct work *w);

// The caller of a job is back: a step, or how it ended. E_MORE: it goes on. E_STATE: there is no such job
// of his, and if there was one, nobody knows any more. E_REVOKED: it went with a space or a grant. Else as
// edit_prepare().
must_check status_t job_resume(struct vmm *vm, portal_t by, uint64_t token);

// Somebody wants to change the pages of a space, or only to see them. E_MORE: he has to come back. Else OK.
must_check status_t job_help(struct vmm *vm, record_t space, bool reads);

// The grant on the space is revoked: no job may go on that was asked for through it. E_MORE: one has to be
// finished, and has done a step. Else OK.
must_check status_t job_revoke(struct vmm *vm, record_t space, portal_t grant);

// The grant on the space goes, in favour of `to` or 0. A job that was asked for through it goes on as if
// through that, for nobody; one that has changed nothing yet ends.
void job_leave(struct vmm *vm, record_t space, portal_t grant, portal_t to);

// The space goes, and its jobs with it. A MOVE whose pages are all there already is done, or will be.
void job_stop(struct vmm *vm, record_t space);
