// SPDX-License-Identifier: MIT
// Recomputes from scratch, from the slots and queues of every object in the fake's window, what the
// kernel keeps counts and back pointers of, and compares.
#pragma once

#include "test/unit/fake/kernel/fake_arch.h"

// Between two entries of the kernel. `may_listen`: one portal may have a reference that only the
// console knows. Answers NULL, or what is wrong (valid until the next call).
const char *check_kernel(struct cpu *cpu, bool may_listen);

// The object at an index if it is of `kind`; NULL otherwise.
void *check_object(uint64_t index, enum object_kind kind);

// A task's slot by number, the pager's included; NULL past the last.
struct slot *check_slot(struct task *t, unsigned number);
