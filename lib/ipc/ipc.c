// SPDX-License-Identifier: MIT
#include "ipc/ipc.h"

#include <stdarg.h>

#include "ipc/format.h"
#include "ipc/rt.h"

#define LINE_BYTES 201 // a line of log_format and its NUL

status_t ipc_wait(slot_t endpoint, uint64_t *word)
{
    struct message m = {{0}};
    status_t status = sys_invoke(sys_header(SYS_WAIT, endpoint, 0, 0, 0, 0), &m).status;
    if (status == OK)
        *word = m.w[0];
    return status;
}

status_t ipc_drop(slot_t slot)
{
    status_t status;
    do {
        status = sys_signal(sys_header(SYS_DROP, slot, 0, 0, 0, 0));
    } while (status == E_MORE);
    return status;
}

void ipc_yield(void)
{
    sys_signal(sys_header(SYS_YIELD, 0, 0, 0, 0, 0));
}

void ipc_exit(uint64_t code)
{
    for (;;) {
        struct message m = {{code}};
        sys_invoke(sys_header(SYS_EXIT, 0, 0, 0, 0, 0), &m);
    }
}

static size_t chunk_length(const char *text)
{
    size_t len = 0;
    while (len < LOG_BYTES && text[len] != '\0') {
        if (text[len++] == '\n')
            break;
    }
    return len;
}

// One call takes LOG_BYTES bytes, so a line goes in pieces. A piece ends with its line, so that the
// kernel never holds the beginning of a second one.
void log_text(const char *text)
{
    while (*text != '\0') {
        size_t len = chunk_length(text);
        status_t status;
        do { // the serial line is slow: E_MORE until there is room
            struct message m = {{0}};
            memcpy(m.w, text, len);
            status = sys_invoke(sys_header(SYS_LOG, 0, 0, 0, 0, 0), &m).status;
            if (status == E_MORE)
                ipc_yield(); // others may have something better to do meanwhile
        } while (status == E_MORE);
        text += len;
    }
}

void log_format(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    size_t len = format_text(line, sizeof line, format, arguments);
    va_end(arguments);
    if (len >= sizeof line)
        line[sizeof line - 2] = '\n'; // cut, but still a line
    log_text(line);
}
