// SPDX-License-Identifier: MIT
#include <stdarg.h>

#include "ipc/format.h"
#include "ipc/vmm_protocol.h"
#include "test/scenarios/shell/shell/shell.h"

#define ANSWER_BYTES 201u // as the kernel prints a line in one piece, and a NUL
#define HEX_BYTES    64u  // in one line

void answer(const char *format, ...)
{
    char line[ANSWER_BYTES];
    va_list arguments;
    va_start(arguments, format);
    format_text(line, sizeof line, format, arguments);
    va_end(arguments);
    log_text(line);
    log_text("\n");
}

static void hex_line(const uint8_t *bytes, size_t n, bool goes_on)
{
    char line[2 * HEX_BYTES + 1];
    for (size_t i = 0; i < n; i++) {
        line[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        line[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    line[2 * n] = '\0';
    answer(goes_on ? "%s\\" : "%s", line);
}

void answer_hex(const uint8_t *bytes, size_t n)
{
    for (; n > HEX_BYTES; bytes += HEX_BYTES, n -= HEX_BYTES)
        hex_line(bytes, HEX_BYTES, true);
    hex_line(bytes, n, false);
}

const char *prot_text(uint32_t prot)
{
    static const char *const texts[] = {
        [0] = "---",
        [PROT_R] = "r--",
        [PROT_R | PROT_W] = "rw-",
        [PROT_R | PROT_X] = "r-x",
        [PROT_R | PROT_W | PROT_X] = "rwx",
    };
    return prot < sizeof texts / sizeof texts[0] && texts[prot] != NULL ? texts[prot] : "???";
}
