// SPDX-License-Identifier: MIT
// Revoking a grant: it and everything derived from it dies, and whatever was mapped through any of
// them goes from all spaces, as does what was shared on from there, by whomever. It allocates nothing
// and is done in steps of bounded work, between which others may be served:
//
//     struct revoke r = revoke_start(vm, grant);      first the grant itself dies, then, from the
//     while (!revoke_step(vm, &r))                    top down, what hangs from it: so nothing new
//         ;                                           comes from what was dealt with already
//
// Entries are cleared in place, in tables with several parents too, since every holder is to lose
// them. So a step does not know whose translations are stale, and flushes all spaces, once.
#pragma once

#include "vmm.h"

#define REVOKE_WORK 512u // units of a step: an entry or, in part, a grant or a via

struct revoke {
    portal_t top, grant;   // the one to revoke, and the one of those below it that is at hand
    record_t via_top, via; // the same of what was mapped through that grant; 0: nothing is
};

// Grants that are being revoked must be below no other.
struct revoke revoke_start(struct vmm *vm, portal_t number);

// True if all is done. The grant's space may be gone then.
must_check bool revoke_step(struct vmm *vm, struct revoke *r);
