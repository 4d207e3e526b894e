// SPDX-License-Identifier: MIT
// Hands out frames from one stretch of free RAM, in ascending order, and remembers what for.
// Everything that it hands out stays; nothing is given back.
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"

#include "boot/carve.h"

#define FRAMES_RUNS_MAX 64u

struct frames {
    paddr_t next;
    paddr_t end;
    uint32_t n_runs;
    struct carve_span runs[FRAMES_RUNS_MAX]; // what was handed out, ascending; like kinds are one
};

// The loader reaches physical memory below 4 GiB through the boot tables' identity map.
#define FRAMES_REACH (1ull << 32)

static inline void *frames_at(paddr_t frame)
{
    return (void *)frame;
}

// Takes the longest USABLE range, as far as the loader reaches it. E_NOREGION if there is none.
must_check status_t frames_init(struct frames *f, const struct boot_range *ranges, uint32_t n);

// One zeroed frame for `kind`. Errors: E_NOMEM, E_LIMIT (too many runs).
must_check status_t frames_alloc(struct frames *f, enum memory_kind kind, paddr_t *frame);

// Adds all that was handed out to *c. Errors are those of carve_add().
must_check status_t frames_claim(const struct frames *f, struct carve *c);
