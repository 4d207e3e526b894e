// SPDX-License-Identifier: MIT
// Records of 64 bytes in frames of records. Each frame belongs to one account, so that who makes
// many records pays for them; a frame is given back when its last record goes.
#pragma once

#include "vmm.h"

enum record_kind {
    RECORD_FREE,
    RECORD_ACCOUNT,
    RECORD_SPACE,
    RECORD_TASK,
    RECORD_ENDPOINT,
};

#define RECORD_BYTES      64u
#define RECORDS_PER_FRAME 64u // place 0 tells which places are used

// Allocates a record, zero but for its kind, which is its first byte. Errors: E_QUOTA, E_NOMEM.
must_check status_t record_alloc(struct vmm *vm, record_t account, enum record_kind kind,
                                 record_t *id);
void record_free(struct vmm *vm, record_t id);

// The record of that id, which must be of `kind`: ids come from the VMM's own structures only.
void *record_at(const struct vmm *vm, record_t id, enum record_kind kind);

// Boot only: makes the root account, in a frame of records at `pfn` that it pays for itself.
void pool_start(struct vmm *vm, pfn_t pfn, uint64_t quota);
