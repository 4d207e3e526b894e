// SPDX-License-Identifier: MIT
// Device memory: a space made at boot that holds what is no RAM below 4 GiB, each frame at its own
// address, uncached, never executable. Tasks get windows of it, which they share into spaces.
//
// Clones leave device memory out, and still copy the root alone where there is none: a table below
// which device memory was ever mapped is marked FRAME_DEVICE, and always has one parent. A clone
// gets tables of its own in place of the marked ones, with all in them but the devices.
#pragma once

#include "ipc/boot_info.h"
#include "page_table.h"
#include "reserve.h"

#define DEVICE_RIGHTS (RIGHT_READ | RIGHT_WRITE | RIGHT_SHARE | RIGHT_QUERY | RIGHT_DERIVE)
#define DEVICE_END    (1ull << 32)

// Makes the space of all that `info`, already checked, does not call RAM. Errors: E_NOMEM.
must_check status_t device_space_create(struct vmm *vm, const struct boot_info *info, record_t *id);

static inline bool device_is_below(const struct vmm *vm, pfn_t table)
{
    return frame_of(vm, table)->flags & FRAME_DEVICE;
}

// Sets aside, for `account`, the tables that a clone of `root` cannot share. Errors: E_LIMIT (they are so
// many that leaving out what is in them takes longer than a step), E_NOMEM, E_QUOTA.
must_check status_t device_reserve(struct vmm *vm, pfn_t root, record_t account, struct reserve *r);

// Gives the fresh clone `to` of `from` tables without devices, from the reserve, which is then empty.
// pt_clone_root() has flushed all of `from`: above a marked table W was set everywhere.
void device_leave_out(struct vmm *vm, pfn_t from, pfn_t to, struct reserve *r);
