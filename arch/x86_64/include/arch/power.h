// SPDX-License-Identifier: MIT
// Ends the machine. A debug-exit device (port 0xf4) is told the code where there is one: QEMU then
// exits with 2 * code + 1. Otherwise the CPU halts for good.
#pragma once

#define POWER_SUCCESS 0x10u // QEMU's exit status 33
#define POWER_FAILURE 0x11u // QEMU's exit status 35

_Noreturn void power_off(unsigned code);
