// SPDX-License-Identifier: MIT
#include "audit.h"

#include "account.h"
#include "block.h"
#include "destroy.h"
#include "job.h"
#include "link.h"
#include "page.h"
#include "pager.h"
#include "pool.h"
#include "portal.h"
#include "space.h"
#include "task.h"
#include "text.h"

#define ERRORS_LOGGED 8u

void audit_error(struct audit *a, const char *what, uint64_t frame)
{
    struct text line = {.len = 0};
    if (a->is_quiet || a->n_errors++ >= ERRORS_LOGGED)
        return;
    text_add(&line, "vmm: audit: ");
    text_add(&line, what);
    text_add(&line, ": ");
    text_add_hex(&line, frame);
    a->vm->ports->log(a->vm->context, line.bytes);
}

static void count_pager(struct audit *a, record_t id)
{
    if (id)
        pager_of(a->vm, id)->refs += a->delta;
}

// A claim on one of the VMM's slots.
static void count_slot(struct audit *a, record_t account)
{
    for (; account; account = account_of(a->vm, account)->parent)
        account_of(a->vm, account)->n_slots += (uint16_t)a->delta;
}

// What a job has that runs: a frame, and what it set aside.
static void count_job(struct audit *a, record_t id)
{
    const struct job *j = job_of(a->vm, id);
    const struct edit *edits = frame_at(a->vm, j->edits);
    if (!j->edits.n)
        return;
    frame_of(a->vm, j->edits)->refs += a->delta;
    for (unsigned i = 0; i < j->n; i++) {
        const struct reserve *r = &edits[i].reserve;
        uint64_t claimed = (uint64_t)(int32_t)a->delta * reserve_count_add(a->vm, r, a->delta);
        if (claimed)
            account_of(a->vm, r->account)->charged += claimed;
        a->n_claimed -= claimed;
    }
}

// The references that records hold.
static void count_record(struct audit *a, record_t id, uint8_t kind)
{
    struct vmm *vm = a->vm;
    if (kind == RECORD_ACCOUNT && account_of(vm, id)->parent) {
        struct account *parent = account_of(vm, account_of(vm, id)->parent);
        parent->refs += a->delta;
        parent->lent += (uint64_t)(int32_t)a->delta * account_of(vm, id)->quota;
    } else if (kind == RECORD_SPACE) {
        account_of(vm, space_of(vm, id)->account)->refs += a->delta;
        count_pager(a, space_of(vm, id)->pagers);
    } else if (kind == RECORD_JOB) {
        count_job(a, id);
    } else if (kind == RECORD_PAGER) {
        count_pager(a, pager_of(vm, id)->next);
        if (pager_of(vm, id)->via)
            count_slot(a, record_account(vm, id));
    } else if (kind == RECORD_TASK && task_of(vm, id)->is_running) {
        space_of(vm, task_of(vm, id)->space)->refs += a->delta;
        count_slot(a, space_of(vm, task_of(vm, id)->space)->account);
    }
}

static void for_each_record(struct audit *a, pfn_t pfn,
                            void (*visit)(struct audit *a, record_t id, uint8_t kind))
{
    const uint8_t *places = frame_at(a->vm, pfn);
    for (unsigned i = 1; i < RECORDS_PER_FRAME; i++)
        if (places[i * RECORD_BYTES] != RECORD_FREE)
            visit(a, pfn.n * RECORDS_PER_FRAME + i, places[i * RECORD_BYTES]);
}

static void count_portals(struct audit *a, pfn_t pfn)
{
    const struct portal *places = frame_at(a->vm, pfn);
    for (unsigned i = 0; i < PORTALS_IN_FRAME; i++)
        if (portal_is_grant(&places[i]))
            space_of(a->vm, places[i].owner)->refs += a->delta;
}

// Whether somebody is charged for the frame, or for the block that it is part of.
static bool is_used(const struct vmm *vm, pfn_t pfn)
{
    uint8_t kind = frame_of(vm, pfn)->kind;
    return (kind >= FRAME_HELD || kind == FRAME_BODY) && !block_is_free(vm, pfn);
}

// The references and charges that the frame table and the records hold. A BODY frame is charged to
// its block's head.
static void count_frames(struct audit *a)
{
    const struct state *s = a->vm->state;
    record_t block_account = 0;
    for (uint32_t i = 1; i < s->n_frames; i++) {
        pfn_t pfn = {i};
        const struct frame *f = frame_of(a->vm, pfn);
        if (!is_used(a->vm, pfn))
            continue;
        if (f->kind != FRAME_BODY)
            block_account = f->account;
        account_of(a->vm, block_account)->charged += (uint64_t)(int32_t)a->delta;
        if (f->kind == FRAME_RECORDS)
            for_each_record(a, pfn, count_record);
        if (f->kind == FRAME_PORTALS)
            count_portals(a, pfn);
    }
}

// Whether its space knows the job, as one that runs or as one that has ended.
static bool is_known(const struct audit *a, record_t id)
{
    const struct job *j = job_of(a->vm, id);
    const struct space *s = space_of(a->vm, j->spaces[0]);
    record_t ended = s->ended;
    for (unsigned n = 0; ended && ended != id && n < JOBS_ENDED; n++)
        ended = job_of(a->vm, ended)->next;
    return j->edits.n ? s->job == id : ended == id;
}

static void check_record(struct audit *a, record_t id, uint8_t kind)
{
    uint64_t left = 0;
    if (kind == RECORD_ACCOUNT) {
        const struct account *acc = account_of(a->vm, id);
        left = (acc->refs - (id == a->vm->state->root_account)) | acc->charged | acc->lent |
               acc->n_slots;
    } else if (kind == RECORD_SPACE) {
        left = space_of(a->vm, id)->refs;
    } else if (kind == RECORD_VIA) {
        audit_via(a, id);
    } else if (kind == RECORD_LINK) {
        audit_link(a, id);
    } else if (kind == RECORD_PAGER) {
        const struct pager *p = pager_of(a->vm, id);
        bool has_via =
            record_exists(a->vm, p->via, RECORD_VIA) && via_of(a->vm, p->via)->pager == id;
        left = p->refs | (p->via && !has_via);
    } else if (kind == RECORD_JOB && !is_known(a, id)) {
        audit_error(a, "a job is not where its space looks for it", id);
    }
    if (left)
        audit_error(a, "the count of a record is wrong", id);
}

// What is in the list of a stretch, and the fresh ones, are all that it says is free.
static void check_stretch(struct audit *a, unsigned level, const struct stretch *s, uint32_t first)
{
    unsigned n = s->n_fresh;
    for (pfn_t pfn = s->free; pfn.n && n <= s->n_free; pfn = frame_of(a->vm, pfn)->next, n++)
        if (pfn.n >> 9 * level != first >> 9 * level || frame_of(a->vm, pfn)->kind != FRAME_FREE)
            audit_error(a, "a list of free blocks holds something else", pfn.n);
    if (n != s->n_free || s->n_waiting)
        audit_error(a, "a stretch of free blocks has miscounted", first);
}

static void check_stretches(struct audit *a)
{
    for (unsigned level = 1; level <= BLOCK_LEVELS; level++)
        for (uint64_t first = 0; first < a->vm->state->n_frames; first += 1ull << 9 * level)
            check_stretch(a, level, block_stretch(a->vm, (pfn_t){(uint32_t)first}, level),
                          (uint32_t)first);
}

// FRAME_ZERO is of free frames alone, and true but for what a root has of the kernel.
static void check_zero(struct audit *a, pfn_t pfn)
{
    const uint64_t *words = frame_at(a->vm, pfn);
    uint64_t found = !block_is_free(a->vm, pfn);
    for (unsigned i = 0; i < PAGE_SIZE / sizeof *words; i++)
        if (i != ROOT_ENTRY_KERNEL && i != ROOT_ENTRY_PROBE)
            found |= words[i];
    if (found)
        audit_error(a, "a frame is in use, or not zero as its record says", pfn.n);
}

// When every reference found was taken away, nothing must be left.
static void check_frame(struct audit *a, pfn_t pfn)
{
    const struct frame *f = frame_of(a->vm, pfn);
    uint32_t left =
        f->kind >= FRAME_HELD && f->kind != FRAME_RECORDS && f->kind != FRAME_PORTALS ? f->refs : 0;
    if (f->kind == FRAME_PAGE)
        left |= f->block_refs[0] | f->block_refs[1] | f->part_refs[0] | f->part_refs[1];
    if (left)
        audit_error(a, "the reference count of a frame is wrong", pfn.n);
    if (f->kind == FRAME_FREE && !block_is_free(a->vm, pfn))
        audit_error(a, "a frame is neither free nor in use", pfn.n);
    if (f->kind >= FRAME_HELD && block_is_free(a->vm, pfn))
        audit_error(a, "a frame is both free and in use", pfn.n);
    if (f->flags & FRAME_ZERO)
        check_zero(a, pfn);
    if (f->kind == FRAME_RECORDS)
        for_each_record(a, pfn, check_record);
}

static void check_frames(struct audit *a)
{
    const struct state *s = a->vm->state;
    uint64_t n_free = 0, n_reserved = 0, n_used = 0, n_jobs = 0;
    for (uint32_t i = 1; i < s->n_frames; i++) {
        const struct frame *f = frame_of(a->vm, (pfn_t){i});
        check_frame(a, (pfn_t){i});
        n_reserved += f->kind == FRAME_RESERVED;
        n_jobs += f->kind == FRAME_JOB;
        n_used += is_used(a->vm, (pfn_t){i});
        n_free += block_is_free(a->vm, (pfn_t){i});
    }
    check_stretches(a);
    n_free -= a->n_claimed;
    n_used += a->n_claimed;
    if (n_free != s->n_free || n_reserved != s->n_reserved || n_used != s->n_charged ||
        n_free + n_reserved + n_used != s->n_boot)
        audit_error(a, "free, charged and reserved frames are not those found at boot", n_free);
    if (n_jobs != s->live_jobs || (vmm_has_work(s) && !s->is_busy))
        audit_error(a, "what is under way has been forgotten", n_jobs);
}

static void audit_count(struct audit *a, uint32_t delta)
{
    a->delta = delta;
    a->is_quiet = true;
    audit_trees(a);
    count_frames(a);
    if (destroy_is_pending(a->vm))
        space_of(a->vm, a->vm->state->destroy.space)->refs += delta;
    a->delta = 0;
    a->is_quiet = false;
}

uint64_t audit(struct vmm *vm)
{
    struct audit a = {.vm = vm, .visited = FRAME_VISITED};
    audit_trees(&a);
    audit_count(&a, UINT32_MAX); // -1
    check_frames(&a);
    audit_count(&a, 1);
    a.is_quiet = true;
    audit_trees(&a); // an even number of passes leaves no table marked
    return a.n_errors;
}
