// SPDX-License-Identifier: MIT
// The shell: reads commands from the serial line and carries them out, one line each. The lines
// between READY and END on the serial port are its answers; others may be in between that begin with
// the name of who speaks and a colon ("vmm: ...").
#include "arch/layout.h"
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/command.h"
#include "test/scenarios/shell/shell/console.h"

#define READY "shell: ready"
#define END   "shell: end"

static struct shell shell = {.names.first_slot = SLOT_NAMES};
static struct line line;

// Only the VMM knows how deep the tables are.
static vaddr_t find_user_end(void)
{
    struct vmm_page page;
    bool is_wide = vmm_query(SLOT_SELF, USER_END_5LEVEL - PAGE_SIZE, &page) == OK;
    return is_wide ? USER_END_5LEVEL : USER_END_4LEVEL;
}

// A task has 64 slots until it asks for more.
static status_t get_slots(void)
{
    status_t status = get("shell", SLOT_TASK);
    for (unsigned n = 64; status == OK && n < SLOTS_END; n += 250)
        status = vmm_task_slots(SLOT_TASK);
    return status;
}

static status_t open_shell(void)
{
    shell.user_end = find_user_end();
    status_t status = get_slots();
    if (status == OK)
        status = get("account", SLOT_ACCOUNT);
    if (status == OK)
        status = vmm_endpoint(SLOT_SELF, SLOT_PROBES);
    if (status == OK)
        status = console_open();
    return status;
}

static void serve_line(void)
{
    if (!line_is_command(&line))
        return;
    if (line.is_long)
        command_refuse("the line is too long");
    else if (line.has_garbage)
        command_refuse("bytes that are not text");
    else
        command_do(&shell, line.text);
}

// Until `quit`.
static status_t serve(void)
{
    status_t status = OK;
    log_text(READY "\n");
    while (status == OK && !shell.is_over) {
        status = console_line(&line);
        if (status == OK)
            serve_line();
    }
    return status;
}

static void drop_everything(void)
{
    for (unsigned i = 0; i < NAMES_MAX; i++) {
        if (shell.names.at[i].kind != NAME_FREE)
            space_drop_name(&shell, &shell.names.at[i]);
    }
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    status_t status = open_shell();
    if (status == OK)
        status = serve();
    if (status != OK)
        log_format("shell: cannot go on: %s, %s\n", status_name(status), status_text(status));
    drop_everything();
    log_text(END "\n");
    return status != OK;
}
