// SPDX-License-Identifier: MIT
// What a task needs to be a server itself: endpoints, and portals into them.
#pragma once

#include "portal.h"

// Makes an endpoint on `account`; VMM_SLOT_ANSWER gets the receive right. Errors: E_QUOTA, E_NOMEM,
// E_LIMIT.
must_check status_t endpoint_create(struct vmm *vm, record_t account);

// Makes a portal into the endpoint at window index `object`, in VMM_SLOT_ANSWER, with SLOT_* flags.
// Errors: E_SLOT (no endpoint of a task's), E_QUOTA, E_NOMEM, E_LIMIT.
must_check status_t endpoint_portal(struct vmm *vm, record_t account, uint64_t object,
                                    uint64_t badge, uint64_t flags);

// The last receive right of the endpoint at `object` is gone: it and its portals go.
void endpoint_drop(struct vmm *vm, uint64_t object);

// Nobody refers to the portal, which is dead or foreign.
void endpoint_portal_unused(struct vmm *vm, uint64_t number);
