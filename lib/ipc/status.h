// SPDX-License-Identifier: MIT
// Every status that the kernel, the VMM and their clients can answer. One list, one home:
// C gets the enum and the texts from it, the Python tools read this very file.
//
// A status is 0 or negative. Where a function fails, its out-parameters are untouched.
#pragma once

#include <stdint.h>

// clang-format off
#define STATUS_LIST(X)                                                                         \
    X(OK,             0, "success")                                                            \
    X(E_USAGE,       -1, "the command's words are not understood")                             \
    X(E_NOENT,       -2, "no such name")                                                       \
    X(E_EXISTS,      -3, "the name or the mapping exists already")                             \
    X(E_INVAL,       -4, "bad argument: unaligned, empty, out of range or wrapping")           \
    X(E_WX,          -5, "writable and executable at once is refused")                         \
    X(E_RIGHT,       -6, "the capability does not carry the right or the window")              \
    X(E_QUOTA,       -7, "the account's quota is used up")                                     \
    X(E_NOMEM,       -8, "no free frame is left")                                              \
    X(E_REVOKED,     -9, "the capability was revoked")                                         \
    X(E_LIMIT,      -10, "a table or a counter is full")                                       \
    X(E_FAULT,      -11, "the address or the object is not there")                             \
    X(E_DEAD,       -12, "the other side died or dropped the reply")                           \
    X(E_MORE,       -13, "a bounded step was done and more remains: call again")               \
    X(E_SLOT,       -14, "the slot does not hold a capability of the kind asked for")          \
    X(E_OCCUPIED,   -15, "the slot named for an incoming capability is not empty")             \
    X(E_NOSLOT,     -16, "the receiver named no slot for the capability sent")                 \
    X(E_BUSY,       -17, "the object is in use")                                               \
    X(E_STATE,      -18, "the object is in a state that forbids this")                         \
    X(E_NOSYS,      -19, "no such system call or request")                                     \
    X(E_VERSION,    -20, "the protocol version is not spoken here")                            \
    X(E_FORMAT,     -21, "the file or message is malformed")                                   \
    X(E_NOPHYSMAP,  -22, "the physical memory mapping is missing")                             \
    X(E_NOREGION,   -23, "no usable memory region")                                            \
    X(E_OVERFLOW,   -24, "an address or a count overflows")
// clang-format on

#define STATUS_ENUM(name, value, text) name = (value),
enum status_code { STATUS_LIST(STATUS_ENUM) };
#undef STATUS_ENUM

typedef int32_t status_t;

#define must_check __attribute__((warn_unused_result))

// The name ("E_NOMEM") and the text of a status; "E_?" and "unknown status" for other numbers.
const char *status_name(status_t status);
const char *status_text(status_t status);
