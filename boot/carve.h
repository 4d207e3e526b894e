// SPDX-License-Identifier: MIT
// Carves the physical memory: takes spans in any order, overlapping and unaligned, and answers the
// sorted, page-aligned, non-overlapping ranges of struct boot_info. Pure, and without allocation.
//
// Where spans overlap the strongest says what a page is:
//
//     USABLE < RECLAIMABLE < ACPI < RESERVED < every other kind
//
// The first four are the firmware's words (RECLAIMABLE: ours, until boot ends); the others are
// claims, that is frames known to hold something that stays. USABLE spans are aligned inward, all
// others outward. What is RECLAIMABLE with no USABLE span under it is RESERVED, since it would be
// handed out as free RAM otherwise. Frame 0 is RESERVED always, so that 0 can mean "no frame".
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"

#define CARVE_SPANS_MAX 448u

struct carve_span {
    paddr_t start; // both aligned to pages; start < end
    paddr_t end;
    enum memory_kind kind;
};

struct carve {
    paddr_t limit; // what lies at or above it cannot be reached and is left out
    uint32_t n_spans;
    struct carve_span spans[CARVE_SPANS_MAX];
};

// Empties *c. `limit` is page-aligned and at least one page.
void carve_init(struct carve *c, paddr_t limit);

// Adds a span of `len_bytes` from `start`. One of no bytes, or of no whole page below the limit, is
// no span. Errors: E_OVERFLOW (it wraps), E_LIMIT (too many). *c is untouched on failure.
must_check status_t carve_add(struct carve *c, paddr_t start, uint64_t len_bytes,
                              enum memory_kind kind);

// Writes the ranges, at most `max` of them, and how many they are; adjoining ones of a kind are
// one. Errors: E_EXISTS (two claims on a page), E_LIMIT (more than `max`). Outputs untouched on
// failure.
must_check status_t carve_ranges(const struct carve *c, struct boot_range *ranges, uint32_t max,
                                 uint32_t *n_ranges);
