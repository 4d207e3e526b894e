// SPDX-License-Identifier: MIT
// The one KTAP stream of a scenario: version, plan, results numbered in order.
#pragma once

#include <stdbool.h>

struct report {
    unsigned planned;
    unsigned number; // of the last result
    unsigned failed;
};

// Prints the head of the stream.
void report_begin(struct report *report, unsigned planned);

// Prints the next result, "ok 1 - WHO: text"; bytes that are not text become '?'.
void report_result(struct report *report, bool ok, const char *who, const char *text);

// Whether every planned result came and none failed.
bool report_is_success(const struct report *report);
