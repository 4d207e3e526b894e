// SPDX-License-Identifier: MIT
// What the user's names stand for. Pure: capabilities are slot numbers here, and whoever calls fills
// and empties the slots.
//
// A space has one slot with the capability that came when it was made. It is emptied with the last
// name that reaches the space, not with the space's own name: the probe needs it for accesses through
// derived names, too.
#pragma once

#include "ipc/status.h"
#include "ipc/syscalls.h"
#include "ipc/types.h"
#include "test/scenarios/shell/shell/words.h"

#define SPACES_MAX 64u
#define GRANTS_MAX 256u
#define NAMES_MAX  (SPACES_MAX + GRANTS_MAX)

enum name_kind { NAME_FREE, NAME_SPACE, NAME_SNAPSHOT, NAME_GRANT };

struct name {
    enum name_kind kind;
    char text[NAME_BYTES];
    char origin[NAME_BYTES]; // the name that it was cloned, taken or derived from; may be empty
    unsigned space;          // which of the spaces
    uint32_t prot;           // what may be done to memory through it, as PROT_*
    uint32_t clone_prot;     // and to that of a clone: a snapshot is narrower than what it is of
    vaddr_t start;           // its window
    uint64_t pages;
};

// Entry i < SPACES_MAX is the name of space i, unless it was dropped while others reach the space.
struct names {
    slot_t first_slot;            // of NAMES_MAX: a slot to an entry
    unsigned n_users[SPACES_MAX]; // names that reach the space; 0: there is none
    struct name at[NAMES_MAX];
};

// The name with that text, or NULL.
struct name *name_find(struct names *names, const char *text);

// The slot of the capability that the name stands for, and of its space's own.
slot_t name_slot(const struct names *names, const struct name *name);
slot_t name_space_slot(const struct names *names, const struct name *name);

// A new name for a new space, or one for a capability derived from `source`'s, with nothing but kind,
// texts and space filled in. Its slot is empty: the caller fills it, or calls name_drop(). `text` is a
// name that is not taken. E_LIMIT: no room.
must_check status_t name_add_space(struct names *names, const char *text, enum name_kind kind,
                                   const char *origin, struct name **name);
must_check status_t name_add_grant(struct names *names, const char *text, const struct name *source,
                                   struct name **name);

// Forgets the name. Answers how many slots are to be emptied, and which, in this order.
unsigned name_drop(struct names *names, struct name *name, slot_t slots[2]);

unsigned names_count(const struct names *names, enum name_kind kind);
