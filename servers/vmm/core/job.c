// SPDX-License-Identifier: MIT
#include "job.h"

#include "pager.h"
#include "pool.h"
#include "space.h"

_Static_assert(JOB_EDITS * sizeof(struct edit) <= PAGE_SIZE, "a job's edits are a frame");

struct job *job_of(const struct vmm *vm, record_t id)
{
    return record_at(vm, id, RECORD_JOB);
}

static struct edit *job_edits(const struct vmm *vm, const struct job *j)
{
    return frame_at(vm, j->edits);
}

static void job_lock(struct vmm *vm, const struct job *j, record_t id)
{
    for (unsigned i = 0; i < 2; i++)
        if (j->spaces[i])
            space_of(vm, j->spaces[i])->job = id;
}

// Where the list of a space's jobs that ended names this one; or the one behind the first `n`.
static record_t *ended_link(struct vmm *vm, record_t space, record_t id, unsigned n)
{
    record_t *link = &space_of(vm, space)->ended;
    for (; *link && *link != id && n; n--)
        link = &job_of(vm, *link)->next;
    return link;
}

static void ended_forget(struct vmm *vm, record_t *link)
{
    record_t id = *link;
    *link = job_of(vm, id)->next;
    record_free(vm, id);
}

// Its caller hears of it when he comes back, unless he takes too long.
static void job_keep(struct vmm *vm, record_t id, struct job *j, status_t status)
{
    struct space *s = space_of(vm, j->spaces[0]);
    record_t *last = ended_link(vm, j->spaces[0], 0, JOBS_ENDED - 1);
    if (*last)
        ended_forget(vm, last);
    j->status = status;
    j->next = s->ended;
    s->ended = id;
}

static void job_end(struct vmm *vm, record_t id, status_t status)
{
    struct job *j = job_of(vm, id);
    struct edit *edits = job_edits(vm, j);
    job_lock(vm, j, 0);
    vm->state->live_jobs--;
    for (unsigned i = 0; i < j->n; i++)
        edit_cancel(vm, &edits[i]);
    frame_free(vm, j->edits);
    j->edits = PFN_NONE;
    if (status != OK && j->has_pager)
        pager_forget(vm, j->spaces[0]);
    if (status != OK && j->clone_of)
        space_fail(vm, j->spaces[0], j->clone_of, status);
    if (j->is_awaited)
        job_keep(vm, id, j, status);
    else
        record_free(vm, id);
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

static status_t job_step(struct vmm *vm, record_t id)
{
    struct job *j = job_of(vm, id);
    struct edit *edits = job_edits(vm, j);
    status_t status = j->commits ? OK : prepare_all(vm, edits, j->n, &j->at);
    j->commits = status == OK;
    while (status == OK && j->at < j->n) {
        status = edit_commit(vm, &edits[j->at]);
        j->at += status == OK;
    }
    if (status != E_MORE)
        job_end(vm, id, status);
    return status;
}

static status_t job_make(struct vmm *vm, const struct work *w, uint8_t at, bool commits,
                         record_t *id)
{
    pfn_t pfn;
    status_t status = record_alloc(vm, w->account, RECORD_JOB, id);
    if (status != OK)
        return status;
    status = frame_alloc(vm, w->account, FRAME_JOB, &pfn);
    if (status != OK) {
        record_free(vm, *id);
        return status;
    }
    struct job *j = job_of(vm, *id);
    frame_of(vm, pfn)->flags = 0;
    *j = (struct job){.kind = RECORD_JOB,
                      .commits = commits,
                      .clone_of = w->clone_of,
                      .has_pager = w->has_pager,
                      .is_awaited = w->by,
                      .n = (uint8_t)w->n,
                      .at = at,
                      .by = w->by,
                      .to = w->to,
                      .serial = ++vm->state->n_jobs,
                      .spaces = {w->spaces[0], w->spaces[1]},
                      .edits = pfn};
    for (unsigned i = 0; i < w->n; i++) {
        job_edits(vm, j)[i] = w->edits[i];
        job_edits(vm, j)[i].in_steps = true;
    }
    job_lock(vm, j, *id);
    vm->state->live_jobs++;
    vm->state->is_busy = true;
    return OK;
}

status_t job_start(struct vmm *vm, const struct work *w)
{
    record_t id;
    return job_make(vm, w, 0, false, &id);
}

static bool work_fits(const struct vmm *vm, const struct work *w)
{
    int64_t units = 0;
    for (unsigned i = 0; i < w->n_alone; i++)
        units += w->edits[i].work;
    return units <= vm->left;
}

// What a caller hears.
static status_t job_answer(struct vmm *vm, record_t id)
{
    struct job j = *job_of(vm, id);
    status_t status = j.edits.n ? job_step(vm, id) : j.status;
    if (status != E_MORE && j.is_awaited)
        ended_forget(vm, ended_link(vm, j.spaces[0], id, JOBS_ENDED));
    return status;
}

status_t job_do(struct vmm *vm, struct work *w)
{
    uint8_t at = 0;
    record_t id;
    invariant(!space_of(vm, w->spaces[0])->job);
    status_t status = prepare_all(vm, w->edits, w->n_alone, &at);
    if (status == OK && work_fits(vm, w)) {
        for (unsigned i = 0; i < w->n_alone; i++)
            edit_commit_all(vm, &w->edits[i]);
        return OK;
    }
    if (status == OK || status == E_MORE) {
        status = job_make(vm, w, at, status == OK, &id);
        if (status == OK) {
            w->token = (uint64_t)job_of(vm, id)->serial << 32 | id;
            return job_answer(vm, id);
        }
    }
    for (unsigned i = 0; i < w->n_alone; i++)
        edit_cancel(vm, &w->edits[i]);
    if (w->has_pager)
        pager_forget(vm, w->spaces[0]);
    return status;
}

status_t job_resume(struct vmm *vm, portal_t by, uint64_t token)
{
    record_t id = (record_t)token;
    if (!record_exists(vm, id, RECORD_JOB))
        return E_STATE;
    const struct job *j = job_of(vm, id);
    return j->is_awaited && j->by == by && j->serial == token >> 32 ? job_answer(vm, id) : E_STATE;
}

status_t job_help(struct vmm *vm, record_t space, bool reads)
{
    record_t id = space_of(vm, space)->job;
    bool is_in_the_way = id && (job_of(vm, id)->commits || !reads);
    return is_in_the_way && job_step(vm, id) == E_MORE ? E_MORE : OK;
}

status_t job_revoke(struct vmm *vm, record_t space, portal_t grant)
{
    record_t id = space_of(vm, space)->job;
    const struct job *j = id ? job_of(vm, id) : NULL;
    if (!j || (j->by != grant && j->to != grant))
        return OK;
    if (j->commits)
        return job_step(vm, id);
    job_end(vm, id, E_REVOKED);
    return OK;
}

void job_leave(struct vmm *vm, record_t space, portal_t grant, portal_t to)
{
    record_t id = space_of(vm, space)->job;
    struct job *j = id ? job_of(vm, id) : NULL;
    if (!j || (j->by != grant && j->to != grant))
        return;
    bool is_caller = j->by == grant;
    for (unsigned i = 0; i < j->n; i++)
        if (job_edits(vm, j)[i].grant == grant)
            job_edits(vm, j)[i].grant = to;
    if (j->to == grant)
        j->to = to;
    if (is_caller) {
        j->by = to;
        j->is_awaited = false;
    }
    if (is_caller && !j->commits)
        job_end(vm, id, E_REVOKED);
}

// Its other space goes. What is there already was moved: only the first is still to give it up.
static void job_stop_there(struct vmm *vm, record_t id, struct job *j)
{
    enum edit_kind kind = job_edits(vm, j)[j->at].kind;
    if (!j->commits || kind == EDIT_OWN || kind == EDIT_PLACE) {
        job_end(vm, id, E_REVOKED);
    } else if (kind == EDIT_PROTECT) {
        job_end(vm, id, OK);
    } else {
        space_of(vm, j->spaces[1])->job = 0;
        j->spaces[1] = 0;
        j->n = (uint8_t)(j->at + 1);
    }
}

void job_stop(struct vmm *vm, record_t space)
{
    struct space *s = space_of(vm, space);
    struct job *j = s->job ? job_of(vm, s->job) : NULL;
    if (j && j->spaces[0] != space)
        job_stop_there(vm, s->job, j);
    else if (j)
        job_end(vm, s->job, E_REVOKED);
    while (s->ended)
        ended_forget(vm, &s->ended);
}
