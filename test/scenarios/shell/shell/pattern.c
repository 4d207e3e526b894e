// SPDX-License-Identifier: MIT
#include "test/scenarios/shell/shell/pattern.h"

#include "ipc/rt.h"
#include "ipc/vmm_protocol.h"

static const struct choice {
    char letter;
    const char *word;
    uint64_t number;
} choices[] = {
    {'m', "cow", CLONE_COW}, {'m', "copy", CLONE_COPY}, {'l', "lazy", MAP_LAZY}, {'l', "now", 0},
    {'z', "4K", MAP_4K},     {'z', "2M", MAP_2M},       {'z', "1G", MAP_1G},     {'q', "quota", 0},
    {'a', "r", PROT_R},      {'a', "w", PROT_W},        {'a', "x", PROT_X},
};

static enum match read_choice(struct argument *argument)
{
    for (unsigned i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if (choices[i].letter == argument->letter && strcmp(choices[i].word, argument->word) == 0) {
            argument->number = choices[i].number;
            return MATCH_OK;
        }
    }
    return MATCH_SHAPE;
}

static enum match read_count(struct argument *argument)
{
    if (!word_number(argument->word, &argument->number))
        return MATCH_NUMBER;
    return argument->number >= 1 && argument->number <= READ_MAX ? MATCH_OK : MATCH_SHAPE;
}

static enum match read_word(char letter, const char *word, struct argument *argument)
{
    *argument = (struct argument){.letter = letter, .word = word};
    switch (letter) {
    case 's':
    case 'w':
        return MATCH_OK;
    case 'n':
        return word_is_name(word) ? MATCH_OK : MATCH_NAME;
    case 'v':
        return word_number(word, &argument->number) ? MATCH_OK : MATCH_NUMBER;
    case 'p':
        return word_prot(word, &argument->prot) ? MATCH_OK : MATCH_PROT;
    case 'c':
        return read_count(argument);
    case 'h':
        return word_is_bytes(word, WRITE_MAX) ? MATCH_OK : MATCH_SHAPE;
    default:
        return read_choice(argument);
    }
}

enum match pattern_match(const char *pattern, const struct words *words,
                         struct arguments *arguments, const char **word)
{
    bool may_be_missing = false;
    unsigned i = 1;
    arguments->n = 0;
    for (; *pattern != '\0'; pattern++) {
        enum match match = MATCH_SHAPE;
        if (*pattern == '?') {
            may_be_missing = true;
            continue;
        }
        if (i < words->n)
            match = read_word(*pattern, words->at[i], &arguments->at[arguments->n]);
        if (match == MATCH_OK) {
            arguments->n++;
            i++;
            may_be_missing = may_be_missing && *pattern != 'q';
        } else if (!may_be_missing) {
            *word = i < words->n ? words->at[i] : NULL;
            return match;
        } else if (*pattern == 'q') {
            pattern++;
        }
    }
    return i == words->n ? MATCH_OK : MATCH_SHAPE;
}

const struct argument *argument_find(const struct arguments *arguments, char letter)
{
    for (unsigned i = 0; i < arguments->n; i++) {
        if (arguments->at[i].letter == letter)
            return &arguments->at[i];
    }
    return NULL;
}
