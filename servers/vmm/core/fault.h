// SPDX-License-Identifier: MIT
// Exceptions of tasks: a page fault is resolved if the entry there allows the access, else the task
// dies.
#pragma once

#include "vmm.h"

// Makes the page at `address` ready for an access (one of PROT_*). Errors: E_FAULT (not allowed
// there), E_NOMEM, E_QUOTA; nothing changed.
must_check status_t fault_resolve(struct vmm *vm, record_t space, vaddr_t address, unsigned access);

// Words of an EXCEPTION message of a task: vector, error code, address, RIP. True if it may go on;
// else it was killed.
bool fault_serve(struct vmm *vm, record_t task, const uint64_t words[MESSAGE_WORDS]);
