// SPDX-License-Identifier: MIT
// Catches what init would write to the serial port.
#pragma once

#include <stddef.h>

extern char serial_text[8192];

void serial_clear(void);
