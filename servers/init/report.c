// SPDX-License-Identifier: MIT
#include "servers/init/report.h"

#include "ipc/ipc.h"

#define TEXT_MAX 120u

void report_begin(struct report *report, unsigned planned)
{
    *report = (struct report){.planned = planned};
    log_format("KTAP version 1\n1..%u\n", planned);
}

void report_result(struct report *report, bool ok, const char *who, const char *text)
{
    char line[TEXT_MAX + 1];
    unsigned len = 0;
    for (; len < TEXT_MAX && text[len] != '\0'; len++)
        line[len] = text[len] >= ' ' && text[len] <= '~' ? text[len] : '?';
    line[len] = '\0';
    report->number++;
    report->failed += !ok;
    log_format("%s %u - %s: %s\n", ok ? "ok" : "not ok", report->number, who, line);
}

bool report_is_success(const struct report *report)
{
    return report->failed == 0 && report->number == report->planned;
}
