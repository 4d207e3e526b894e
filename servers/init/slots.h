// SPDX-License-Identifier: MIT
// Where init keeps its capabilities: a slot for everything that a manifest can name.
#pragma once

#include "ipc/syscalls.h"
#include "servers/init/manifest.h"

enum {
    SLOT_SERVICE = SLOT_FREE, // the endpoint that all tasks call
    SLOT_CALLER,              // the reply capability of the call being served
    SLOT_NEW_SPACE,           // of the task being loaded
    SLOT_NEW_PORTAL,          // its way to us
    SLOT_TASKS,
    SLOT_SPACES = SLOT_TASKS + MANIFEST_TASKS_MAX,
    SLOT_ENDPOINTS = SLOT_SPACES + MANIFEST_SPACES_MAX,
    SLOT_GIVES = SLOT_ENDPOINTS + MANIFEST_ENDPOINTS_MAX,
    SLOTS_END = SLOT_GIVES + MANIFEST_GIVES_MAX,
};

_Static_assert(SLOTS_END <= 64 + 250, "the VMM gives init one frame of further slots");
