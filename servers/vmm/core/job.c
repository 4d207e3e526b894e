// SPDX-License-Identifier: MIT
#include "job.h"

#include "space.h"

_Static_assert(sizeof(struct job) <= PAGE_SIZE, "a job is a frame");

static struct job *job_of(const struct vmm *vm, pfn_t pfn)
{
    return frame_at(vm, pfn);
}

static uint64_t job_token(const struct job *j)
{
    return (uint64_t)j->serial << 1 | j->commits;
}

static void job_lock(struct vmm *vm, const struct job *j, pfn_t pfn)
{
    for (unsigned i = 0; i < 2; i++)
        if (j->spaces[i])
            space_of(vm, j->spaces[i])->job = pfn;
}

static void job_end(struct vmm *vm, pfn_t pfn)
{
    struct job *j = job_of(vm, pfn);
    job_lock(vm, j, PFN_NONE);
    vm->state->live_jobs--;
    for (unsigned i = 0; i < j->n; i++)
        edit_cancel(vm, &j->edits[i]);
    frame_free(vm, pfn);
}

// From edit *at on. What is copied in small pages cannot be placed as large ones.
static status_t prepare_all(struct vmm *vm, struct edit *edits, unsigned n, uint8_t *at)
{
    for (; *at < n; ++*at) {
        if (*at && edits[*at - 1].reserve.fell_back)
            edits[*at].page_level = 1;
        status_t status = edit_prepare(vm, &edits[*at]);
        if (status != OK)
            return status;
    }
    *at = 0;
    return OK;
}

static status_t job_step(struct vmm *vm, pfn_t pfn)
{
    struct job *j = job_of(vm, pfn);
    status_t status = j->commits ? OK : prepare_all(vm, j->edits, j->n, &j->at);
    j->commits = status == OK;
    while (status == OK && j->at < j->n) {
        status = edit_commit(vm, &j->edits[j->at]);
        j->at += status == OK;
    }
    if (status != E_MORE)
        job_end(vm, pfn);
    return status;
}

static status_t job_make(struct vmm *vm, const struct work *w, uint8_t at, bool commits, pfn_t *pfn)
{
    status_t status = frame_alloc(vm, w->account, FRAME_JOB, pfn);
    if (status != OK)
        return status;
    struct job *j = job_of(vm, *pfn);
    frame_of(vm, *pfn)->refs = 1;
    *j = (struct job){.by = w->by,
                      .serial = ++vm->state->n_jobs,
                      .spaces = {w->spaces[0], w->spaces[1]},
                      .commits = commits,
                      .n = (uint8_t)w->n,
                      .at = at};
    for (unsigned i = 0; i < w->n; i++) {
        j->edits[i] = w->edits[i];
        j->edits[i].in_steps = true;
    }
    job_lock(vm, j, *pfn);
    vm->state->live_jobs++;
    vm->state->is_busy = true;
    return OK;
}

status_t job_start(struct vmm *vm, const struct work *w)
{
    pfn_t pfn;
    return job_make(vm, w, 0, false, &pfn);
}

static bool work_fits(const struct vmm *vm, const struct work *w)
{
    int64_t units = 0;
    for (unsigned i = 0; i < w->n_alone; i++)
        units += w->edits[i].work;
    return units <= vm->left;
}

status_t job_do(struct vmm *vm, struct work *w)
{
    uint8_t at = 0;
    pfn_t pfn;
    invariant(!space_of(vm, w->spaces[0])->job.n);
    status_t status = prepare_all(vm, w->edits, w->n_alone, &at);
    if (status == OK && work_fits(vm, w)) {
        for (unsigned i = 0; i < w->n_alone; i++)
            edit_commit_all(vm, &w->edits[i]);
        return OK;
    }
    if (status == OK || status == E_MORE) {
        status = job_make(vm, w, at, status == OK, &pfn);
        if (status == OK) {
            status = job_step(vm, pfn);
            w->token = status == E_MORE ? job_token(job_of(vm, pfn)) : 0;
            return status;
        }
    }
    for (unsigned i = 0; i < w->n_alone; i++)
        edit_cancel(vm, &w->edits[i]);
    return status;
}

status_t job_resume(struct vmm *vm, record_t space, portal_t by, uint64_t *token)
{
    pfn_t pfn = space_of(vm, space)->job;
    const struct job *j = job_of(vm, pfn);
    if (!pfn.n || j->by != by || j->serial != *token >> 1)
        return *token & 1 ? OK : E_STATE;
    status_t status = job_step(vm, pfn);
    if (status == E_MORE)
        *token = job_token(j);
    return status;
}

status_t job_help(struct vmm *vm, record_t space)
{
    pfn_t pfn = space_of(vm, space)->job;
    if (!pfn.n)
        return OK;
    const struct job *j = job_of(vm, pfn);
    if (j->commits || !j->by)
        return job_step(vm, pfn);
    job_end(vm, pfn);
    return OK;
}

void job_stop(struct vmm *vm, record_t space)
{
    pfn_t pfn = space_of(vm, space)->job;
    if (pfn.n)
        job_end(vm, pfn);
}

void job_leave(struct vmm *vm, record_t space, portal_t by)
{
    pfn_t pfn = space_of(vm, space)->job;
    const struct job *j = job_of(vm, pfn);
    if (!pfn.n)
        return;
    bool ends = !j->commits && j->by;
    for (unsigned i = 0; i < j->n; i++)
        ends |= j->edits[i].grant == by;
    if (ends)
        job_end(vm, pfn);
}
