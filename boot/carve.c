// SPDX-License-Identifier: MIT
#include "boot/carve.h"

#define NO_EDGE UINT64_MAX

enum rank { RANK_NOTHING, RANK_USABLE, RANK_RECLAIMABLE, RANK_ACPI, RANK_RESERVED, RANK_CLAIM };

static enum rank rank_of(enum memory_kind kind)
{
    switch (kind) {
    case MEMORY_USABLE:
        return RANK_USABLE;
    case MEMORY_RECLAIMABLE:
        return RANK_RECLAIMABLE;
    case MEMORY_ACPI:
        return RANK_ACPI;
    case MEMORY_RESERVED:
        return RANK_RESERVED;
    default:
        return RANK_CLAIM;
    }
}

void carve_init(struct carve *c, paddr_t limit)
{
    c->limit = limit;
    c->n_spans = 1;
    c->spans[0] = (struct carve_span){.start = 0, .end = PAGE_SIZE, .kind = MEMORY_RESERVED};
}

status_t carve_add(struct carve *c, paddr_t start, uint64_t len_bytes, enum memory_kind kind)
{
    if (len_bytes == 0)
        return OK;
    paddr_t last = start + (len_bytes - 1);
    if (last < start)
        return E_OVERFLOW;
    if (start >= c->limit)
        return OK;
    // The limit is far below the top of 64 bits: from here on nothing wraps.
    paddr_t end = last < c->limit ? last + 1 : c->limit;
    if (kind == MEMORY_USABLE) {
        start = (start + PAGE_MASK) & ~PAGE_MASK;
        end &= ~PAGE_MASK;
    } else {
        start &= ~PAGE_MASK;
        end = (end + PAGE_MASK) & ~PAGE_MASK;
    }
    if (start >= end)
        return OK;
    if (c->n_spans == CARVE_SPANS_MAX)
        return E_LIMIT;
    c->spans[c->n_spans++] = (struct carve_span){.start = start, .end = end, .kind = kind};
    return OK;
}

// The lowest place at or above `from` where a span begins or ends; NO_EDGE if none does.
static paddr_t next_edge(const struct carve *c, paddr_t from)
{
    paddr_t edge = NO_EDGE;
    for (uint32_t i = 0; i < c->n_spans; i++) {
        const struct carve_span *span = &c->spans[i];
        if (span->start >= from && span->start < edge)
            edge = span->start;
        if (span->end >= from && span->end < edge)
            edge = span->end;
    }
    return edge;
}

struct page_kind {
    enum rank rank; // RANK_NOTHING: no span covers the page
    enum memory_kind kind;
};

// What the page at `at` is. E_EXISTS if two claims lie on it.
static status_t kind_at(const struct carve *c, paddr_t at, struct page_kind *page)
{
    struct page_kind best = {.rank = RANK_NOTHING, .kind = MEMORY_RESERVED};
    bool is_usable = false;
    for (uint32_t i = 0; i < c->n_spans; i++) {
        const struct carve_span *span = &c->spans[i];
        if (at < span->start || at >= span->end)
            continue;
        enum rank rank = rank_of(span->kind);
        if (rank == RANK_CLAIM && best.rank == RANK_CLAIM)
            return E_EXISTS;
        if (rank > best.rank)
            best = (struct page_kind){.rank = rank, .kind = span->kind};
        is_usable = is_usable || rank == RANK_USABLE;
    }
    if (best.rank == RANK_RECLAIMABLE && !is_usable)
        best.kind = MEMORY_RESERVED;
    *page = best;
    return OK;
}

// Where ranges go. Without `ranges` they are only counted.
struct output {
    struct boot_range *ranges;
    uint32_t max;
    uint32_t n;
    struct boot_range last; // still growing; none while its `frames` is 0
};

static void output_flush(struct output *out)
{
    if (out->last.frames == 0)
        return;
    if (out->ranges != NULL)
        out->ranges[out->n] = out->last;
    out->n++;
    out->last.frames = 0;
}

static status_t output_add(struct output *out, const struct carve_span *span)
{
    uint64_t frames = (span->end - span->start) >> PAGE_SHIFT;
    paddr_t at = span->start;
    while (frames > 0) {
        const struct boot_range *last = &out->last;
        bool joins = last->frames != 0 && last->kind == span->kind && last->frames < UINT32_MAX &&
                     last->start + ((uint64_t)last->frames << PAGE_SHIFT) == at;
        if (!joins) {
            output_flush(out);
            if (out->n == out->max)
                return E_LIMIT;
            out->last = (struct boot_range){.start = at, .frames = 0, .kind = span->kind};
        }
        uint64_t room = UINT32_MAX - out->last.frames;
        uint32_t part = (uint32_t)(frames < room ? frames : room);
        out->last.frames += part;
        at += (uint64_t)part << PAGE_SHIFT;
        frames -= part;
    }
    return OK;
}

// Goes from edge to edge: between two of them all pages are alike.
static status_t sweep(const struct carve *c, struct output *out)
{
    paddr_t end;
    for (paddr_t at = next_edge(c, 0); (end = next_edge(c, at + 1)) != NO_EDGE; at = end) {
        struct page_kind page;
        status_t status = kind_at(c, at, &page);
        if (status == OK && page.rank != RANK_NOTHING) {
            const struct carve_span span = {.start = at, .end = end, .kind = page.kind};
            status = output_add(out, &span);
        }
        if (status != OK)
            return status;
    }
    output_flush(out);
    return OK;
}

status_t carve_ranges(const struct carve *c, struct boot_range *ranges, uint32_t max,
                      uint32_t *n_ranges)
{
    struct output count = {.ranges = NULL, .max = max};
    status_t status = sweep(c, &count);
    if (status != OK)
        return status;
    struct output fill = {.ranges = ranges, .max = max};
    status = sweep(c, &fill);
    if (status == OK)
        *n_ranges = fill.n;
    return status;
}
