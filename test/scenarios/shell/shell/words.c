// SPDX-License-Identifier: MIT
#include "test/scenarios/shell/shell/words.h"

#include "ipc/rt.h"
#include "ipc/vmm_protocol.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool words_split(char *text, struct words *words)
{
    words->n = 0;
    while (*text != '\0') {
        if (is_blank(*text)) {
            *text++ = '\0';
            continue;
        }
        if (words->n == WORDS_MAX)
            return false;
        words->at[words->n++] = text;
        while (*text != '\0' && !is_blank(*text))
            text++;
    }
    return true;
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

bool word_number(const char *word, uint64_t *value)
{
    unsigned base = word[0] == '0' && word[1] == 'x' ? 16 : 10;
    const char *at = base == 16 ? word + 2 : word;
    uint64_t sum = 0;
    if (*at == '\0')
        return false;
    for (; *at != '\0'; at++) {
        unsigned digit = digit_value(*at, base);
        if (digit == base || sum > (UINT64_MAX - digit) / base)
            return false;
        sum = sum * base + digit;
    }
    *value = sum;
    return true;
}

bool word_prot(const char *word, uint32_t *prot)
{
    static const struct {
        const char *word;
        uint32_t prot;
    } prots[] = {
        {"r--", PROT_R}, {"rw-", PROT_R | PROT_W},          {"r-x", PROT_R | PROT_X},
        {"---", 0},      {"rwx", PROT_R | PROT_W | PROT_X},
    };
    for (unsigned i = 0; i < sizeof prots / sizeof prots[0]; i++) {
        if (strcmp(word, prots[i].word) == 0) {
            *prot = prots[i].prot;
            return true;
        }
    }
    return false;
}

bool word_is_bytes(const char *word, size_t max)
{
    size_t len = strlen(word);
    for (size_t i = 0; i < len; i++) {
        if (digit_value(word[i], 16) == 16)
            return false;
    }
    return len > 0 && len % 2 == 0 && len / 2 <= max;
}

size_t word_bytes(const char *word, uint8_t *bytes)
{
    size_t n = strlen(word) / 2;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(digit_value(word[2 * i], 16) << 4 | digit_value(word[2 * i + 1], 16));
    return n;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

bool word_is_name(const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i < len; i++) {
        if (!is_name_char(word[i]))
            return false;
    }
    return len > 0 && len < NAME_BYTES;
}
