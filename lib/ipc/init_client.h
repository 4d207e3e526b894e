// SPDX-License-Identifier: MIT
// The test library of scenario tasks: what a task asks of init, its parent.
#pragma once

#include "ipc/ipc.h"

// Moves the capability that the manifest gives this task under `name` into the empty slot `into`.
// The first get() also waits until init has started every task. A second one for a name answers
// E_NOENT. Errors: E_NOENT, E_INVAL (the name is too long), and the kernel's (E_OCCUPIED, ...).
must_check status_t get(const char *name, slot_t into);

// Reports one test result: "ok 7 - TASK: text". Answers `ok`, so that a task can stop where the
// next step makes no sense. Texts up to 120 characters; longer ones are cut.
bool check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

// check() that a call answered `wanted`; what it answered instead is told in a diagnostic line.
bool check_status(status_t status, status_t wanted, const char *text);
