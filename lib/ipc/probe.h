// SPDX-License-Identifier: MIT
// The probe: a task without a stack that touches memory of the space it runs in on behalf of whoever
// spawned it, so that the real MMU answers. It calls its SLOT_PARENT with what it has done, gets the
// next command as the reply, carries it out byte by byte from the lowest address, and calls again. A
// fault ends it like any task; what it did before stays done.
//
// Its code is one r-x page at the same higher-half address in every space (PROBE_4LEVEL or _5LEVEL in
// arch/layout.h), assembled in servers/vmm/probe.S; all it knows is in registers.
#pragma once

// The call:  words 0..2: what the last command read, else zero.
// The reply: word 0: command, word 1: address, word 2: how many bytes, words 3..5: bytes to write.
enum probe_command {
    PROBE_READ,  // at most PROBE_BYTES
    PROBE_WRITE, // at most PROBE_BYTES
    PROBE_EXEC,  // calls the address
    PROBE_END,   // exits
};

#define PROBE_BYTES 24u // that one command moves
