// SPDX-License-Identifier: MIT
// Touching memory of any space with the real MMU: each touch is a task that runs in the space, makes
// one access and ends; how it ended says what the access met.
#pragma once

#define TOUCH_EXIT_HEADER 0x0600000000000000 // for the assembler: sys_header(SYS_EXIT, ...)

#ifndef __ASSEMBLER__
#include "ipc/vmm_client.h"

enum touch_kind {
    TOUCH_READ,    // exits with the word
    TOUCH_WRITE,   // stores the word
    TOUCH_EXECUTE, // calls the address
    TOUCH_AWAIT,   // reads until the word is there
    TOUCH_COUNT,   // adds 1 to the word, again and again, until it is killed
};

#define TOUCH_SLOT 63u    // which must be empty
#define TOUCH_RET  0xc3ul // a word that can be called

#define VECTOR_PROTECTION 13u
#define VECTOR_PAGE       14u

// Bits of a page fault's error code (SDM 3A, 4.7).
#define FAULT_PRESENT 0x01u
#define FAULT_WRITE   0x02u
#define FAULT_USER    0x04u
#define FAULT_FETCH   0x10u

// Shares the page with the code of touches into `space`, at its own address. The task's own space
// and its clones have it anyway.
must_check status_t touch_prepare(slot_t space);

// Where the code of a touch begins; it has less than 16 bytes.
vaddr_t touch_code(enum touch_kind kind);

// Starts a touch; its task capability lands in `into`. If there is no memory for the page it waits
// for some, as tasks do.
must_check status_t touch_start(slot_t space, enum touch_kind kind, vaddr_t va, uint64_t word,
                                slot_t into);

// Touches and tells how it ended. If there is no memory for the page, that is its end.
must_check status_t touch(slot_t space, enum touch_kind kind, vaddr_t va, uint64_t word,
                          struct vmm_exit *end);

// Whether the access is allowed and, of a read, whether it finds `word`. What happened instead is
// told in a diagnostic line.
bool touch_reads(slot_t space, vaddr_t va, uint64_t word);
bool touch_writes(slot_t space, vaddr_t va, uint64_t word);
bool touch_executes(slot_t space, vaddr_t va);

// Whether the access ends in a page fault (F1): its address, instruction and error code say so.
bool touch_faults(slot_t space, enum touch_kind kind, vaddr_t va);
#endif
