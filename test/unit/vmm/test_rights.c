// SPDX-License-Identifier: MIT
// Each right x each request, and each request with a range x the borders of windows and of arithmetic.
// The tables say what ipc/vmm_protocol.h promises; they were not copied from the code that keeps it.
#include <string.h>

#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/task.h"
#include "test/unit/fake/vmm/fake.h"

#define VA  0x400000ull
#define VA2 0x800000ull
#define RW  (PROT_R | PROT_W)

#define R RIGHT_READ
#define W RIGHT_WRITE
#define X RIGHT_EXECUTE

// What goes with a call, if something does.
enum with {
    WITH_NOTHING,
    WITH_SPACE,
    WITH_SNAPSHOT,
    WITH_ENDPOINT,
    WITH_ITSELF,
    WITH_PORTAL,
    WITH_FAULT,
};
enum by { BY_SPACE, BY_INIT, BY_TASK };

static const struct row {
    enum vmm_request request;
    enum by by;
    bool is_whole; // it needs a capability to all of the space
    unsigned rights;
    enum with with;
    unsigned carried_rights;
    uint64_t words[5];
} rows[] = {
    {VMM_SPACE_CREATE, BY_SPACE, false, RIGHT_CREATE, 0, 0, {0}},
    {VMM_SPACE_CLONE, BY_SPACE, true, RIGHT_CLONE | R, 0, 0, {CLONE_COW}},
    {VMM_SPACE_DESTROY, BY_SPACE, true, RIGHT_DESTROY, 0, 0, {0}},
    {VMM_MAP, BY_SPACE, false, RIGHT_MAP, 0, 0, {VA2, 1, 0}},
    {VMM_MAP, BY_SPACE, false, RIGHT_MAP | R, 0, 0, {VA2, 1, PROT_R}},
    {VMM_MAP, BY_SPACE, false, RIGHT_MAP | R | W, 0, 0, {VA2, 1, RW}},
    {VMM_MAP, BY_SPACE, false, RIGHT_MAP | R | X, 0, 0, {VA2, 1, PROT_R | PROT_X}},
    {VMM_UNMAP, BY_SPACE, false, RIGHT_MAP, 0, 0, {VA, 1}},
    {VMM_PROTECT, BY_SPACE, false, RIGHT_MAP, 0, 0, {VA, 1, 0}},
    {VMM_PROTECT, BY_SPACE, false, RIGHT_MAP | R, 0, 0, {VA, 1, PROT_R}},
    {VMM_PROTECT, BY_SPACE, false, RIGHT_MAP | R | W, 0, 0, {VA, 1, RW}},
    {VMM_PROTECT, BY_SPACE, false, RIGHT_MAP | R | X, 0, 0, {VA, 1, PROT_R | PROT_X}},
    {VMM_SHARE, BY_SPACE, false, RIGHT_SHARE, WITH_SPACE, RIGHT_MAP, {VA, 1, VA, 0}},
    {VMM_SHARE, BY_SPACE, false, RIGHT_SHARE | R, WITH_SPACE, RIGHT_MAP | R, {VA, 1, VA, PROT_R}},
    {VMM_SHARE, BY_SPACE, 0, RIGHT_SHARE | R | W, WITH_SPACE, RIGHT_MAP | R | W, {VA, 1, VA, RW}},
    {VMM_SHARE,
     BY_SPACE,
     false,
     RIGHT_SHARE | R | X,
     WITH_SPACE,
     RIGHT_MAP | R | X,
     {VA, 1, VA, PROT_R | PROT_X}},
    {VMM_MOVE, BY_SPACE, false, RIGHT_SHARE | RIGHT_MAP, WITH_SPACE, RIGHT_MAP, {VA, 1, VA, 0}},
    {VMM_MOVE,
     BY_SPACE,
     false,
     RIGHT_SHARE | RIGHT_MAP | R | W,
     WITH_SPACE,
     RIGHT_MAP | R | W,
     {VA, 1, VA, RW}},
    {VMM_DERIVE, BY_SPACE, false, RIGHT_DERIVE, 0, 0, {VA, 1, 0}},
    {VMM_DERIVE, BY_SPACE, false, RIGHT_DERIVE | R | W, 0, 0, {VA, 1, R | W}},
    {VMM_DERIVE, BY_SPACE, false, RIGHTS_SPACE, 0, 0, {VA, 1, RIGHTS_SPACE}},
    {VMM_DERIVE, BY_INIT, false, RIGHTS_ALL, 0, 0, {VA, 1, RIGHTS_ALL}},
    {VMM_REVOKE, BY_SPACE, false, RIGHT_DERIVE, 0, 0, {0}},
    {VMM_REVOKE, BY_SPACE, false, RIGHT_DERIVE, WITH_ITSELF, 0, {0}},
    {VMM_QUERY, BY_SPACE, false, RIGHT_QUERY, 0, 0, {VA}},
    {VMM_MAPS, BY_SPACE, false, RIGHT_QUERY, 0, 0, {VA}},
    {VMM_EXPLAIN, BY_SPACE, false, RIGHT_QUERY, 0, 0, {VA, PROT_R}},
    {VMM_STATS, BY_SPACE, false, RIGHT_QUERY, 0, 0, {0}},
    {VMM_DIFF, BY_SPACE, false, RIGHT_QUERY, WITH_SPACE, RIGHT_QUERY, {VA}},
    {VMM_SETTLE, BY_SPACE, false, 0, 0, 0, {0}},
    {VMM_AUDIT, BY_INIT, false, RIGHT_AUDIT, 0, 0, {0}},
    {VMM_SPAWN, BY_SPACE, true, RIGHT_SPAWN, 0, 0, {VA, 0, 0, 8}},
    {VMM_ENDPOINT, BY_SPACE, false, RIGHT_CREATE, 0, 0, {0}},
    {VMM_PORTAL, BY_SPACE, false, RIGHT_CREATE, WITH_ENDPOINT, 0, {1, 0xf}},
    {VMM_SNAPSHOT, BY_SPACE, true, RIGHT_CLONE | R, 0, 0, {0}},
    {VMM_ROLLBACK, BY_SPACE, true, RIGHT_MAP | R, WITH_SNAPSHOT, RIGHT_CLONE | R, {0}},
    {VMM_SET_PAGER, BY_SPACE, false, RIGHT_MAP, WITH_PORTAL, 0, {VA2, 1, 0}},
    {VMM_SET_PAGER, BY_SPACE, false, RIGHT_MAP | R | W, WITH_PORTAL, 0, {VA2, 1, RW}},
    {VMM_SUPPLY, BY_SPACE, false, RIGHT_SHARE | R, WITH_FAULT, 0, {VA, 1, VA2, PROT_R}},
    {VMM_SUPPLY, BY_SPACE, false, RIGHT_SHARE | R | W, WITH_FAULT, 0, {VA, 1, VA2, RW}},
    {VMM_POWER_OFF, BY_INIT, false, RIGHT_POWER, 0, 0, {0}},
    {VMM_TASK_KILL, BY_TASK, false, 0, 0, 0, {0}},
    {VMM_TASK_WAIT, BY_TASK, false, 0, 0, 0, {0}},
    {VMM_TASK_PAGER, BY_TASK, false, 0, WITH_PORTAL, 0, {0}},
    {VMM_TASK_SLOTS, BY_TASK, false, 0, 0, 0, {0}},
};
#define N_ROWS (sizeof rows / sizeof *rows)

// What the rows are about: a space with two pages, one that is empty but for a page with a pager, a
// snapshot, an endpoint, a portal, a task whose fault the pager has.
struct scene {
    struct fake_cap space, other, snapshot, endpoint, portal, task;
};

static struct scene scene_make(struct fake *f)
{
    struct scene s;
    const uint64_t endpoint[MESSAGE_WORDS] = {vmm_word0(VMM_ENDPOINT, 0)};
    const uint64_t snapshot[MESSAGE_WORDS] = {vmm_word0(VMM_SNAPSHOT, 0)};
    const uint64_t portal[MESSAGE_WORDS] = {vmm_word0(VMM_PORTAL, 0), 1, SLOT_FLAGS_ALL};
    const uint64_t pager[MESSAGE_WORDS] = {vmm_word0(VMM_SET_PAGER, 0), VA2, 1, RW};
    const uint64_t fault[MESSAGE_WORDS] = {14, 6, VA2};
    assert_int_equal(fake_create(f, f->init, 0, &s.space), OK);
    assert_int_equal(fake_create(f, f->init, 0, &s.other), OK);
    assert_int_equal(fake_map(f, s.space, VA, 2, RW, 0), OK);
    assert_int_equal(fake_call(f, s.space, snapshot, NULL, &s.snapshot, NULL), OK);
    assert_int_equal(fake_call(f, s.space, endpoint, NULL, &s.endpoint, NULL), OK);
    assert_int_equal(fake_call(f, s.space, portal, &s.endpoint, &s.portal, NULL), OK);
    assert_int_equal(fake_call(f, s.other, pager, &s.portal, NULL, NULL), OK);
    assert_int_equal(fake_spawn(f, s.other, NULL, &s.task), OK);
    record_t task = portal_of(&f->vm, s.task.value)->owner;
    assert_false(fake_event(f, task_of(&f->vm, task)->object, EVENT_EXCEPTION, fault));
    return s;
}

static void task_kill(struct fake *f, struct fake_cap task)
{
    const uint64_t kill[MESSAGE_WORDS] = {vmm_word0(VMM_TASK_KILL, 0)};
    assert_int_equal(fake_call(f, task, kill, NULL, NULL, NULL), OK);
}

static void scene_end(struct fake *f, struct scene *s)
{
    task_kill(f, s->task);
    struct fake_cap *caps[] = {&s->task,     &s->portal, &s->endpoint,
                               &s->snapshot, &s->other,  &s->space};
    for (unsigned i = 0; i < sizeof caps / sizeof *caps; i++)
        fake_drop(f, caps[i]);
    assert_int_equal(fake_audit(f), 0);
}

static struct fake_cap narrowed(struct fake *f, struct fake_cap cap, uint64_t pages,
                                unsigned rights)
{
    struct fake_cap got = {CAP_NONE, 0};
    assert_int_equal(fake_derive(f, cap, 0, pages, rights, &got), OK);
    return got;
}

// A snapshot's capability cannot be narrowed (it has no right to derive): it is carried as it is.
static struct fake_cap row_carried(struct fake *f, const struct row *row, const struct scene *s,
                                   struct fake_cap by, unsigned rights)
{
    switch (row->with) {
    case WITH_SPACE:
        return narrowed(f, s->other, f->vm.state->user_pages, rights);
    case WITH_SNAPSHOT:
        return fake_copy(f, s->snapshot);
    case WITH_ENDPOINT:
        return fake_copy(f, s->endpoint);
    case WITH_ITSELF:
        return fake_copy(f, by);
    case WITH_PORTAL:
        return fake_copy(f, s->portal);
    case WITH_FAULT:
        return f->forwarded;
    default:
        return (struct fake_cap){CAP_NONE, 0};
    }
}

static void drop_new(struct fake *f, struct fake_cap *cap)
{
    if (cap->type != CAP_NONE)
        fake_drop(f, cap);
}

// The call of a row, through a capability and with one of these rights.
static status_t row_call(struct fake *f, const struct row *row, const struct scene *s,
                         uint64_t pages, unsigned rights, unsigned carried_rights)
{
    uint64_t words[MESSAGE_WORDS] = {vmm_word0(row->request, 0)};
    struct fake_cap got = {CAP_NONE, 0};
    memcpy(words + 1, row->words, sizeof row->words);
    struct fake_cap by = row->by == BY_TASK
                             ? fake_copy(f, s->task)
                             : narrowed(f, row->by == BY_INIT ? f->init : s->space, pages, rights);
    struct fake_cap carried = row_carried(f, row, s, by, carried_rights);
    status_t status =
        fake_call(f, by, words, row->with == WITH_NOTHING ? NULL : &carried, &got, NULL);
    if (row->request == VMM_SPAWN && got.type == CAP_PORTAL)
        task_kill(f, got);
    drop_new(f, &got);
    drop_new(f, &carried);
    fake_drop(f, &by);
    return status;
}

static void expect(const struct row *row, unsigned lacks, status_t status, status_t wanted)
{
    if (status == wanted)
        return;
    print_error("request %d, row %td, without 0x%x: %s, not %s\n", row->request, row - rows, lacks,
                status_name(status), status_name(wanted));
    fail();
}

// A task's end comes later: 1 is fake_call()'s word for that.
static status_t row_success(const struct row *row)
{
    return row->request == VMM_TASK_WAIT ? 1 : OK;
}

// One right less than what a row needs, of the capability called and of the one carried: refused, and
// nothing changed. With them and no other: done.
static void test_each_right_of_each_request(void **state)
{
    struct fake *f = *state;
    uint64_t all = f->vm.state->user_pages;
    for (const struct row *row = rows; row < rows + N_ROWS; row++) {
        struct scene s = scene_make(f);
        uint64_t sum = fake_sum(f);
        for (unsigned bit = 1; bit <= RIGHTS_ALL; bit <<= 1) {
            if (row->rights & bit)
                expect(row, bit, row_call(f, row, &s, all, row->rights & ~bit, row->carried_rights),
                       E_RIGHT);
            if (row->carried_rights & bit && row->with == WITH_SPACE)
                expect(row, bit << 16,
                       row_call(f, row, &s, all, row->rights, row->carried_rights & ~bit), E_RIGHT);
        }
        assert_true(fake_sum(f) == sum);
        expect(row, 0, row_call(f, row, &s, all, row->rights, row->carried_rights),
               row_success(row));
        scene_end(f, &s);
    }
}

// All rights that do not matter do not help; and what needs all of a space is refused through a window.
static void test_other_rights_and_windows(void **state)
{
    struct fake *f = *state;
    uint64_t all = f->vm.state->user_pages;
    for (const struct row *row = rows; row < rows + N_ROWS; row++) {
        unsigned most = row->by == BY_INIT ? RIGHTS_ALL : RIGHTS_SPACE;
        if (row->by == BY_TASK)
            continue;
        struct scene s = scene_make(f);
        for (unsigned bit = 1; bit <= RIGHTS_ALL; bit <<= 1)
            if (row->rights & bit)
                expect(row, bit, row_call(f, row, &s, all, most & ~bit, row->carried_rights),
                       E_RIGHT);
        expect(row, 0, row_call(f, row, &s, all - 1, row->rights, row->carried_rights),
               row->is_whole ? E_RIGHT : row_success(row));
        scene_end(f, &s);
    }
}

// A capability of the wrong kind, whatever its rights.
static void test_tasks_are_no_spaces(void **state)
{
    struct fake *f = *state;
    struct scene s = scene_make(f);
    for (const struct row *row = rows; row < rows + N_ROWS; row++) {
        uint64_t words[MESSAGE_WORDS] = {vmm_word0(row->request, 0)};
        struct fake_cap got;
        memcpy(words + 1, row->words, sizeof row->words);
        struct fake_cap by = row->by == BY_TASK ? f->init : s.task;
        expect(row, 0, fake_call(f, by, words, NULL, &got, NULL), E_RIGHT);
    }
    scene_end(f, &s);
}

// A request that is served has a row above.
static void test_every_request_has_a_row(void **state)
{
    struct fake *f = *state;
    for (unsigned request = 0; request < VMM_REQUESTS; request++) {
        bool is_found = false;
        for (unsigned i = 0; i < N_ROWS; i++)
            is_found |= rows[i].request == request;
        const uint64_t words[MESSAGE_WORDS] = {vmm_word0((enum vmm_request)request, 0)};
        if (!is_found)
            assert_int_equal(fake_call(f, f->init, words, NULL, NULL, NULL), E_NOSYS);
    }
}

// Ranges.

enum range_of { RANGE_CALLED, RANGE_CARRIED };

static const struct {
    enum vmm_request request;
    enum range_of whose;
    uint32_t flags;
    uint64_t words[5]; // where the range is not put
} ranges[] = {
    {VMM_MAP, RANGE_CALLED, MAP_LAZY | MAP_REPLACE, {0, 0, RW}},
    {VMM_UNMAP, RANGE_CALLED, 0, {0}},
    {VMM_PROTECT, RANGE_CALLED, 0, {0, 0, PROT_R}},
    {VMM_DERIVE, RANGE_CALLED, 0, {0, 0, RIGHT_QUERY}},
    {VMM_SHARE, RANGE_CALLED, 0, {0, 0, VA, PROT_R}},
    {VMM_MOVE, RANGE_CALLED, 0, {0, 0, VA, PROT_R}},
    {VMM_SHARE, RANGE_CARRIED, 0, {VA, 0, 0, PROT_R}},
    {VMM_MOVE, RANGE_CARRIED, 0, {VA, 0, 0, PROT_R}},
};

#define WINDOW_PAGES 8ull

// Whether a range lies in pages first .. end - 1, by arithmetic that has room.
static bool lies_in(uint64_t va, uint64_t pages, uint64_t first, uint64_t end)
{
    unsigned __int128 from = va >> 12, to = from + pages;
    return pages && !(va & 0xfff) && from >= first && to <= end;
}

static void try_range(struct fake *f, const struct fake_cap caps[2], unsigned row, uint64_t va,
                      uint64_t pages, uint64_t first, uint64_t end)
{
    uint64_t words[MESSAGE_WORDS] = {vmm_word0(ranges[row].request, ranges[row].flags)};
    struct fake_cap got = {CAP_NONE, 0};
    memcpy(words + 1, ranges[row].words, sizeof ranges[row].words);
    words[ranges[row].whose == RANGE_CALLED ? 1 : 3] = va;
    words[2] = pages;
    status_t status = fake_call(f, caps[0], words, &caps[1], &got, NULL);
    uint64_t user = f->vm.state->user_pages;
    status_t wanted = !lies_in(va, pages, 0, user)      ? E_INVAL
                      : !lies_in(va, pages, first, end) ? E_RIGHT
                                                        : OK;
    // The other side of SHARE and MOVE has as many pages, and that of the capability called is looked
    // at first.
    bool has_other = ranges[row].request == VMM_SHARE || ranges[row].request == VMM_MOVE;
    if (has_other && !lies_in(VA, pages, 0, user) &&
        (ranges[row].whose == RANGE_CARRIED || wanted == OK))
        wanted = E_INVAL;
    drop_new(f, &got);
    // What is in the window may fail by what is there.
    bool is_met = wanted == OK ? status != E_INVAL && status != E_RIGHT : status == wanted;
    if (!is_met) {
        print_error("request %d, range %u, va 0x%lx, %lu pages: %s, not %s\n", ranges[row].request,
                    row, va, pages, status_name(status), status_name(wanted));
        fail();
    }
}

static void test_borders(void **state)
{
    struct fake *f = *state;
    const uint64_t user = f->vm.state->user_pages, first = VA >> 12, end = first + WINDOW_PAGES;
    const uint64_t starts[] = {0,           1,
                               VA - 0x1000, VA,
                               VA + 8,      VA + 0x7000,
                               VA + 0x8000, (user - 1) << 12,
                               user << 12,  (user + 1) << 12,
                               1ull << 47,  1ull << 57,
                               1ull << 63,  0xffff800000000000,
                               ~0xfffull,   ~0ull};
    const uint64_t counts[] = {0,          1,          2,           8,          9,
                               user - 1,   user,       user + 1,    1ull << 45, (1ull << 52) - 1,
                               1ull << 52, 1ull << 63, ~0ull << 12, ~0ull - 1,  ~0ull};
    struct fake_cap a, b, window[2];
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_create(f, f->init, 0, &b), OK);
    assert_int_equal(fake_derive(f, a, VA, WINDOW_PAGES, RIGHTS_SPACE, &window[0]), OK);
    assert_int_equal(fake_derive(f, b, VA, WINDOW_PAGES, RIGHTS_SPACE, &window[1]), OK);
    for (unsigned row = 0; row < sizeof ranges / sizeof *ranges; row++) {
        bool is_called = ranges[row].whose == RANGE_CALLED;
        const struct fake_cap whole[] = {a, b};
        const struct fake_cap through[] = {is_called ? window[0] : a, is_called ? b : window[1]};
        for (unsigned i = 0; i < sizeof starts / sizeof *starts; i++)
            for (unsigned j = 0; j < sizeof counts / sizeof *counts; j++) {
                try_range(f, whole, row, starts[i], counts[j], 0, user);
                try_range(f, through, row, starts[i], counts[j], first, end);
            }
        assert_int_equal(fake_audit(f), 0);
    }
    struct fake_cap *caps[] = {&window[0], &window[1], &a, &b};
    for (unsigned i = 0; i < 4; i++)
        fake_drop(f, caps[i]);
}

// Requests with an address alone: QUERY wants it in the window, walks begin at it or behind.
static void test_borders_of_addresses(void **state)
{
    struct fake *f = *state;
    const uint64_t end = f->vm.state->user_pages << 12;
    const uint64_t outside[] = {end, end + 0x1000, 1ull << 63, ~0xfffull, ~0ull};
    uint64_t answer[MESSAGE_WORDS];
    struct fake_cap a, window;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, 0, f->vm.state->user_pages, PROT_R, MAP_LAZY), OK);
    assert_int_equal(fake_derive(f, a, VA, WINDOW_PAGES, RIGHTS_SPACE, &window), OK);
    for (unsigned i = 0; i < sizeof outside / sizeof *outside; i++) {
        const uint64_t maps[MESSAGE_WORDS] = {vmm_word0(VMM_MAPS, 0), outside[i] & ~0xfffull};
        assert_int_equal(fake_query(f, a, outside[i], answer), E_INVAL);
        assert_int_equal(fake_query(f, window, outside[i], answer), E_INVAL);
        assert_int_equal(fake_call(f, window, maps, NULL, NULL, answer), OK);
        assert_int_equal(answer[2], 0); // nothing is behind
        const uint64_t diff[MESSAGE_WORDS] = {vmm_word0(VMM_DIFF, 0), outside[i] & ~0xfffull};
        assert_int_equal(fake_call(f, window, diff, &a, NULL, answer), OK);
        assert_int_equal(answer[2], 0);
    }
    assert_int_equal(fake_query(f, a, end - 1, answer), OK);
    assert_int_equal(fake_query(f, window, VA + 0x7fff, answer), OK);
    assert_int_equal(fake_query(f, window, VA + 0x8000, answer), E_RIGHT);
    assert_int_equal(fake_query(f, window, VA - 1, answer), E_RIGHT);
    fake_drop(f, &window);
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_each_right_of_each_request),
        FAKE_TEST(test_other_rights_and_windows),
        FAKE_TEST(test_tasks_are_no_spaces),
        FAKE_TEST(test_every_request_has_a_row),
        FAKE_TEST(test_borders),
        FAKE_TEST(test_borders_of_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
