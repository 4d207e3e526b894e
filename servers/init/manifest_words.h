// SPDX-License-Identifier: MIT
// The words of a manifest line: numbers, names, lists of flags, and KEY=VALUE fields by table.
#pragma once

#include "servers/init/manifest.h"

#define LINE_WORDS_MAX 16u

struct line {
    char text[MANIFEST_LINE_MAX + 1]; // a copy in which the words end with a NUL
    char *words[LINE_WORDS_MAX];
    unsigned n_words;
};

// A problem with a word; `what` is NULL if there is none.
struct complaint {
    const char *what;
    const char *word;
};

static inline struct complaint fine(void)
{
    return (struct complaint){0};
}

static inline struct complaint wrong(const char *what, const char *word)
{
    return (struct complaint){what, word};
}

enum field_type { FIELD_NUMBER, FIELD_NAME, FIELD_FLAGS, FIELD_CHOICE, FIELD_MARK };

struct flag_word {
    const char *word;
    uint64_t value;
};

// What may stand behind the fixed words of an entry.
struct field {
    const char *key;
    enum field_type type;
    void *target;                  // uint64_t, or a manifest_name_t for FIELD_NAME
    uint64_t min, max;             // FIELD_NUMBER
    const struct flag_word *words; // FIELD_FLAGS, FIELD_CHOICE; ends with a NULL word
    uint64_t value;                // FIELD_MARK: what the bare word means
};

// Splits one line (without its '\n') at blanks, up to a comment.
struct complaint words_split(const char *text, size_t len, struct line *line);

// Copies a name that obeys the rules.
struct complaint words_name(const char *word, char *name);

// Writes the value of one of field->words to field->target.
struct complaint words_choice(const char *word, const struct field *field);

// Reads the words from `first` on by the table; what is not mentioned is left as it is.
struct complaint words_fields(const struct line *line, unsigned first, const struct field *fields,
                              unsigned n_fields);
