// SPDX-License-Identifier: MIT
#include "land.h"
#include "rows.h"

#define HELD   LAND(64)
#define FRAMES (32768 + 1024) // what the largest point of the series needs, and its tables

void row_print(const struct row *row, uint64_t median, uint64_t least)
{
    log_format("# bench: %s %lu %lu %u %lu %lu %lu\n", row->name, median, least, row->n, row->per,
               row->zeroed, row->copied);
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (get("echo", ECHO) != OK || get("taker", TAKER) != OK || get("giver", GIVER) != OK ||
        get("bell", BELL) != OK || get("turn", TURN) != OK || get("self", SELF) != OK)
        return 1;
    calibrate();
    check_status(message_rows(), OK, "messages");
    check_status(notify_rows(), OK, "notifications and yields");
    check_status(page_rows(), OK, "pages one by one");
    check_status(clone_rows(), OK, "clones");
    check_status(write_rows(), OK, "writes to copies");
    check_status(task_rows(), OK, "tasks");
    check_status(pager_rows(), OK, "faults that a task serves");
    check_status(revoke_rows(), OK, "capabilities revoked");
    check_status(scatter_memory(HELD, FRAMES), OK, "no two free frames are neighbours");
    check_status(bulk_rows(), OK, "pages by the thousand");
    check_status(bulk_clone_rows(), OK, "pages by the thousand under a clone");
    check_status(series_rows(), OK, "costs against the number of pages");
    check_status(gather_memory(HELD), OK, "the memory is back");
    return 0;
}
