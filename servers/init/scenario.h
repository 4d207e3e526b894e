// SPDX-License-Identifier: MIT
// A scenario that runs: what the manifest says, what each task has reported, and the stream that
// both end in.
#pragma once

#include "servers/init/manifest.h"
#include "servers/init/report.h"

#define TASK_TEXT_BYTES (3 * CHECK_TEXT_BYTES)

struct task_state {
    bool is_over;
    bool line_ok;      // no piece of the line that is being received said otherwise
    unsigned reported; // complete results, those beyond the plan included
    unsigned line_len;
    char line[TASK_TEXT_BYTES + 1];
};

struct scenario {
    struct manifest manifest;
    struct task_state states[MANIFEST_TASKS_MAX];
    struct report report;
};

// Creates everything that the manifest names and starts its tasks, in its order. What fails is said
// in one line on serial.
must_check status_t scenario_start(struct scenario *scenario);

// Serves the tasks until all have ended; the last may need to be killed, if the manifest says that
// they run in the background. E_STATE and others: our own endpoint does not work.
must_check status_t scenario_serve(struct scenario *scenario);

// Drops every capability that is left.
void scenario_drop(const struct scenario *scenario);
