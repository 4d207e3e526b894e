// SPDX-License-Identifier: MIT
#include "servers/init/manifest_words.h"

#include "ipc/rt.h"

#define FIELDS_MAX 32u // so that one word can mark those seen

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_text(char c)
{
    return (c >= ' ' && c <= '~') || c == '\t';
}

struct complaint words_split(const char *text, size_t len, struct line *line)
{
    line->n_words = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_text(text[i]))
            return wrong("a byte that is not text", "");
    }
    if (len > MANIFEST_LINE_MAX)
        return wrong("the line is too long", "");
    memcpy(line->text, text, len);
    line->text[len] = '\0';
    for (char *at = line->text; *at != '\0';) {
        if (is_blank(*at)) {
            *at++ = '\0';
            continue;
        }
        if (*at == '#')
            break;
        if (line->n_words == LINE_WORDS_MAX)
            return wrong("too many words", at);
        line->words[line->n_words++] = at;
        while (*at != '\0' && !is_blank(*at))
            at++;
    }
    return fine();
}

struct complaint words_name(const char *word, char *name)
{
    size_t len = strlen(word);
    if (len >= INIT_NAME_BYTES)
        return wrong("the name is too long", word);
    for (size_t i = 0; i < len; i++) {
        char c = word[i];
        bool is_letter = c >= 'a' && c <= 'z';
        bool is_other = (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!is_letter && (i == 0 || !is_other))
            return wrong("not a name", word);
    }
    if (len == 0)
        return wrong("an empty name", word);
    memcpy(name, word, len + 1);
    return fine();
}

// The value of a digit in `base`, or `base` if it is none.
static unsigned digit_value(char c, unsigned base)
{
    unsigned value = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                            : base;
    return value < base ? value : base;
}

static struct complaint read_number(const char *word, const struct field *field)
{
    unsigned base = word[0] == '0' && word[1] == 'x' ? 16 : 10;
    const char *digits = base == 16 ? word + 2 : word;
    uint64_t value = 0;
    if (*digits == '\0')
        return wrong("not a number", word);
    for (; *digits != '\0'; digits++) {
        unsigned digit = digit_value(*digits, base);
        if (digit == base)
            return wrong("not a number", word);
        if (value > (UINT64_MAX - digit) / base)
            return wrong("the number is out of range", word);
        value = value * base + digit;
    }
    if (value < field->min || value > field->max)
        return wrong("the number is out of range", word);
    *(uint64_t *)field->target = value;
    return fine();
}

static const struct flag_word *find_flag(const struct flag_word *flags, const char *word)
{
    for (; flags->word != NULL; flags++) {
        if (strcmp(flags->word, word) == 0)
            return flags;
    }
    return NULL;
}

struct complaint words_choice(const char *word, const struct field *field)
{
    const struct flag_word *flag = find_flag(field->words, word);
    if (flag == NULL)
        return wrong("unknown word", word);
    *(uint64_t *)field->target = flag->value;
    return fine();
}

// WORD,WORD,...: each once.
static struct complaint read_flags(char *word, const struct field *field)
{
    uint64_t value = 0;
    for (char *next = word; next != NULL; word = next) {
        char *end = word;
        while (*end != '\0' && *end != ',')
            end++;
        next = *end == ',' ? end + 1 : NULL;
        *end = '\0';
        const struct flag_word *flag = find_flag(field->words, word);
        if (flag == NULL)
            return wrong("unknown word", word);
        if (value & flag->value)
            return wrong("said twice", word);
        value |= flag->value;
    }
    *(uint64_t *)field->target = value;
    return fine();
}

static struct complaint read_value(char *value, const struct field *field)
{
    switch (field->type) {
    case FIELD_NUMBER:
        return read_number(value, field);
    case FIELD_NAME:
        return words_name(value, field->target);
    case FIELD_FLAGS:
        return read_flags(value, field);
    case FIELD_CHOICE:
        return words_choice(value, field);
    case FIELD_MARK:
        break;
    }
    return wrong("takes no value", field->key);
}

static const struct field *find_field(const struct field *fields, unsigned n_fields,
                                      const char *key)
{
    for (unsigned i = 0; i < n_fields && i < FIELDS_MAX; i++) {
        if (strcmp(fields[i].key, key) == 0)
            return &fields[i];
    }
    return NULL;
}

// One KEY=VALUE or MARK; `seen` has a bit for each field of the table.
static struct complaint read_field(char *word, const struct field *fields, unsigned n_fields,
                                   uint32_t *seen)
{
    char *value = word;
    while (*value != '\0' && *value != '=')
        value++;
    bool has_value = *value == '=';
    if (has_value)
        *value++ = '\0';
    const struct field *field = find_field(fields, n_fields, word);
    if (field == NULL)
        return wrong("unknown word", word);
    uint32_t bit = 1u << (field - fields);
    if (*seen & bit)
        return wrong("said twice", word);
    *seen |= bit;
    if (has_value)
        return read_value(value, field);
    if (field->type != FIELD_MARK)
        return wrong("needs a value", word);
    *(uint64_t *)field->target = field->value;
    return fine();
}

struct complaint words_fields(const struct line *line, unsigned first, const struct field *fields,
                              unsigned n_fields)
{
    uint32_t seen = 0;
    for (unsigned i = first; i < line->n_words; i++) {
        struct complaint complaint = read_field(line->words[i], fields, n_fields, &seen);
        if (complaint.what != NULL)
            return complaint;
    }
    return fine();
}
