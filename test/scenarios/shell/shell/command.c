// SPDX-License-Identifier: MIT
#include "test/scenarios/shell/shell/command.h"

#include "ipc/rt.h"

static command_t do_help, do_quit;

static const struct command commands[] = {
    {"create", "n?qv", "NAME [quota FRAMES]",
     "a new, empty space; with a quota it has an account of its own", do_create},
    {"clone", "snm?qv", "SRC NAME cow|copy [quota FRAMES]",
     "a space with the same pages: copied when someone writes, or now", do_clone},
    {"drop", "s", "NAME", "gives a capability up; a space goes with its last one", do_drop},
    {"map", "svvp?lz", "NAME VA PAGES PROT [lazy|now] [4K|2M|1G]",
     "zeroed pages: with the first touch (as if you said lazy), or now", do_map},
    {"unmap", "svv", "NAME VA PAGES", "takes away whatever of the range is mapped", do_unmap},
    {"protect", "svvp", "NAME VA PAGES PROT",
     "changes the protection of whatever of the range is mapped", do_protect},
    {"share", "svvsvp", "SRC VA PAGES DST VA2 PROT", "the same frames in both places", do_share},
    {"move", "svvsvp", "SRC VA PAGES DST VA2 PROT", "takes the frames from here to there", do_move},
    {"derive", "svvpn", "SRC VA PAGES PROT NAME",
     "a capability to a window of SRC for nothing beyond PROT", do_derive},
    {"revoke", "s", "NAME", "takes NAME and all derived from it back, and unmaps what came through",
     do_revoke},
    {"snapshot", "sn", "NAME SNAP", "what NAME is now, to compare with or to go back to",
     do_snapshot},
    {"diff", "ss", "NAME SNAP", "the pages whose frame or protection differs", do_diff},
    {"rollback", "ss", "NAME SNAP", "NAME becomes what SNAP is", do_rollback},
    {"write", "svh", "NAME VA HEXBYTES",
     "a task in the space writes the bytes, lowest address first", do_write},
    {"read", "svc", "NAME VA LENGTH", "a task in the space reads 1 to 4096 bytes", do_read},
    {"exec", "sv", "NAME VA", "a task in the space calls the address", do_exec},
    {"query", "sv", "NAME VA", "what is mapped at the address", do_query},
    {"maps", "s", "NAME", "what is mapped where", do_maps},
    {"explain", "sva", "NAME VA r|w|x",
     "why an access there is allowed or refused: levels, grants, who pays", do_explain},
    {"stats", "?s", "[NAME]", "pages and tables of a space, and who pays; or the machine's frames",
     do_stats},
    {"list", "", "", "the names and what they stand for", do_list},
    {"audit", "", "", "proves that every frame is accounted for", do_audit},
    {"help", "?w", "[COMMAND]", "the commands, or what one does", do_help},
    {"quit", "", "", "ends the machine", do_quit},
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static const struct command *find_command(const char *word)
{
    for (unsigned i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].word, word) == 0)
            return &commands[i];
    }
    return NULL;
}

static status_t do_help(struct shell *shell, const struct arguments *arguments)
{
    (void)shell;
    if (arguments->n == 0) {
        for (unsigned i = 0; i < N_COMMANDS; i++)
            answer("%s%s%s", commands[i].word, commands[i].usage[0] ? " " : "", commands[i].usage);
        return OK;
    }
    const struct command *command = find_command(arguments->at[0].word);
    if (command == NULL)
        return E_USAGE;
    answer("%s%s%s: %s", command->word, command->usage[0] ? " " : "", command->usage,
           command->help);
    return OK;
}

static status_t do_quit(struct shell *shell, const struct arguments *arguments)
{
    (void)arguments;
    shell->is_over = true;
    return OK;
}

// A problem with the words of a command. `text` and, in quotes, `word` say what; both may be missing.
static void refuse(const char *text, const char *word)
{
    if (text == NULL)
        answer("error: E_USAGE");
    else if (word == NULL)
        answer("error: E_USAGE %s", text);
    else
        answer("error: E_USAGE %s: \"%s\"", text, word);
}

void command_refuse(const char *why)
{
    refuse(why, NULL);
}

static void refuse_match(const struct command *command, enum match match, const char *word)
{
    if (match == MATCH_NUMBER)
        refuse("not a number", word);
    else if (match == MATCH_NAME)
        refuse("not a name", word);
    else if (match == MATCH_PROT)
        refuse(NULL, NULL);
    else
        answer("error: E_USAGE %s %s", command->word, command->usage);
}

// Names that must exist first, then those that must not.
static status_t look_up(struct shell *shell, struct arguments *arguments)
{
    status_t status = OK;
    for (unsigned i = 0; i < arguments->n; i++) {
        struct argument *argument = &arguments->at[i];
        if (argument->letter == 's' || argument->letter == 'n')
            argument->name = name_find(&shell->names, argument->word);
        if (argument->letter == 's' && argument->name == NULL)
            return E_NOENT;
        if (argument->letter == 'n' && argument->name != NULL)
            status = E_EXISTS;
    }
    return status;
}

static void run(struct shell *shell, const struct command *command, const struct words *words)
{
    struct arguments arguments;
    const char *word = NULL;
    enum match match = pattern_match(command->pattern, words, &arguments, &word);
    if (match != MATCH_OK) {
        refuse_match(command, match, word);
        return;
    }
    status_t status = look_up(shell, &arguments);
    if (status == OK)
        status = command->run(shell, &arguments);
    if (status != OK)
        answer("error: %s", status_name(status));
    else if (!shell->is_over)
        answer("ok");
}

void command_do(struct shell *shell, char *line)
{
    struct words words;
    if (!words_split(line, &words)) {
        refuse("too many words", NULL);
        return;
    }
    const struct command *command = find_command(words.at[0]);
    if (command == NULL)
        refuse("no such command", words.at[0]);
    else
        run(shell, command, &words);
}
