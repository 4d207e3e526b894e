// SPDX-License-Identifier: MIT
#include "kernel/object.h"

#include "kernel/arch.h"

status_t object_find(uint64_t index, enum object_kind kind, struct object **object)
{
    struct object *o = arch_object_at(index);
    if (!o)
        return E_FAULT;
    if (o->kind != kind || o->index != index)
        return E_STATE;
    *object = o;
    return OK;
}

status_t object_claim(uint64_t index, enum object_kind kind, size_t size, struct object **object)
{
    struct object *o = arch_object_at(index);
    if (!o)
        return E_FAULT;
    if (o->kind != OBJECT_NONE)
        return E_BUSY;
    __builtin_memset(o + 1, 0, size - sizeof *o);
    o->kind = kind;
    o->index = (uint32_t)index;
    *object = o;
    return OK;
}
