// SPDX-License-Identifier: MIT
#include "rows.h"

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (get("echo", ECHO) != OK || get("taker", TAKER) != OK || get("bell", BELL) != OK ||
        get("turn", TURN) != OK)
        return 1;
    calibrate();
    check_status(message_rows(), OK, "messages");
    check_status(notify_rows(), OK, "notifications and yields");
    check_status(page_rows(), OK, "pages one by one");
    check_status(clone_rows(), OK, "clones");
    check_status(write_rows(), OK, "writes to copies");
    check_status(task_rows(), OK, "tasks");
    check_status(bulk_rows(), OK, "pages by the thousand");
    check_status(bulk_clone_rows(), OK, "pages by the thousand under a clone");
    return 0;
}
