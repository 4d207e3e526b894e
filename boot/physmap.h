// SPDX-License-Identifier: MIT
// The mapping of all RAM, for the VMM: user-accessible, writable, never executable.
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"

#include "boot/tables.h"

// Where physical address 0 is mapped, and how much the mapping has room for.
vaddr_t physmap_offset(uint32_t levels);
uint64_t physmap_room(uint32_t levels);

// Maps every range but the RESERVED ones, with leaves as large as alignment and `max_level` allow
// (2: 2 MiB, 3: 1 GiB). No range reaches beyond physmap_room(). Errors: E_NOMEM, E_LIMIT.
must_check status_t physmap_build(const struct tables *t, const struct boot_range *ranges,
                                  uint32_t n_ranges, uint32_t max_level);
