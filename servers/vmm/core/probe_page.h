// SPDX-License-Identifier: MIT
// The probe's page (ipc/probe.h): code that every root has at one address of the higher half, for
// user code to fetch and read. Its path of tables is made once; every root gets the same entry, as
// it gets the kernel's. All these frames are reserved: no space pays for them or shows them.
#pragma once

#include "vmm.h"

#define PROBE_FRAMES 5u // a table for each level below the root, and the page

// Boot only: makes them in the zeroed frames from `first` on.
void probe_page_make(struct vmm *vm, pfn_t first);

// What stands in ROOT_ENTRY_PROBE of every root.
pte_t probe_entry(const struct vmm *vm);

vaddr_t probe_address(const struct vmm *vm);

// For the audit: the tables hold the page, read-only, and nothing else.
bool probe_page_is_intact(const struct vmm *vm);
