// SPDX-License-Identifier: MIT
// Capability slots. The kernel gives each task 64, and more for donated frames. The VMM's own that
// are not reserved for a use hold reply capabilities, of the caller being served and of those who
// wait long, and portals to pagers.
#pragma once

#include "vmm.h"

// Gives a task a frame of further slots on `account`: one for object_create()d tasks, and for the
// VMM's own. Errors: E_LIMIT, E_NOMEM, E_QUOTA.
must_check status_t slots_add(struct vmm *vm, record_t account, uint32_t task);

// The frames of slots of a task, to be given back with slots_drop() when the kernel's task is gone.
pfn_t slots_of(const struct vmm *vm, uint32_t task);
void slots_drop(struct vmm *vm, pfn_t slots);

// Boot only: the slots that the VMM begins with, from VMM_SLOT_FREE on, and all the frames of further
// ones that it will ever have, so that no client's doing makes it take more later. The frame for the
// table of slots is zero. Errors: E_NOMEM, E_LIMIT.
must_check status_t slots_start(struct vmm *vm, pfn_t table);

// A claim on one of the VMM's slots. Each task has one, for its reply when that has to wait (a task has
// no more than one to wait for), and each pager. An account gets it, together with those carved from it,
// while it has fewer than are left: so one that takes all it can get leaves half of them to others, and
// two leave a third. The root account may have the last one. Errors: E_LIMIT.
must_check status_t slots_claim(struct vmm *vm, record_t account);
void slots_unclaim(struct vmm *vm, record_t account);

// An empty slot, which is there by somebody's claim.
uint16_t slot_take(struct vmm *vm);
void slot_free(struct vmm *vm, uint16_t slot);

// The word that a used slot may keep: the next slot of whatever list its holder makes.
uint16_t *slot_next(struct vmm *vm, uint16_t slot);
