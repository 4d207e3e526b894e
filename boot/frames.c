// SPDX-License-Identifier: MIT
#include "boot/frames.h"

#include "ipc/rt.h"

status_t frames_init(struct frames *f, const struct boot_range *ranges, uint32_t n)
{
    paddr_t best_start = 0, best_end = 0;
    for (uint32_t i = 0; i < n; i++) {
        paddr_t end = ranges[i].start + ((uint64_t)ranges[i].frames << PAGE_SHIFT);
        if (end > FRAMES_REACH)
            end = FRAMES_REACH;
        if (ranges[i].kind != MEMORY_USABLE || ranges[i].start >= end)
            continue;
        if (end - ranges[i].start > best_end - best_start) {
            best_start = ranges[i].start;
            best_end = end;
        }
    }
    if (best_end == 0)
        return E_NOREGION;
    *f = (struct frames){.next = best_start, .end = best_end};
    return OK;
}

// Notes that the frame at `next` serves `kind`.
static status_t note(struct frames *f, enum memory_kind kind)
{
    struct carve_span *last = f->n_runs > 0 ? &f->runs[f->n_runs - 1] : NULL;
    if (last != NULL && last->kind == kind) {
        last->end += PAGE_SIZE;
        return OK;
    }
    if (f->n_runs == FRAMES_RUNS_MAX)
        return E_LIMIT;
    f->runs[f->n_runs++] =
        (struct carve_span){.start = f->next, .end = f->next + PAGE_SIZE, .kind = kind};
    return OK;
}

status_t frames_alloc(struct frames *f, enum memory_kind kind, paddr_t *frame)
{
    if (f->next == f->end)
        return E_NOMEM;
    status_t status = note(f, kind);
    if (status != OK)
        return status;
    memset(frames_at(f->next), 0, PAGE_SIZE);
    *frame = f->next;
    f->next += PAGE_SIZE;
    return OK;
}

status_t frames_claim(const struct frames *f, struct carve *c)
{
    status_t status = OK;
    for (uint32_t i = 0; i < f->n_runs && status == OK; i++)
        status = carve_add(c, f->runs[i].start, f->runs[i].end - f->runs[i].start, f->runs[i].kind);
    return status;
}
