// SPDX-License-Identifier: MIT
#include "boot/report.h"

#include <stdarg.h>

#include "arch/power.h"
#include "arch/uart.h"
#include "ipc/format.h"

#define LINE_BYTES 200u

void report(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    size_t len = format_text(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (len >= sizeof(line))
        len = sizeof(line) - 1;
    uart_write("boot: ", 6);
    uart_write(line, len);
    uart_write("\n", 1);
}

void report_require(status_t status, const char *what)
{
    if (status == OK)
        return;
    report("error: %s: %s (%s)", what, status_text(status), status_name(status));
    power_off(POWER_FAILURE);
}
