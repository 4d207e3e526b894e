// SPDX-License-Identifier: MIT
// Canaries in every register but RSP. Each function answers how many registers did not hold what
// they should; it keeps what the C calling convention wants kept.
#pragma once

#include <stdint.h>

// Fills the general registers with seed + 1 ... seed + 15 and both halves of XMM0-15 with seed + 17
// ... seed + 32, counts to `rounds` in memory, and compares.
uint64_t canary_spin(uint64_t seed, uint64_t rounds);

// Fills them, makes the system call `header` with words seed + 1 ..., and compares: XMM as they
// were, all general registers zero but RSP, RBP, RCX and R11, and RAX too, which is the status OK. R13 to
// R15 may be as they were.
uint64_t canary_syscall(uint64_t seed, uint64_t header);

// Loads DS, ES, FS and GS with `selector`.
void selectors_load(uint16_t selector);

// How many of DS, ES, FS and GS hold neither 0 nor `selector`.
unsigned selectors_strange(uint16_t selector);
