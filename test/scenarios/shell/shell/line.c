// SPDX-License-Identifier: MIT
#include "test/scenarios/shell/shell/line.h"

void line_begin(struct line *line)
{
    line->len = 0;
    line->is_blank = true;
    line->is_comment = line->has_garbage = line->is_long = false;
}

static void keep(struct line *line, char byte)
{
    if (line->is_blank && byte != ' ' && byte != '\t' && byte != '\r') {
        line->is_blank = false;
        line->is_comment = byte == '#';
    }
    if (line->len < LINE_BYTES - 1)
        line->text[line->len++] = byte;
    else
        line->is_long = true;
}

static bool is_text(char byte)
{
    return (byte >= ' ' && byte <= '~') || byte == '\t';
}

static void end(struct line *line)
{
    if (line->len > 0 && line->text[line->len - 1] == '\r')
        line->len--;
    for (size_t i = 0; i < line->len; i++)
        line->has_garbage = line->has_garbage || !is_text(line->text[i]);
    line->text[line->len] = '\0';
}

bool line_add(struct line *line, char byte)
{
    if (byte == '\n')
        end(line);
    else
        keep(line, byte);
    return byte == '\n';
}

bool line_is_command(const struct line *line)
{
    return !line->is_blank && !line->is_comment;
}
