// SPDX-License-Identifier: MIT
// Grants: what a capability to an address space names. A space, a window of its pages, rights;
// derived from another grant, or from none.
#pragma once

#include "portal.h"

#define GRANTS_DEEP 256u // levels of derivation: walks up the tree are no longer than that

// A grant on pages first .. first + n_pages - 1, which the caller has checked against the parent's
// window; holds a reference to the space. `account` pays. Not minted yet. Errors: E_QUOTA, E_NOMEM,
// E_LIMIT.
must_check status_t grant_create(struct vmm *vm, record_t account, record_t space, portal_t parent,
                                 uint64_t first, uint64_t n_pages, unsigned rights,
                                 portal_t *number);

// The same for all of a space.
must_check status_t grant_create_whole(struct vmm *vm, record_t account, record_t space,
                                       unsigned rights, portal_t *number);

// A grant with a smaller window, which the caller has checked, or fewer rights than `parent`'s, on the
// space's account. Errors: E_RIGHT (more rights), E_LIMIT (too far down), as grant_create().
must_check status_t grant_derive(struct vmm *vm, portal_t parent, uint64_t first, uint64_t n_pages,
                                 uint64_t rights, portal_t *number);

// Nobody refers to the grant any more, or it was never minted. What was derived from it stays, as
// if derived from its parent; of thousands it is made so in steps, by grant_settle().
void grant_drop(struct vmm *vm, portal_t number);
void grant_settle(struct vmm *vm);

// The grant is as if derived from none.
void grant_uproot(struct vmm *vm, portal_t number);

// Whether the grant is `from`, or derived from it.
bool grant_comes_from(const struct vmm *vm, portal_t number, portal_t from);

// A grant is DOOMED, and stays in the tree; when nothing hangs from it any more, it leaves that and gives
// up its space. False: nobody could use it any more anyway.
bool grant_doom(struct vmm *vm, portal_t number);
void grant_bury(struct vmm *vm, portal_t number);

// Whether the pages are a range in the user half: E_INVAL if not.
must_check status_t range_check(const struct vmm *vm, uint64_t first, uint64_t n_pages);
// Whether they also lie in the grant's window: E_RIGHT if not.
must_check status_t grant_check(const struct vmm *vm, const struct portal *grant, uint64_t first,
                                uint64_t n_pages);
