// SPDX-License-Identifier: MIT
// What both tasks have in their slots, from FIRST_NEAR on and once more from FIRST_FAR on.
#pragma once

#include "ipc/init_client.h"
#include "ipc/vmm_client.h"

enum { COUNTER = SLOT_FREE, SELF, MUTE, EAR, CALLER, GIFT, FIRST_NEAR };
#define FIRST_FAR 70u

enum item { ALL, ONLY_COPY, ONLY_MOVE, STUCK, DEAD, NOTHING, ITEMS };

// What the keeper does with a call, word 0; word 1 is a slot.
//   TELL  answers how it came, its badge, what it carried, and drops what landed in GIFT
//   GIVE  answers with what is in the slot; word 2: flags of the header.
//   KEEP  answers with its own words, and GIFT as full as it is
//   DROP  drops what is in the slot
// What cannot be answered so is answered with the reason. Word 3: its slot for what the next call carries; 0: GIFT.
enum { TELL, GIVE, KEEP, DROP };
#define NO_SLOT 0x10000u
