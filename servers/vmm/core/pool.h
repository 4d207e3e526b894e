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
    RECORD_VIA,
    RECORD_LINK,
    RECORD_PAGER,
    RECORD_JOB,
};

#define RECORD_BYTES      64u
#define RECORDS_PER_FRAME 64u // place 0 tells which places are used

_Static_assert(RECORDS_PER_FRAME *RECORD_BYTES == PAGE_SIZE, "records fill a frame");

// Allocates a record, zero but for its kind, which is its first byte. Errors: E_QUOTA, E_NOMEM.
must_check status_t record_alloc(struct vmm *vm, record_t account, enum record_kind kind,
                                 record_t *id);
void record_free(struct vmm *vm, record_t id);

// Where the record of that id lies: ids count places of 64 bytes from physical address 0 on.
static inline void *record_place(const struct vmm *vm, record_t id)
{
    return (void *)(vm->offset + (uint64_t)id * RECORD_BYTES);
}

// Who pays for the record.
record_t record_account(const struct vmm *vm, record_t id);

// The record of that id, which must be of `kind`: ids come from the VMM's own structures only.
static inline void *record_at(const struct vmm *vm, record_t id, enum record_kind kind)
{
    void *record = record_place(vm, id);
    invariant(id && *(uint8_t *)record == kind);
    return record;
}

// Whether there is a record of that id and kind: for ids that came with a message, and for audits.
bool record_exists(const struct vmm *vm, record_t id, enum record_kind kind);

// Boot only: makes the root account, in a frame of records at `pfn` that it pays for itself.
void pool_start(struct vmm *vm, pfn_t pfn, uint64_t quota);
