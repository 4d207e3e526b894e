// SPDX-License-Identifier: MIT
// Exceptions of tasks: a page fault is resolved if the entry there allows the access, or handed on to
// a pager, else the task dies. Where only memory or quota is missing it waits for that.
#pragma once

#include "vmm.h"

// Makes the page at `address` ready for an access (one of PROT_*). Errors: E_MORE (not yet: it is to
// be made again), E_FAULT (not allowed there), E_NOMEM, E_QUOTA; nothing changed. With E_FAULT, *pager
// is the one that is to serve the fault, or 0.
must_check status_t fault_resolve(struct vmm *vm, record_t space, vaddr_t address, unsigned access,
                                  record_t *pager);

// Words of an EXCEPTION message of a task: vector, error code, address, RIP, RSP, why a pager did not
// serve it. True if it may go on; else it waits, for memory or for a pager, or was killed.
bool fault_serve(struct vmm *vm, record_t task, const uint64_t words[MESSAGE_WORDS]);

// Tries the faults that wait once more: some memory or quota was given back.
void fault_retry(struct vmm *vm);
