// SPDX-License-Identifier: MIT
// Serial input for the holder of the console capability.
#pragma once

#include "kernel/task.h"

// System call CONSOLE_READ.
status_t console_read(struct task *t);

// Input arrived: takes it in and notifies who asked for it.
void console_interrupt(void);
