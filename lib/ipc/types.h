// SPDX-License-Identifier: MIT
// Address kinds and page sizes that kernel, servers and clients share.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; // a physical address, in bytes
typedef uint64_t vaddr_t; // a virtual address, in bytes

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (PAGE_SIZE - 1)

// The six words of a message; all of them are always defined.
#define MESSAGE_WORDS 6
