// SPDX-License-Identifier: MIT
// The program that is fuzzed: given a seed it writes words to an arena, here and there, and exits
// with the last one. No stack, nothing else touched.
#pragma once

#define ARENA_VA     0x10000000
#define ARENA_PAGES  64 // eight in each of eight tables
#define SCRIBBLES    12
#define SCRIBBLE_END 0x0600000000000000 // for the assembler: sys_header(SYS_EXIT, ...)

#ifndef __ASSEMBLER__
#include "ipc/syscalls.h"
#include "ipc/types.h"

_Static_assert(SCRIBBLE_END == (uint64_t)SYS_EXIT << 56,
               "what the assembler loads is EXIT's header");

extern const char scribble_start[], scribble_end[];

static inline vaddr_t arena_page(uint64_t i)
{
    return ARENA_VA + (i >> 3 << 21) + ((i & 7) << PAGE_SHIFT);
}
#endif
