// SPDX-License-Identifier: MIT
// What the loader says on the serial line: one line on success, or one on failure.
#pragma once

#include "ipc/status.h"

// Prints one line, "boot: " and the text, formatted as ipc/format.h says; cut at 200 bytes.
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Unless `status` is OK: prints "boot: error: WHAT: text (E_NAME)" and ends the machine.
void report_require(status_t status, const char *what);
