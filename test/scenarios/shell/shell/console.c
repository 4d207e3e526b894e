// SPDX-License-Identifier: MIT
#include "test/scenarios/shell/shell/console.h"

#include "ipc/init_client.h"
#include "ipc/rt.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/shell.h"

#define BELL_BADGE 1u

// What was read and not used yet.
static struct {
    unsigned begin, end;
    char bytes[LOG_BYTES];
} input;

status_t console_open(void)
{
    status_t status = get("console", SLOT_INPUT);
    if (status == OK)
        status = vmm_endpoint(SLOT_SELF, SLOT_KEYS);
    if (status == OK)
        status = vmm_portal(SLOT_SELF, SLOT_KEYS, BELL_BADGE, SLOT_ALL, SLOT_BELL);
    return status;
}

// Reads what is there, if need be after a wait for it.
static status_t fill(void)
{
    for (;;) {
        uint64_t word;
        struct message m = {{SLOT_BELL}};
        struct result r = sys_invoke(sys_header(SYS_CONSOLE_READ, SLOT_INPUT, 0, 0, 0, 0), &m);
        if (r.status != OK)
            return r.status;
        if (r.badge > 0) {
            memcpy(input.bytes, m.w, sizeof input.bytes);
            input.begin = 0;
            input.end = (unsigned)r.badge;
            return OK;
        }
        status_t status = ipc_wait(SLOT_KEYS, &word);
        if (status != OK)
            return status;
    }
}

status_t console_line(struct line *line)
{
    line_begin(line);
    for (;;) {
        while (input.begin < input.end) {
            if (line_add(line, input.bytes[input.begin++]))
                return OK;
        }
        status_t status = fill();
        if (status != OK)
            return status;
    }
}
