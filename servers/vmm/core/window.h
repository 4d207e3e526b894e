// SPDX-License-Identifier: MIT
// The object window: frames donated to the kernel, mapped in its half (supervisor, RW, NX, global)
// and named by index. Boot made the window's upper tables; tables of entries come and go with need,
// on the root account.
#pragma once

#include "frame.h"

// Boot only: finds the window below the kernel's entry. Errors: E_FORMAT.
must_check status_t window_start(struct vmm *vm);

// Allocates a frame on `account`, maps it and makes a kernel object of `kind` there. `slot`
// (or 0) gets an endpoint's receive right. Errors: E_QUOTA, E_NOMEM, E_LIMIT (the window is full),
// the kernel's.
must_check status_t object_create(struct vmm *vm, record_t account, enum kernel_object kind,
                                  record_t record, uint32_t slot, uint32_t *index);

// Ends the kernel object, in as many steps as it takes, and frees its frame.
void object_destroy(struct vmm *vm, uint32_t index);

// The frame alone, of which the first word is zero, for the kernel to make the object in; and its end.
must_check status_t object_map(struct vmm *vm, record_t account, enum kernel_object kind,
                               record_t record, uint32_t *index);
void object_unmap(struct vmm *vm, uint32_t index);

// The frame at an index, or PFN_NONE.
pfn_t object_pfn(const struct vmm *vm, uint32_t index);
