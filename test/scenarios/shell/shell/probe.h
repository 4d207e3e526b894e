// SPDX-License-Identifier: MIT
// Accesses by a probe task in a space (ipc/probe.h), so that the MMU decides.
#pragma once

#include "ipc/probe.h"
#include "ipc/status.h"
#include "ipc/syscalls.h"
#include "ipc/types.h"

struct access {
    slot_t space; // a capability to all of it
    enum probe_command command;
    vaddr_t va;
    size_t n_bytes; // 0 for PROBE_EXEC
    uint8_t *bytes; // to write, or where to put what was read
};

// What stopped it.
struct access_fault {
    const char *what; // "read", "write", "exec"; NULL: nothing did
    vaddr_t va;
};

// Does the access. OK: all of it is done, or code that was called ended the task by itself. E_FAULT,
// E_NOMEM, E_QUOTA with fault->what: as it says, and what comes before is done. Other errors, without
// it: the probe could not be started.
must_check status_t probe_access(const struct access *access, struct access_fault *fault);
