// SPDX-License-Identifier: MIT
// Lines from the serial port.
#pragma once

#include "ipc/status.h"
#include "test/scenarios/shell/shell/line.h"

// Fetches the console from init. Errors: the VMM's and init's.
must_check status_t console_open(void);

// Waits for the next line. Errors: the kernel's, none of which is expected.
must_check status_t console_line(struct line *line);
