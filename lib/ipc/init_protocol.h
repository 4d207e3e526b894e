// SPDX-License-Identifier: MIT
// What init answers to the tasks that it started. A task calls the portal in SLOT_PARENT; init
// knows it by the portal's badge, never by what it writes. Word 0 of the answer is a status_t.
//
// Word 0: opcode in bits 0..15, protocol version in bits 16..31, flags in bits 32..63.
#pragma once

#include "ipc/types.h"

#define INIT_VERSION 1u

//         words 1..5                                  answer
// GET     1..4: the name, NUL-padded                  the capability of that name, moved: a name
//                                                     is answered once. E_NOENT: no such name
//                                                     (left), E_NOSLOT: the caller named no slot
//                                                     for it
// CHECK   40 bytes of text, flags CHECK_*             with CHECK_LAST the line is complete: init
//                                                     prints it as this task's next test result
// Anything else: E_NOSYS; another version: E_VERSION; a name without a NUL: E_INVAL.
enum init_request { INIT_GET, INIT_CHECK };

#define CHECK_OK   0x1u
#define CHECK_LAST 0x2u

#define INIT_NAME_BYTES  32u // of a name, its NUL included
#define CHECK_TEXT_BYTES 40u // a message

static inline uint64_t init_word0(enum init_request request, uint32_t flags)
{
    return (uint64_t)request | (uint64_t)INIT_VERSION << 16 | (uint64_t)flags << 32;
}
