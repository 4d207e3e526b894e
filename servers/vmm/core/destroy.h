// SPDX-License-Identifier: MIT
// SPACE_DESTROY: the grants on a space die, then its tasks, and with the last of them it goes; of one with
// an account of its own, so do all spaces that draw on that, or on a part of it. What was mapped
// through its grants stays. It is done in steps as a revoke is (revoke.h), one at a time, and the two
// exclude each other. Meanwhile no space comes to draw on that account.
//
// The grant through which it was asked for dies last.
#pragma once

#include "vmm.h"

#define DESTROY_WORK 512u // units of a step in somebody else's message

static inline bool destroy_is_pending(const struct vmm *vm)
{
    return vm->state->destroy.space;
}

// Neither may be pending, nor a revoke. The grant `by` is on all of the space.
void destroy_start(struct vmm *vm, record_t space, portal_t by);

// A step of about so many units. OK: that was the last one. E_MORE.
must_check status_t destroy_step(struct vmm *vm, int64_t units);

// Whether spaces on the account are going.
bool destroy_takes(struct vmm *vm, record_t account);

// The space is out of the list of all spaces, in front of `next`; the grant is dropped.
void destroy_pass_space(struct vmm *vm, record_t space, record_t next);
void destroy_pass_grant(struct vmm *vm, portal_t number);
