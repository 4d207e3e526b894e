// SPDX-License-Identifier: MIT
// The VMM's own capability slots that are not reserved for a use: they hold reply capabilities, of
// the caller being served and of those who wait long. The kernel gives 64, and more for donated
// frames.
#pragma once

#include "vmm.h"

// Boot only: all slots from VMM_SLOT_FREE on. The frame for the table of slots is zero.
void slots_start(struct vmm *vm, pfn_t table);

// Errors: E_LIMIT, E_NOMEM, E_QUOTA.
must_check status_t slot_alloc(struct vmm *vm, uint16_t *slot);
void slot_free(struct vmm *vm, uint16_t slot);

// The word that a used slot may keep: the next slot of whatever list its holder makes.
uint16_t *slot_next(struct vmm *vm, uint16_t slot);
