// SPDX-License-Identifier: MIT
// The probe's code (ipc/probe.h says what it does): copied to the start of an otherwise zero page,
// which every space has at PROBE_4LEVEL or PROBE_5LEVEL.
#pragma once

// What the assembler needs of ipc/syscalls.h and arch/layout.h, which only C can read.
#define PROBE_CALL_HEADER 0x20
#define PROBE_EXIT_HEADER 0x0600000000000000
#define PROBE_AT_4LEVEL   0xffffff0000000000
#define PROBE_AT_5LEVEL   0xfffe000000000000

#ifndef __ASSEMBLER__

#include "arch/layout.h"
#include "ipc/probe.h"
#include "ipc/syscalls.h"

_Static_assert(PROBE_CALL_HEADER == ((uint64_t)SYS_CALL << 56 | SLOT_PARENT << 4),
               "probe.S calls its parent");
_Static_assert(PROBE_EXIT_HEADER == (uint64_t)SYS_EXIT << 56, "probe.S exits");
_Static_assert(PROBE_AT_4LEVEL == PROBE_4LEVEL && PROBE_AT_5LEVEL == PROBE_5LEVEL, "arch/layout.h");
_Static_assert(PROBE_READ == 0 && PROBE_WRITE == 1 && PROBE_EXEC == 2, "probe.S counts down");

extern const char probe_start[], probe_end[];

#endif
