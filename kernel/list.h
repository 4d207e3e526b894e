// SPDX-License-Identifier: MIT
// Intrusive circular doubly-linked lists. A head is initialised; a node that is in no list is zero,
// as a donated frame is.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

// The object that holds the list node `node` as its field `field`.
#define container_of(node, type, field) ((type *)((char *)(node)-offsetof(type, field)))

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_insert(struct list *prev, struct list *node)
{
    node->next = prev->next;
    node->prev = prev;
    prev->next->prev = node;
    prev->next = node;
}

static inline void list_push_back(struct list *l, struct list *node)
{
    list_insert(l->prev, node);
}

static inline void list_push_front(struct list *l, struct list *node)
{
    list_insert(l, node);
}

static inline bool list_is_linked(const struct list *node)
{
    return node->next;
}

// Leaves `node` in no list; harmless if it was in none.
static inline void list_remove(struct list *node)
{
    if (!list_is_linked(node))
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    *node = (struct list){0};
}
