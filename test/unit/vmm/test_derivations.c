// SPDX-License-Identifier: MIT
// Trees of derivations: every shape of up to 5 capabilities, with every order in which they are dropped
// and revoked, against a plain model; larger ones at random. Through each capability a page is shared
// with another space, and each of those pages is shared on.
#include "servers/vmm/core/page_table.h"
#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#include <stdlib.h>

#define VA     0x400000ull
#define SHARED 0x40000000ull // page i of the second space came through capability i,
#define PASSED 0x80000000ull // page i of the third by sharing that on
#define NODES  5u
#define LARGE  40u
#define NO_ONE (~0u)

struct tree {
    struct fake *f;
    struct fake_cap first, b, c; // the space with the page; and the two others
    unsigned n;
    unsigned parent[LARGE]; // NO_ONE: derived from `first`
    struct fake_cap cap[LARGE];
    // What should be.
    bool is_alive[LARGE], is_held[LARGE], is_shared[LARGE];
};

static void tree_make(struct tree *t, struct fake *f, unsigned n, const unsigned *parent)
{
    *t = (struct tree){.f = f, .n = n};
    assert_int_equal(fake_create(f, f->init, 0, &t->first), OK);
    assert_int_equal(fake_create(f, f->init, 0, &t->b), OK);
    assert_int_equal(fake_create(f, f->init, 0, &t->c), OK);
    assert_int_equal(fake_map(f, t->first, VA, 1, PROT_R, 0), OK);
    for (unsigned i = 0; i < n; i++) {
        uint64_t at = (uint64_t)i << PAGE_SHIFT;
        struct fake_cap from = parent[i] == NO_ONE ? t->first : t->cap[parent[i]];
        t->parent[i] = parent[i];
        assert_int_equal(fake_derive(f, from, VA, 1, RIGHTS_SPACE, &t->cap[i]), OK);
        assert_int_equal(fake_share(f, t->cap[i], VA, 1, t->b, SHARED + at, PROT_R), OK);
        assert_int_equal(fake_share(f, t->b, SHARED + at, 1, t->c, PASSED + at, PROT_R), OK);
        t->is_alive[i] = t->is_held[i] = t->is_shared[i] = true;
    }
}

// Whether i is k or was derived from it.
static bool comes_from(const struct tree *t, unsigned i, unsigned k)
{
    while (i != NO_ONE && i != k)
        i = t->parent[i];
    return i == k;
}

static bool is_mapped(struct tree *t, struct fake_cap space, vaddr_t va)
{
    pfn_t root = space_of(&t->f->vm, fake_space(t->f, space))->root;
    return pte_is_present(pt_find(&t->f->vm, root, va >> PAGE_SHIFT).pte);
}

// The audit looks at all; of the many trees of 5 it is enough for it to see the ends.
static void check(struct tree *t)
{
    const uint64_t query[MESSAGE_WORDS] = {vmm_word0(VMM_QUERY, 0), VA};
    if (t->n != NODES)
        assert_int_equal(fake_audit(t->f), 0);
    for (unsigned i = 0; i < t->n; i++) {
        uint64_t at = (uint64_t)i << PAGE_SHIFT;
        assert_int_equal(is_mapped(t, t->b, SHARED + at), t->is_shared[i]);
        assert_int_equal(is_mapped(t, t->c, PASSED + at), t->is_shared[i]);
        if (t->is_held[i])
            assert_int_equal(fake_call(t->f, t->cap[i], query, NULL, NULL, NULL),
                             t->is_alive[i] ? OK : E_REVOKED);
    }
    assert_int_equal(fake_call(t->f, t->first, query, NULL, NULL, NULL), OK);
}

static void drop(struct tree *t, unsigned k)
{
    fake_drop(t->f, &t->cap[k]);
    t->is_held[k] = false;
}

// By itself or through the first one: they mean the same.
static void revoke(struct tree *t, unsigned k, bool by_first)
{
    status_t status =
        by_first ? fake_revoke(t->f, t->first, &t->cap[k]) : fake_revoke(t->f, t->cap[k], NULL);
    assert_int_equal(status, t->is_alive[k] ? OK : E_REVOKED);
    for (unsigned i = 0; i < t->n && t->is_alive[k]; i++)
        if (i != k && comes_from(t, i, k))
            t->is_alive[i] = t->is_shared[i] = false;
    if (t->is_alive[k])
        t->is_alive[k] = t->is_shared[k] = false;
}

static void tree_end(struct tree *t)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->is_held[i])
            drop(t, i);
    fake_drop(t->f, &t->first);
    assert_int_equal(fake_audit(t->f), 0);
    fake_drop(t->f, &t->b);
    fake_drop(t->f, &t->c);
    assert_int_equal(t->f->vm.state->n_free, t->f->n_free);
}

// The i-th step of an order: which capability; `order` is the number of a permutation.
static unsigned take_next(unsigned *left, unsigned n_left, unsigned *order)
{
    unsigned at = *order % n_left, k = left[at];
    *order /= n_left;
    left[at] = left[n_left - 1];
    return k;
}

// Whether a capability would be revoked that is dead by then: that is refused, and tried elsewhere.
static bool revokes_the_dead(unsigned n, const unsigned *parent, unsigned order, unsigned revoked)
{
    struct tree t = {.n = n};
    unsigned left[NODES] = {0, 1, 2, 3, 4}, dead = 0;
    __builtin_memcpy(t.parent, parent, n * sizeof *parent);
    for (unsigned n_left = n; n_left; n_left--) {
        unsigned k = take_next(left, n_left, &order);
        if (revoked & dead & 1u << k)
            return true;
        for (unsigned i = 0; i < n && revoked >> k & 1; i++)
            dead |= (unsigned)comes_from(&t, i, k) << i;
    }
    return false;
}

// Drops or revokes (bit k of `revoked`) one after the other.
static void run_order(struct fake *f, unsigned n, const unsigned *parent, unsigned order,
                      unsigned revoked)
{
    struct tree t;
    unsigned left[NODES] = {0, 1, 2, 3, 4};
    tree_make(&t, f, n, parent);
    for (unsigned n_left = n; n_left; n_left--) {
        unsigned k = take_next(left, n_left, &order);
        if (revoked >> k & 1)
            revoke(&t, k, order & 1);
        else
            drop(&t, k);
        check(&t);
    }
    tree_end(&t);
}

static unsigned factorial(unsigned n)
{
    return n < 2 ? 1 : n * factorial(n - 1);
}

// A shape as brackets, the same for all orders of siblings: bits 1 code 0 of each tree of the forest
// below a capability, larger codes first.
static unsigned shape_code(unsigned n, const unsigned *parent, unsigned of, unsigned *n_bits)
{
    unsigned codes[NODES], bits[NODES], n_codes = 0, sum = 0;
    *n_bits = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned k, inner_bits;
        if (parent[i] != of)
            continue;
        unsigned code = shape_code(n, parent, i, &inner_bits) << 1 | 1u << (inner_bits + 1);
        for (k = n_codes++; k && codes[k - 1] < code; k--) {
            codes[k] = codes[k - 1];
            bits[k] = bits[k - 1];
        }
        codes[k] = code;
        bits[k] = inner_bits + 2;
    }
    for (unsigned k = 0; k < n_codes; k++) {
        sum = sum << bits[k] | codes[k];
        *n_bits += bits[k];
    }
    return sum;
}

static void run_shape(struct fake *f, unsigned n, const unsigned *parent)
{
    for (unsigned order = 0; order < factorial(n); order++)
        for (unsigned revoked = 0; revoked < 1u << n; revoked++)
            if (!revokes_the_dead(n, parent, order, revoked))
                run_order(f, n, parent, order, revoked);
}

// Each capability comes from the first one, or from one before it: every shape, and each once.
static unsigned run_shapes(struct fake *f, unsigned n, unsigned *parent, unsigned i, bool *was_seen)
{
    unsigned n_shapes = 0, n_bits;
    if (i == n) {
        unsigned code = shape_code(n, parent, NO_ONE, &n_bits);
        if (was_seen[code])
            return 0;
        was_seen[code] = true;
        run_shape(f, n, parent);
        return 1;
    }
    for (unsigned k = 0; k <= i; k++) {
        parent[i] = k ? k - 1 : NO_ONE;
        n_shapes += run_shapes(f, n, parent, i + 1, was_seen);
    }
    return n_shapes;
}

static void test_all_small_trees(void **state)
{
    const unsigned n_shapes[] = {0, 1, 2, 4, 9, 20}; // forests, of any number of trees
    for (unsigned n = 1; n <= NODES; n++) {
        bool was_seen[1 << 2 * NODES] = {false};
        unsigned parent[NODES];
        assert_int_equal(run_shapes(*state, n, parent, 0, was_seen), n_shapes[n]);
    }
}

static void test_large_trees(void **state)
{
    srand(11);
    for (unsigned round = 0; round < 60; round++) {
        struct tree t;
        unsigned parent[LARGE];
        for (unsigned i = 0; i < LARGE; i++)
            parent[i] = i && rand() % 5 ? (unsigned)rand() % i : NO_ONE;
        tree_make(&t, *state, LARGE, parent);
        for (unsigned i = 0; i < 30; i++) {
            unsigned k = (unsigned)rand() % LARGE;
            if (t.is_held[k] && rand() % 3)
                drop(&t, k);
            else if (t.is_held[k])
                revoke(&t, k, rand() & 1);
            check(&t);
        }
        tree_end(&t);
    }
}

// Small, for the audit looks at every frame.
static int small_setup(void **state)
{
    *state = fake_boot((struct fake_config){4, 2, 7});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_small_trees, small_setup, fake_teardown),
        FAKE_TEST(test_large_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
