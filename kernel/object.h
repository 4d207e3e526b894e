// SPDX-License-Identifier: MIT
// Kernel objects. Each lives in a frame that the VMM donated and mapped at an index of the object
// window; the kernel never allocates. The VMM is trusted to hand over frames that nobody else can
// write, whose first word is zero, and to take a frame back only after OBJECT_DESTROY: checks here
// catch its mistakes. What else is in the frame the kernel clears as far as it uses it.
#pragma once

#include "ipc/status.h"
#include "ipc/syscalls.h"
#include "ipc/types.h"

// At the start of every donated frame.
struct object {
    uint32_t kind; // enum object_kind; OBJECT_NONE: the frame is the VMM's
    uint32_t index;
};

// Most steps (slots dropped, waiters woken, pages flushed) that one kernel call takes.
#define KERNEL_WORK_MAX 32u

// Of the expensive ones, which may wake a task or hand a message on: interrupts are off meanwhile.
#define KERNEL_WAKE_MAX 4u

// The object at `index`, which must be of `kind`. E_FAULT: no frame there. E_STATE: another kind.
must_check status_t object_find(uint64_t index, enum object_kind kind, struct object **object);

// Claims the frame at `index` for a new object, whose first `size` bytes are zero but for what is in
// struct object. E_FAULT: no frame there. E_BUSY: it holds an object.
must_check status_t object_claim(uint64_t index, enum object_kind kind, size_t size,
                                 struct object **object);
