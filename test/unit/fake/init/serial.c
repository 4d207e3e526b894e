// SPDX-License-Identifier: MIT
#include "test/unit/fake/init/serial.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ipc/format.h"
#include "ipc/ipc.h"

char serial_text[8192];

void serial_clear(void)
{
    serial_text[0] = '\0';
}

void log_text(const char *text)
{
    size_t used = strlen(serial_text);
    snprintf(serial_text + used, sizeof serial_text - used, "%s", text);
}

void log_format(const char *format, ...)
{
    char line[201];
    va_list arguments;
    va_start(arguments, format);
    format_text(line, sizeof line, format, arguments);
    va_end(arguments);
    log_text(line);
}
