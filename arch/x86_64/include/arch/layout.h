// SPDX-License-Identifier: MIT
// The one map of virtual addresses, for 4 and 5 levels of page tables.
//
//   root entry 0..255   user half                    a space's own
//   root entry 256      all RAM, U, NX               the VMM's root alone
//   root entry 510      the probe page, U, r-x       every space (reserved)
//   root entry 511      kernel half, supervisor      every space; never changes after boot
//       0xffffff8000000000   object window: frames donated to the kernel, by index
//       0xffffffff80000000   kernel image: text RX, rodata R, data RW
//       0xffffffffc0000000   the local APIC's page
#pragma once

#define ROOT_ENTRY_PHYSMAP 256u
#define ROOT_ENTRY_PROBE   510u
#define ROOT_ENTRY_KERNEL  511u

#define OBJECT_WINDOW         0xffffff8000000000ull
#define OBJECT_WINDOW_INDICES 262144u // 1 GiB: one page directory, which boot makes
#define KERNEL_BASE           0xffffffff80000000ull
#define KERNEL_LAPIC          0xffffffffc0000000ull

#define PHYSMAP_4LEVEL 0xffff800000000000ull
#define PHYSMAP_5LEVEL 0xff00000000000000ull
#define PROBE_4LEVEL   0xffffff0000000000ull
#define PROBE_5LEVEL   0xfffe000000000000ull

// The user half ends one page below the canonical limit: after a `syscall` that is its very last
// instruction RCX would be non-canonical, and SYSRET would fault in ring 0 (SDM 2B, SYSRET).
#define USER_END_4LEVEL 0x00007ffffffff000ull
#define USER_END_5LEVEL 0x00fffffffffff000ull
