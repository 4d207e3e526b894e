// SPDX-License-Identifier: MIT
// Commands: a table, and what is common to all of them.
#pragma once

#include "test/scenarios/shell/shell/pattern.h"
#include "test/scenarios/shell/shell/shell.h"

// Carries the command out. What it answers comes before "ok" or "error: ..."; an error has changed
// nothing, but for bytes that an access did before it failed.
typedef status_t command_t(struct shell *shell, const struct arguments *arguments);

struct command {
    const char *word;
    const char *pattern;
    const char *usage;
    const char *help;
    command_t *run;
};

// Does what a line says, and answers, but for `quit`.
void command_do(struct shell *shell, char *line);

// The line cannot be read at all.
void command_refuse(const char *why);

// spaces.c
command_t do_create, do_clone, do_drop, do_list;
// memory.c
command_t do_map, do_unmap, do_protect, do_share, do_move;
// grants.c
command_t do_derive, do_revoke;
// snapshots.c
command_t do_snapshot, do_diff, do_rollback;
// accesses.c
command_t do_write, do_read, do_exec;
// views.c
command_t do_query, do_maps, do_stats, do_audit;
// explain.c
command_t do_explain;

// Forgets a name and gives its capabilities up.
void space_drop_name(struct shell *shell, struct name *name);
