// SPDX-License-Identifier: MIT
// Revoking a grant: it and everything derived from it dies, and whatever was mapped through any of
// them goes from all spaces, as does what was shared on from there, by whomever. It allocates nothing
// and is done in steps of bounded work, one for each message that comes meanwhile:
//
//     REVOKE ──▶ revoke_start(): the grant is DOOMED, none is served through it
//       │ E_MORE: the caller asks again    any other message: served, then
//       ▼                                  ▼
//     revoke_step() ◀──────────────────────┘   from the top down, so that nothing new comes from what
//       │                                      was dealt with already
//       ▼ OK: all is gone, and the grant dead for the kernel too
//
// There is one at a time; another waits by E_MORE. Since each message that is served does a step of
// REVOKE_WORK, nobody derives or copies faster than that takes away.
//
// Entries are cleared in place, in tables with several parents too, since every holder is to lose
// them. So a step does not know whose translations are stale, and flushes all spaces, once.
#pragma once

#include "vmm.h"

#define REVOKE_WORK 512u // units of a step: an entry or, in part, a grant or a via

static inline bool revoke_is_pending(const struct vmm *vm)
{
    return vm->state->revoke.grant;
}

// None may be pending.
void revoke_start(struct vmm *vm, portal_t number);

// Does a step of the one that is pending. OK: that was the last one; the grant's space may be gone.
// E_MORE.
must_check status_t revoke_step(struct vmm *vm);
