// SPDX-License-Identifier: MIT
#include "servers/init/manifest.h"

#include "ipc/rt.h"
#include "ipc/syscalls.h"
#include "servers/init/manifest_words.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct flag_word right_words[] = {
    {"read", RIGHT_READ},   {"write", RIGHT_WRITE},   {"execute", RIGHT_EXECUTE},
    {"map", RIGHT_MAP},     {"clone", RIGHT_CLONE},   {"derive", RIGHT_DERIVE},
    {"spawn", RIGHT_SPAWN}, {"create", RIGHT_CREATE}, {"destroy", RIGHT_DESTROY},
    {"share", RIGHT_SHARE}, {"query", RIGHT_QUERY},   {NULL, 0},
};

static const struct flag_word account_words[] = {
    {"create", RIGHT_CREATE},
    {"query", RIGHT_QUERY},
    {"audit", RIGHT_AUDIT},
    {"power", RIGHT_POWER},
    {NULL, 0},
};

#define RIGHTS_DEVICES (RIGHT_READ | RIGHT_WRITE | RIGHT_SHARE | RIGHT_QUERY | RIGHT_DERIVE)

static const struct flag_word device_words[] = {
    {"read", RIGHT_READ},   {"write", RIGHT_WRITE},   {"share", RIGHT_SHARE},
    {"query", RIGHT_QUERY}, {"derive", RIGHT_DERIVE}, {NULL, 0},
};

static const struct flag_word portal_words[] = {
    {"call", SLOT_CALL}, {"notify", SLOT_NOTIFY}, {"copy", SLOT_COPY}, {"move", SLOT_MOVE},
    {NULL, 0},
};

static const struct flag_word expect_words[] = {
    {"exit", EXIT_NORMAL},
    {"fault", EXIT_FAULT},
    {NULL, 0},
};

static const struct flag_word kind_words[] = {
    {"space", GIVE_SPACE},     {"endpoint", GIVE_ENDPOINT},
    {"portal", GIVE_PORTAL},   {"task", GIVE_TASK},
    {"console", GIVE_CONSOLE}, {"account", GIVE_ACCOUNT},
    {"devices", GIVE_DEVICES}, {NULL, 0},
};

// Every entry begins with its name, so one search does for all of them.
static bool find(const void *entries, size_t size, unsigned count, const char *name,
                 unsigned *index)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp((const char *)entries + i * size, name) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

_Static_assert(offsetof(struct manifest_task, name) == 0, "find()");
_Static_assert(offsetof(struct manifest_space, name) == 0, "find()");
_Static_assert(offsetof(struct manifest_endpoint, name) == 0, "find()");

// The name of a new entry: word 1 of its line, unlike all those that are there.
static struct complaint new_name(const struct line *line, const void *entries, size_t size,
                                 unsigned count, unsigned max, char *name)
{
    unsigned index;
    if (line->n_words < 2)
        return wrong("a name is missing behind", line->words[0]);
    if (find(entries, size, count, line->words[1], &index))
        return wrong("the name is taken", line->words[1]);
    if (count == max)
        return wrong("too many entries of this kind", line->words[0]);
    return words_name(line->words[1], name);
}

static struct complaint parse_task(struct manifest *m, const struct line *line)
{
    struct manifest_task task = {.priority = PRIORITY_DEFAULT};
    uint64_t expect = EXIT_NORMAL;
    uint64_t is_background = 0;
    const struct field fields[] = {
        {.key = "elf", .type = FIELD_NAME, .target = task.elf},
        {.key = "tests", .type = FIELD_NUMBER, .target = &task.tests, .max = MANIFEST_TESTS_MAX},
        {.key = "priority", .type = FIELD_NUMBER, .target = &task.priority, .max = PRIORITIES - 2},
        {.key = "most", .type = FIELD_NUMBER, .target = &task.most, .max = PRIORITIES - 2},
        {.key = "quota", .type = FIELD_NUMBER, .target = &task.quota, .min = 1, .max = UINT32_MAX},
        {.key = "argument", .type = FIELD_NUMBER, .target = &task.argument, .max = UINT64_MAX},
        {.key = "expect", .type = FIELD_CHOICE, .target = &expect, .words = expect_words},
        {.key = "background", .type = FIELD_MARK, .target = &is_background, .value = 1},
    };
    struct complaint complaint =
        new_name(line, m->tasks, sizeof m->tasks[0], m->n_tasks, MANIFEST_TASKS_MAX, task.name);
    if (complaint.what == NULL)
        complaint = words_fields(line, 2, fields, COUNT(fields));
    if (complaint.what != NULL)
        return complaint;
    if (is_background && expect != EXIT_NORMAL)
        return wrong("a task in the background is not expected to fault", line->words[1]);
    if (task.most != 0 && (task.quota == 0 || task.most < task.priority))
        return wrong("most needs a quota, and is at least the priority", line->words[1]);
    if (task.elf[0] == '\0')
        memcpy(task.elf, task.name, sizeof task.elf);
    task.expect = is_background ? EXIT_KILLED : (enum exit_kind)expect;
    m->tasks[m->n_tasks++] = task;
    return fine();
}

static struct complaint parse_space(struct manifest *m, const struct line *line)
{
    struct manifest_space space = {0};
    const struct field fields[] = {
        {.key = "quota", .type = FIELD_NUMBER, .target = &space.quota, .min = 1, .max = UINT32_MAX},
    };
    struct complaint complaint = new_name(line, m->spaces, sizeof m->spaces[0], m->n_spaces,
                                          MANIFEST_SPACES_MAX, space.name);
    if (complaint.what == NULL)
        complaint = words_fields(line, 2, fields, COUNT(fields));
    if (complaint.what == NULL)
        m->spaces[m->n_spaces++] = space;
    return complaint;
}

static struct complaint parse_endpoint(struct manifest *m, const struct line *line)
{
    struct manifest_endpoint endpoint = {0};
    struct complaint complaint = new_name(line, m->endpoints, sizeof m->endpoints[0],
                                          m->n_endpoints, MANIFEST_ENDPOINTS_MAX, endpoint.name);
    if (complaint.what == NULL)
        complaint = words_fields(line, 2, NULL, 0);
    if (complaint.what == NULL)
        m->endpoints[m->n_endpoints++] = endpoint;
    return complaint;
}

static bool find_object(const struct manifest *m, enum give_kind kind, const char *name,
                        unsigned *index)
{
    switch (kind) {
    case GIVE_SPACE:
        return find(m->spaces, sizeof m->spaces[0], m->n_spaces, name, index);
    case GIVE_TASK:
        return find(m->tasks, sizeof m->tasks[0], m->n_tasks, name, index);
    default:
        return find(m->endpoints, sizeof m->endpoints[0], m->n_endpoints, name, index);
    }
}

// The right to receive is moved, so it can be given away once.
static bool is_given_away(const struct manifest *m, const struct manifest_give *give)
{
    for (unsigned i = 0; i < m->n_gives; i++) {
        if (m->gives[i].kind == GIVE_ENDPOINT && m->gives[i].object == give->object)
            return give->kind == GIVE_ENDPOINT;
    }
    return false;
}

static bool has_given(const struct manifest *m, unsigned task, const char *name)
{
    for (unsigned i = 0; i < m->n_gives; i++) {
        if (m->gives[i].task == task && strcmp(m->gives[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool is_only_one(const char *kind)
{
    return strcmp(kind, "console") == 0 || strcmp(kind, "account") == 0 ||
           strcmp(kind, "devices") == 0;
}

// The fixed words: give TASK KIND OBJECT as NAME, without OBJECT where there is only one. Answers
// behind how many of them the fields begin.
static struct complaint parse_give_head(const struct manifest *m, const struct line *line,
                                        struct manifest_give *give, unsigned *n_fixed)
{
    char *const *words = line->words;
    uint64_t kind;
    const struct field field = {.target = &kind, .words = kind_words};
    bool has_object = line->n_words > 2 && !is_only_one(words[2]);
    unsigned as = has_object ? 4 : 3;
    if (line->n_words < as + 2 || strcmp(words[as], "as") != 0)
        return wrong("wanted: give TASK KIND OBJECT as NAME", "");
    if (!find(m->tasks, sizeof m->tasks[0], m->n_tasks, words[1], &give->task))
        return wrong("no such task above", words[1]);
    struct complaint complaint = words_choice(words[2], &field);
    if (complaint.what != NULL)
        return complaint;
    give->kind = (enum give_kind)kind;
    if (has_object && !find_object(m, give->kind, words[3], &give->object))
        return wrong("no such name above", words[3]);
    if (is_given_away(m, give))
        return wrong("the endpoint is given away already", words[3]);
    if (has_given(m, give->task, words[as + 1]))
        return wrong("the name is taken", words[as + 1]);
    *n_fixed = as + 2;
    return words_name(words[as + 1], give->name);
}

static struct complaint parse_give(struct manifest *m, const struct line *line)
{
    struct manifest_give give = {.rights = RIGHTS_SPACE, .flags = SLOT_ALL};
    struct field space_fields[] = {
        {.key = "rights", .type = FIELD_FLAGS, .target = &give.rights, .words = right_words},
        {.key = "start", .type = FIELD_NUMBER, .target = &give.start, .max = UINT64_MAX},
        {.key = "pages", .type = FIELD_NUMBER, .target = &give.pages, .min = 1, .max = UINT64_MAX},
    };
    const struct field portal_fields[] = {
        {.key = "badge", .type = FIELD_NUMBER, .target = &give.badge, .max = UINT64_MAX},
        {.key = "flags", .type = FIELD_FLAGS, .target = &give.flags, .words = portal_words},
    };
    const struct field account_fields[] = {
        {.key = "rights", .type = FIELD_FLAGS, .target = &give.rights, .words = account_words},
    };
    unsigned n_fixed;
    struct complaint complaint = parse_give_head(m, line, &give, &n_fixed);
    if (complaint.what == NULL && m->n_gives == MANIFEST_GIVES_MAX)
        complaint = wrong("too many entries of this kind", line->words[0]);
    if (complaint.what != NULL)
        return complaint;
    if (give.kind == GIVE_ACCOUNT)
        give.rights = RIGHT_CREATE | RIGHT_QUERY;
    if (give.kind == GIVE_DEVICES) {
        give.rights = RIGHTS_DEVICES;
        space_fields[0].words = device_words;
    }
    if (give.kind == GIVE_SPACE || give.kind == GIVE_DEVICES)
        complaint = words_fields(line, n_fixed, space_fields, COUNT(space_fields));
    else if (give.kind == GIVE_PORTAL)
        complaint = words_fields(line, n_fixed, portal_fields, COUNT(portal_fields));
    else if (give.kind == GIVE_ACCOUNT)
        complaint = words_fields(line, n_fixed, account_fields, COUNT(account_fields));
    else
        complaint = words_fields(line, n_fixed, NULL, 0);
    if (complaint.what != NULL)
        return complaint;
    if (give.pages == 0 && give.start != 0)
        return wrong("start= needs pages=", "");
    if (give.pages == 0 && give.kind == GIVE_DEVICES)
        return wrong("devices need start= and pages=", "");
    m->gives[m->n_gives++] = give;
    return fine();
}

static struct complaint parse_line(struct manifest *m, const struct line *line)
{
    if (line->n_words == 0)
        return fine();
    const char *entry = line->words[0];
    if (strcmp(entry, "task") == 0)
        return parse_task(m, line);
    if (strcmp(entry, "space") == 0)
        return parse_space(m, line);
    if (strcmp(entry, "endpoint") == 0)
        return parse_endpoint(m, line);
    if (strcmp(entry, "give") == 0)
        return parse_give(m, line);
    return wrong("unknown word", entry);
}

static status_t fail(struct manifest_error *error, unsigned line, struct complaint complaint)
{
    size_t len = strlen(complaint.word);
    if (len >= sizeof error->where)
        len = sizeof error->where - 1;
    *error = (struct manifest_error){.line = line, .what = complaint.what};
    memcpy(error->where, complaint.word, len);
    return E_FORMAT;
}

// What can only be said at the end: a portal to an endpoint without a receiver would hang its callers.
static struct complaint check_whole(const struct manifest *m)
{
    if (m->n_tasks == 0)
        return wrong("there is no task", "");
    for (unsigned e = 0; e < m->n_endpoints; e++) {
        bool is_given = false;
        for (unsigned g = 0; g < m->n_gives; g++)
            is_given |= m->gives[g].kind == GIVE_ENDPOINT && m->gives[g].object == e;
        if (!is_given)
            return wrong("nobody is given the endpoint", m->endpoints[e].name);
    }
    return fine();
}

status_t manifest_parse(const char *text, uint64_t len, struct manifest *manifest,
                        struct manifest_error *error)
{
    unsigned number = 0;
    *manifest = (struct manifest){0};
    for (uint64_t at = 0; at < len;) {
        struct line line;
        uint64_t end = at;
        while (end < len && text[end] != '\n')
            end++;
        number++;
        struct complaint complaint = words_split(text + at, end - at, &line);
        if (complaint.what == NULL)
            complaint = parse_line(manifest, &line);
        if (complaint.what != NULL)
            return fail(error, number, complaint);
        at = end + 1;
    }
    struct complaint complaint = check_whole(manifest);
    return complaint.what ? fail(error, number ? number : 1, complaint) : OK;
}
