// SPDX-License-Identifier: MIT
#include "explore.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A state is known by the way to it.
struct state_node {
    uint32_t parent;
    uint16_t op; // of the menu
};

// All of a machine in one state.
struct snapshot {
    uint8_t *memory;
    struct model model;
    uint64_t badges[NAMES];
};

struct search {
    const struct explore_config *config;
    struct explore_result *result;
    struct universe universe;
    struct lockstep l;
    struct op menu[MENU_MAX];
    unsigned n_menu;
    struct state_node *nodes;
    uint64_t n_nodes, max_nodes;
    uint64_t *seen; // a hash table of sums; 0: empty
    uint64_t seen_size;
    struct snapshot start, here;
};

static void save(struct search *s, struct snapshot *to)
{
    memcpy(to->memory, s->l.sut.board.memory.bytes, s->l.sut.board.memory.len);
    to->model = s->l.model;
    memcpy(to->badges, s->l.sut.badges, sizeof to->badges);
}

// What the TLB holds follows from the tables.
static void restore(struct search *s, const struct snapshot *from)
{
    memcpy(s->l.sut.board.memory.bytes, from->memory, s->l.sut.board.memory.len);
    s->l.model = from->model;
    memcpy(s->l.sut.badges, from->badges, sizeof from->badges);
    tlb_reset(&s->l.sut.board.tlb);
    lockstep_speculate(&s->l);
}

static void grow_seen(struct search *s)
{
    uint64_t *old = s->seen, old_size = s->seen_size;
    s->seen_size = old_size ? 2 * old_size : 1 << 16;
    s->seen = calloc(s->seen_size, sizeof *s->seen);
    assert(s->seen);
    for (uint64_t i = 0; i < old_size; i++) {
        uint64_t at = old[i] & (s->seen_size - 1);
        while (old[i] && s->seen[at])
            at = (at + 1) & (s->seen_size - 1);
        if (old[i])
            s->seen[at] = old[i];
    }
    free(old);
}

// True if the state of that sum is new.
static bool enter(struct search *s, uint64_t sum)
{
    if (2 * s->n_nodes >= s->seen_size)
        grow_seen(s);
    sum += !sum;
    uint64_t at = sum & (s->seen_size - 1);
    while (s->seen[at] && s->seen[at] != sum)
        at = (at + 1) & (s->seen_size - 1);
    if (s->seen[at])
        return false;
    s->seen[at] = sum;
    return true;
}

static void add_node(struct search *s, uint32_t parent, unsigned op)
{
    if (s->n_nodes == s->max_nodes) {
        s->max_nodes = s->max_nodes ? 2 * s->max_nodes : 1 << 12;
        s->nodes = realloc(s->nodes, s->max_nodes * sizeof *s->nodes);
        assert(s->nodes);
    }
    s->nodes[s->n_nodes++] = (struct state_node){parent, (uint16_t)op};
}

// Goes from the start to a state, by the operations that led there first.
static void go_to(struct search *s, uint32_t node)
{
    unsigned path[64], n = 0;
    for (; node; node = s->nodes[node].parent)
        path[n++] = s->nodes[node].op;
    restore(s, &s->start);
    while (n) {
        const struct op *op = &s->menu[path[--n]];
        const char *why;
        uint32_t value;
        unsigned made = model_made(&s->l.model, op);
        status_t status = sut_run(&s->l.sut, op, made, &value, &why);
        assert(status == OK); // as the first time
        (void)status;
        model_apply(&s->l.model, op, made);
    }
}

static void print_path(const struct search *s, uint32_t node)
{
    char text[OP_TEXT];
    if (!node)
        return;
    print_path(s, s->nodes[node].parent);
    op_print(&s->menu[s->nodes[node].op], &s->universe, text);
    fprintf(stderr, "  %s\n", text);
}

static bool complain(const struct search *s, uint32_t node, const struct op *op, uint64_t keep)
{
    char text[OP_TEXT];
    fprintf(stderr, "explore: %s\n", s->l.why);
    print_path(s, node);
    op_print(op, &s->universe, text);
    fprintf(stderr, "  %s", text);
    if (keep < s->config->n_frames)
        fprintf(stderr, ", %u frames free", (unsigned)keep);
    fprintf(stderr, "\n");
    return false;
}

static bool makes_too_many(const struct search *s, const struct op *op)
{
    unsigned made = model_made(&s->l.model, op);
    return made < NAMES && made >= s->config->n_names;
}

// Tries an operation here with ever more free frames. `is_new`: it changed the state.
static bool try_op(struct search *s, uint32_t node, const struct op *op, bool *has_changed)
{
    status_t status = E_NOMEM;
    uint64_t n_free = s->l.sut.board.vm.state->n_free;
    for (uint64_t keep = 0; status == E_NOMEM || status == E_QUOTA; keep++) {
        s->result->n_tries++;
        if (!lockstep_try(&s->l, op, keep, &status))
            return complain(s, node, op, keep);
        if (keep > n_free)
            break; // the machine is too small for it
    }
    *has_changed = status == OK;
    return true;
}

// Tries all operations in a state.
static bool expand(struct search *s, uint32_t node)
{
    go_to(s, node);
    save(s, &s->here);
    restore(s, &s->here);
    for (unsigned i = 0; i < s->n_menu; i++) {
        const struct op *op = &s->menu[i];
        bool has_changed;
        if (!model_is_possible(&s->l.model, op) || makes_too_many(s, op))
            continue;
        if (!try_op(s, node, op, &has_changed))
            return false;
        if (!has_changed)
            continue;
        if (enter(s, canon_sum(&s->l)))
            add_node(s, node, i);
        restore(s, &s->here);
    }
    return true;
}

static void tell(const struct search *s, uint64_t n_new)
{
    if (!s->config->is_quiet)
        printf("explore: %u levels, %u names, %u pages%s: %llu states after %u operations "
               "(%llu new), %llu tries\n",
               s->config->levels, s->config->n_names, s->config->n_pages,
               s->config->step_work ? ", small steps" : "", (unsigned long long)s->n_nodes,
               s->result->depth, (unsigned long long)n_new, (unsigned long long)s->result->n_tries);
    fflush(stdout);
}

static bool search_levels(struct search *s)
{
    uint64_t done = 0;
    add_node(s, 0, 0);
    enter(s, canon_sum(&s->l));
    while (s->result->depth < s->config->depth && done < s->n_nodes) {
        uint64_t end = s->n_nodes;
        for (; done < end; done++)
            if (!expand(s, (uint32_t)done))
                return false;
        s->result->depth++;
        tell(s, s->n_nodes - end);
    }
    s->result->n_states = s->n_nodes;
    return true;
}

bool explore(const struct explore_config *config, struct explore_result *result)
{
    struct search *s = calloc(1, sizeof *s);
    assert(s);
    *result = (struct explore_result){0};
    s->config = config;
    s->result = result;
    universe_tiny(&s->universe, config->levels, config->n_pages);
    lockstep_start(&s->l, &s->universe,
                   (struct sut_config){config->levels, config->n_frames, 7, config->step_work});
    s->l.sut.audit_every = 1;
    s->n_menu = menu_make(config, s->menu);
    s->start.memory = malloc(s->l.sut.board.memory.len);
    s->here.memory = malloc(s->l.sut.board.memory.len);
    assert(s->start.memory && s->here.memory);
    save(s, &s->start);
    bool is_well = search_levels(s);
    free(s->start.memory);
    free(s->here.memory);
    free(s->nodes);
    free(s->seen);
    lockstep_end(&s->l);
    free(s);
    return is_well;
}
