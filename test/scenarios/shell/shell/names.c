// SPDX-License-Identifier: MIT
#include "test/scenarios/shell/shell/names.h"

#include "ipc/rt.h"

struct name *name_find(struct names *names, const char *text)
{
    for (unsigned i = 0; i < NAMES_MAX; i++) {
        struct name *name = &names->at[i];
        if (name->kind != NAME_FREE && strcmp(name->text, text) == 0)
            return name;
    }
    return NULL;
}

slot_t name_slot(const struct names *names, const struct name *name)
{
    return names->first_slot + (slot_t)(name - names->at);
}

slot_t name_space_slot(const struct names *names, const struct name *name)
{
    return names->first_slot + name->space;
}

static struct name *fill(struct names *names, unsigned i, enum name_kind kind, const char *text,
                         const char *origin)
{
    struct name *name = &names->at[i];
    *name = (struct name){.kind = kind};
    memcpy(name->text, text, strlen(text) + 1);
    memcpy(name->origin, origin, strlen(origin) + 1);
    return name;
}

status_t name_add_space(struct names *names, const char *text, enum name_kind kind,
                        const char *origin, struct name **name)
{
    for (unsigned i = 0; i < SPACES_MAX; i++) {
        if (names->n_users[i] > 0)
            continue;
        *name = fill(names, i, kind, text, origin);
        (*name)->space = i;
        names->n_users[i] = 1;
        return OK;
    }
    return E_LIMIT;
}

status_t name_add_grant(struct names *names, const char *text, const struct name *source,
                        struct name **name)
{
    for (unsigned i = SPACES_MAX; i < NAMES_MAX; i++) {
        if (names->at[i].kind != NAME_FREE)
            continue;
        *name = fill(names, i, NAME_GRANT, text, source->text);
        (*name)->space = source->space;
        names->n_users[source->space]++;
        return OK;
    }
    return E_LIMIT;
}

unsigned name_drop(struct names *names, struct name *name, slot_t slots[2])
{
    unsigned n = 0;
    if (name->kind == NAME_GRANT)
        slots[n++] = name_slot(names, name);
    if (--names->n_users[name->space] == 0)
        slots[n++] = name_space_slot(names, name);
    name->kind = NAME_FREE;
    return n;
}

unsigned names_count(const struct names *names, enum name_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < NAMES_MAX; i++)
        n += names->at[i].kind == kind;
    return n;
}
