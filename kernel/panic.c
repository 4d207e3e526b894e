// SPDX-License-Identifier: MIT
#include "kernel/panic.h"

#include "ipc/format.h"
#include "kernel/arch.h"
#include "kernel/log.h"

#include <stdarg.h>

#define PANIC_CODE 0x11u

void panic(const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    size_t len = format_text(line, sizeof(line), format, args);
    if (len >= sizeof(line))
        len = sizeof(line) - 1;
    va_end(args);
    log_flush();
    arch_console_write("\nPANIC: ", 8);
    arch_console_write(line, len);
    arch_console_write("\n", 1);
    arch_power_off(PANIC_CODE);
}
