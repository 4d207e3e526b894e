// SPDX-License-Identifier: MIT
// What one entry into the kernel may do to tasks that did not ask for it, and what must not get
// lost in it: reports, notifications, the link between a caller and its server, other tasks'
// registers.
#pragma once

#include "test/unit/fake/kernel/fake_arch.h"

// Notes the state that the entry starts from. `actor` is the current task if it makes a system
// call, its registers set; NULL for an exception or an interrupt.
void transition_begin(struct task *actor);

// Compares after the entry. Answers NULL, or what is wrong (valid until the next call).
const char *transition_end(void);
