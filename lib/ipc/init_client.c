// SPDX-License-Identifier: MIT
#include "ipc/init_client.h"

#include <stdarg.h>

#include "ipc/format.h"
#include "ipc/init_protocol.h"
#include "ipc/rt.h"

#define TEXT_BYTES (3 * CHECK_TEXT_BYTES + 1)

status_t get(const char *name, slot_t into)
{
    size_t len = strlen(name);
    if (len >= INIT_NAME_BYTES)
        return E_INVAL;
    struct message m = {{init_word0(INIT_GET, 0)}};
    memcpy(&m.w[1], name, len);
    struct result result = ipc_call(SLOT_PARENT, 0, into, &m);
    return result.status != OK ? result.status : (status_t)m.w[0];
}

static void send_text(const char *text, bool ok)
{
    size_t left = strlen(text);
    uint32_t flags;
    do {
        size_t len = left < CHECK_TEXT_BYTES ? left : CHECK_TEXT_BYTES;
        flags = (ok ? CHECK_OK : 0) | (len == left ? CHECK_LAST : 0);
        struct message m = {{init_word0(INIT_CHECK, flags)}};
        memcpy(&m.w[1], text, len);
        if (ipc_call(SLOT_PARENT, 0, 0, &m).status != OK)
            ipc_exit(1); // a result that nobody hears of must not look like success
        text += len;
        left -= len;
    } while (!(flags & CHECK_LAST));
}

bool check(bool ok, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    format_text(text, sizeof text, format, arguments);
    va_end(arguments);
    send_text(text, ok);
    return ok;
}

bool check_status(status_t status, status_t wanted, const char *text)
{
    if (status != wanted)
        log_format("# wanted %s, got %s: %s\n", status_name(wanted), status_name(status), text);
    send_text(text, status == wanted);
    return status == wanted;
}
