// SPDX-License-Identifier: MIT
// The manifest: a small text that says which tasks a scenario has and which capabilities they get.
// Parsing is pure: no I/O, no allocation, and nothing is believed about the bytes.
//
// A line is one entry; `#` at the start of a word begins a comment; empty lines count for nothing.
// Fields are KEY=VALUE in any order, each at most once; [..] may be left out. Numbers are decimal
// or 0x hex. Names are a lower-case letter, then lower-case letters, digits, '-' and '_'; what an
// entry refers to must stand above it.
//
//   task NAME [elf=MODULE] [tests=N] [priority=P] [quota=FRAMES] [most=P] [argument=N]
//             [expect=exit|fault] [background]
//       A program in a space of its own. MODULE is NAME if left out. It reports N checks (default
//       0) and ends by itself: exit(0), or a fault if it says so. With `background` it may run for
//       ever: it is killed when all others have ended. With a quota its space has an account, and
//       `most` is the highest priority that tasks may get there.
//   space NAME [quota=FRAMES]
//       An empty address space.
//   endpoint NAME
//       Where one task will receive.
//   give TASK space SPACE as NAME [rights=RIGHT,...] [start=VA pages=N]
//       A capability to the space or a window of it. RIGHTs: read write execute map clone derive
//       spawn create destroy share query; all of them if left out.
//   give TASK endpoint ENDPOINT as NAME
//       The right to receive on it. One task has it, no more and no fewer.
//   give TASK portal ENDPOINT as NAME [badge=N] [flags=FLAG,...]
//       A way to call it. FLAGs: call notify copy move; all of them if left out.
//   give TASK task TASK2 as NAME
//       A capability to a task: to wait for it, to kill it.
//   give TASK devices as NAME start=ADDRESS pages=N [rights=RIGHT,...]
//       A window of device memory: what lies there is at its own address. RIGHTs: read write share
//       query derive; all of them if left out.
//   give TASK console as NAME
//       The serial line's input.
//   give TASK account as NAME [rights=RIGHT,...]
//       A capability that draws on init's account, which is all memory that no quota has set aside.
//       RIGHTs: create query audit power; create and query if left out.
//
// A task fetches what it was given with get(NAME) (ipc/init_client.h).
#pragma once

#include "ipc/init_protocol.h"
#include "ipc/status.h"
#include "ipc/vmm_protocol.h"

#define MANIFEST_TASKS_MAX     24u
#define MANIFEST_SPACES_MAX    8u
#define MANIFEST_ENDPOINTS_MAX 8u
#define MANIFEST_GIVES_MAX     40u
#define MANIFEST_TESTS_MAX     1000u // that one task may declare
#define MANIFEST_LINE_MAX      120u  // characters

typedef char manifest_name_t[INIT_NAME_BYTES];

struct manifest_task {
    manifest_name_t name;
    manifest_name_t elf;
    uint64_t tests;
    uint64_t priority;
    uint64_t most;  // highest priority of all tasks on its quota; 0: any
    uint64_t quota; // 0: it draws on init's account
    uint64_t argument;
    enum exit_kind expect; // EXIT_KILLED if `background`
};

struct manifest_space {
    manifest_name_t name;
    uint64_t quota;
};

struct manifest_endpoint {
    manifest_name_t name;
};

enum give_kind {
    GIVE_SPACE,
    GIVE_ENDPOINT,
    GIVE_PORTAL,
    GIVE_TASK,
    GIVE_CONSOLE,
    GIVE_ACCOUNT,
    GIVE_DEVICES
};

struct manifest_give {
    manifest_name_t name; // that the task asks for
    enum give_kind kind;
    unsigned task;   // who gets it
    unsigned object; // index of the space, endpoint or task
    uint64_t rights; // GIVE_SPACE, GIVE_ACCOUNT, GIVE_DEVICES: RIGHT_*
    uint64_t start;  // GIVE_SPACE, GIVE_DEVICES: the window
    uint64_t pages;  // 0: all of the space
    uint64_t badge;  // GIVE_PORTAL
    uint64_t flags;  // GIVE_PORTAL: SLOT_*
};

struct manifest {
    unsigned n_tasks; // at least 1
    unsigned n_spaces;
    unsigned n_endpoints;
    unsigned n_gives;
    struct manifest_task tasks[MANIFEST_TASKS_MAX];
    struct manifest_space spaces[MANIFEST_SPACES_MAX];
    struct manifest_endpoint endpoints[MANIFEST_ENDPOINTS_MAX];
    struct manifest_give gives[MANIFEST_GIVES_MAX];
};

struct manifest_error {
    unsigned line;         // from 1
    const char *what;      // a static text
    manifest_name_t where; // the word it is about, cut and printable; may be empty
};

// Parses the `len` bytes of `text`. E_FORMAT: *error says what is wrong with which line, and
// *manifest holds nothing of use.
must_check status_t manifest_parse(const char *text, uint64_t len, struct manifest *manifest,
                                   struct manifest_error *error);
