// SPDX-License-Identifier: MIT
// One message of the VMM's endpoint, from its words to the answer.
#pragma once

#include "vmm.h"

// What came with a call beside the words.
enum carried { CARRIED_NONE, CARRIED_BADGE, CARRIED_OBJECT, CARRIED_SLOT };

struct request {
    enum message_event event : 8;
    enum carried carried : 8;
    bool wants_cap; // the caller named a slot for a capability in the answer
    uint64_t badge;
    uint64_t words[MESSAGE_WORDS];
    uint64_t
        carried_value; // BADGE: of a portal of ours. OBJECT: window index, of an endpoint or of the
                       // task whose fault it is, with its page above FAULT_SHIFT. SLOT: number of a
                       // portal, else 0
    // out:
    bool is_answered; // a reply is due now
    bool gives_cap;   // with what lies in VMM_SLOT_ANSWER
    uint64_t answer[MESSAGE_WORDS];
    // of a call, decoded for its handler (call.h):
    const struct portal *portal; // the one called
    uint32_t flags;
    record_t space;     // through a grant: its space, else a task; and the record
    struct space *home; // of the space
};

// Serves a message. A CARRIED_SLOT capability lies in state->receive_slot and is gone afterwards,
// or kept, and receive_slot is another, empty slot. The
// reply capability of a call lies in state->reply_slot; what is not answered now is kept there, and
// reply_slot is another, empty slot afterwards.
void request_serve(struct vmm *vm, struct request *r);
