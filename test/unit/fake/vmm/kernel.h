// SPDX-License-Identifier: MIT
// The kernel's side of the fake machine.
#pragma once

#include "fake.h"

extern const struct ports kernel_ports;

void kernel_drop(struct fake *f, struct fake_cap *cap);
struct fake_cap kernel_copy(struct fake *f, struct fake_cap cap);

// Where a live portal leads; false if it is dead.
bool kernel_portal_info(struct fake *f, uint32_t number, uint32_t *endpoint, uint64_t *badge);

// Whether a report is still due; if so, it is received.
bool kernel_hear(struct fake *f, const struct fake_report *r);
