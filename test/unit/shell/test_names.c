// SPDX-License-Identifier: MIT
// The table of names.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "test/scenarios/shell/shell/names.h"

#define FIRST_SLOT 20u

static struct names names;

static int setup(void **state)
{
    (void)state;
    names = (struct names){.first_slot = FIRST_SLOT};
    return 0;
}

static struct name *add_space(const char *text)
{
    struct name *name;
    assert_int_equal(name_add_space(&names, text, NAME_SPACE, "", &name), OK);
    return name;
}

static struct name *add_grant(const char *text, const struct name *source)
{
    struct name *name;
    assert_int_equal(name_add_grant(&names, text, source, &name), OK);
    return name;
}

static void a_name_is_found_until_it_is_dropped(void **state)
{
    (void)state;
    slot_t slots[2];
    assert_null(name_find(&names, "a"));
    struct name *a = add_space("a");
    struct name *b = add_space("b");
    assert_ptr_equal(name_find(&names, "a"), a);
    assert_ptr_equal(name_find(&names, "b"), b);
    assert_null(name_find(&names, ""));
    name_drop(&names, a, slots);
    assert_null(name_find(&names, "a"));
    assert_ptr_equal(name_find(&names, "b"), b);
}

static void a_space_gives_its_one_slot_up(void **state)
{
    (void)state;
    slot_t slots[2] = {0};
    struct name *a = add_space("a");
    assert_int_equal(name_slot(&names, a), FIRST_SLOT);
    assert_int_equal(name_space_slot(&names, a), FIRST_SLOT);
    assert_int_equal(name_drop(&names, a, slots), 1);
    assert_int_equal(slots[0], FIRST_SLOT);
}

static void a_grant_has_a_slot_of_its_own(void **state)
{
    (void)state;
    slot_t slots[2] = {0};
    struct name *a = add_space("a");
    struct name *w = add_grant("w", a);
    assert_string_equal(w->origin, "a");
    assert_int_equal(name_slot(&names, w), FIRST_SLOT + SPACES_MAX);
    assert_int_equal(name_space_slot(&names, w), name_slot(&names, a));
    assert_int_equal(name_drop(&names, w, slots), 1);
    assert_int_equal(slots[0], FIRST_SLOT + SPACES_MAX);
}

static void a_space_stays_while_a_grant_reaches_it(void **state)
{
    (void)state;
    slot_t slots[2] = {0};
    struct name *a = add_space("a");
    struct name *w = add_grant("w", a);
    struct name *v = add_grant("v", w);
    slot_t space = name_slot(&names, a);
    assert_int_equal(name_drop(&names, a, slots), 0);
    struct name *b = add_space("b"); // its place is not free yet
    assert_int_not_equal(name_slot(&names, b), space);
    assert_int_equal(name_drop(&names, w, slots), 1);
    assert_int_equal(name_space_slot(&names, v), space);
    slot_t slot = name_slot(&names, v);
    assert_int_equal(name_drop(&names, v, slots), 2);
    assert_int_equal(slots[0], slot);
    assert_int_equal(slots[1], space);
    assert_int_equal(name_slot(&names, add_space("c")), space);
}

static void spaces_and_grants_have_limits(void **state)
{
    (void)state;
    char text[NAME_BYTES];
    struct name *name;
    slot_t slots[2];
    for (unsigned i = 0; i < SPACES_MAX; i++) {
        snprintf(text, sizeof text, "s%u", i);
        add_space(text);
    }
    for (unsigned i = 0; i < GRANTS_MAX; i++) {
        snprintf(text, sizeof text, "g%u", i);
        add_grant(text, name_find(&names, "s7"));
    }
    assert_int_equal(names_count(&names, NAME_SPACE), SPACES_MAX);
    assert_int_equal(names_count(&names, NAME_GRANT), GRANTS_MAX);
    assert_int_equal(name_add_space(&names, "x", NAME_SNAPSHOT, "s1", &name), E_LIMIT);
    assert_int_equal(name_add_grant(&names, "x", name_find(&names, "s7"), &name), E_LIMIT);
    assert_null(name_find(&names, "x"));
    name_drop(&names, name_find(&names, "s9"), slots);
    name_drop(&names, name_find(&names, "g200"), slots);
    assert_int_equal(name_add_space(&names, "x", NAME_SNAPSHOT, "s1", &name), OK);
    assert_int_equal(names_count(&names, NAME_SNAPSHOT), 1);
    add_grant("y", name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_name_is_found_until_it_is_dropped, setup),
        cmocka_unit_test_setup(a_space_gives_its_one_slot_up, setup),
        cmocka_unit_test_setup(a_grant_has_a_slot_of_its_own, setup),
        cmocka_unit_test_setup(a_space_stays_while_a_grant_reaches_it, setup),
        cmocka_unit_test_setup(spaces_and_grants_have_limits, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
