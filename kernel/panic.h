// SPDX-License-Identifier: MIT
// The end: a broken invariant, or a fault in the kernel or in task one.
#pragma once

#include "ipc/types.h"

// One line `PANIC: ...` with what is known, then a failing exit.
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
