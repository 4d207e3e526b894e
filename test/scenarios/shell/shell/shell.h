// SPDX-License-Identifier: MIT
// What the parts of the shell share: its slots, its names, and how it answers.
#pragma once

#include "ipc/ipc.h"
#include "test/scenarios/shell/shell/names.h"

enum {
    SLOT_INPUT = SLOT_FREE, // the console
    SLOT_KEYS,              // an endpoint that is notified of input,
    SLOT_BELL,              // and the portal to do so
    SLOT_ACCOUNT,           // what new spaces draw on, the machine's numbers, the audit
    SLOT_TASK,              // the shell's own task
    SLOT_PROBES,            // an endpoint that probes call,
    SLOT_WAY,               // the portal for the next one,
    SLOT_PROBE,             // its task,
    SLOT_CALLER,            // and the reply that it waits for
    SLOT_NAMES,
    SLOTS_END = SLOT_NAMES + NAMES_MAX,
};

struct shell {
    struct names names;
    vaddr_t user_end;
    bool is_over; // `quit` was said
};

// One line of an answer; up to 200 characters, more are cut.
void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Bytes as hex digits. A line that goes on in the next ends with '\'.
void answer_hex(const uint8_t *bytes, size_t n);

// "r--" and the like.
const char *prot_text(uint32_t prot);

// Empties a slot. When it returns, the VMM has heard of it: numbers asked for later are exact.
void give_up(slot_t slot);
