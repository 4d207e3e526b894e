// SPDX-License-Identifier: MIT
// Bits of page-table entries (SDM vol. 3A, 4.5), for the loader and the VMM. The kernel proper does
// not include this: it never reads or writes an entry.
//
//    63 62     52 51                    12 11 10  9  8  7  6  5  4  3  2  1  0
//   +--+---------+------------------------+--+--+--+--+--+--+--+--+--+--+--+--+
//   |NX| soft    |   frame address        |   soft  | G|PS| D| A|CD|WT| U| W| P|
//   +--+---------+------------------------+--+--+--+--+--+--+--+--+--+--+--+--+
//
// The software bits and the encoding of non-present entries are the VMM's alone: servers/vmm/core.
#pragma once

#define PTE_P    (1ull << 0)
#define PTE_W    (1ull << 1)
#define PTE_U    (1ull << 2)
#define PTE_WT   (1ull << 3)
#define PTE_CD   (1ull << 4)
#define PTE_A    (1ull << 5)
#define PTE_D    (1ull << 6)
#define PTE_PS   (1ull << 7) // a leaf at level 2 (2 MiB) or 3 (1 GiB)
#define PTE_G    (1ull << 8)
#define PTE_NX   (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

#define PTE_ENTRIES 512u
