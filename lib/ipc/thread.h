// SPDX-License-Identifier: MIT
// Tasks that run in a space that already has their code: threads of one's own program, mostly.
#pragma once

#include "ipc/vmm_client.h"

struct thread {
    slot_t space;                     // whose code and stack it runs on: SLOT_SELF for one's own
    void (*entry)(uint64_t argument); // must end in ipc_exit(), there is nothing to return to
    void *stack_top;                  // aligned to 16; 0: it has none and must not touch it
    uint64_t argument;
    uint32_t priority;
    slot_t portal; // copied to the thread's SLOT_PARENT; 0: it gets none
};

// Starts it; its task capability lands in the empty slot `into`. Errors: as vmm_spawn().
must_check status_t thread_start(const struct thread *thread, slot_t into);

// Waits for the end of the task in slot `task` and empties the slot. *exit is written on success
// only.
must_check status_t thread_end(slot_t task, struct vmm_exit *exit);
