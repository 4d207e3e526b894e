// SPDX-License-Identifier: MIT
// Share and move.
#include "servers/vmm/core/transfer.h"

#include "servers/vmm/core/frame.h"
#include "test/unit/fake/vmm/fake.h"

#define VA  0x400000ull
#define VA2 0x40000000ull
#define RW  (PROT_R | PROT_W)

struct two {
    struct fake_cap a, b;
};

static struct two new_spaces(struct fake *f)
{
    struct two t;
    assert_int_equal(fake_create(f, f->init, 0, &t.a), OK);
    assert_int_equal(fake_create(f, f->init, 0, &t.b), OK);
    assert_int_equal(fake_map(f, t.a, VA, 4, RW, 0), OK);
    return t;
}

static void drop_spaces(struct fake *f, struct two *t)
{
    fake_drop(f, &t->a);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &t->b);
}

static void expect(struct fake *f, struct fake_cap a, vaddr_t va, uint8_t wanted)
{
    uint8_t byte;
    assert_int_equal(fake_read(f, a, va, &byte), OK);
    assert_int_equal(byte, wanted);
}

static void test_share_is_coherent(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    assert_int_equal(fake_write(f, t.a, VA, 1), OK);
    assert_int_equal(fake_share(f, t.a, VA, 2, t.b, VA2, RW), OK);
    assert_int_equal(fake_audit(f), 0);
    expect(f, t.b, VA2, 1);
    assert_int_equal(fake_write(f, t.b, VA2 + 0x1000, 2), OK);
    expect(f, t.a, VA + 0x1000, 2);
    assert_int_equal(fake_write(f, t.a, VA, 3), OK);
    expect(f, t.b, VA2, 3);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_unmap(f, t.a, VA, 4), OK);
    assert_true(f->vm.state->n_free > before + 1); // the two private ones and tables
    expect(f, t.b, VA2, 3);
    drop_spaces(f, &t);
}

// C7: what is shared stays so in clones of either side; what is private does not.
static void test_share_and_clone(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    struct fake_cap c;
    assert_int_equal(fake_share(f, t.a, VA, 1, t.b, VA2, PROT_R), OK);
    for (unsigned mode = CLONE_COPY; mode <= CLONE_COW; mode++) {
        assert_int_equal(fake_clone(f, t.a, mode, 0, &c), OK);
        assert_int_equal(fake_write(f, c, VA, 5 + (uint8_t)mode), OK);
        expect(f, t.a, VA, 5 + (uint8_t)mode);
        expect(f, t.b, VA2, 5 + (uint8_t)mode);
        assert_int_equal(fake_write(f, c, VA + 0x1000, 7), OK);
        expect(f, t.a, VA + 0x1000, 0);
        assert_int_equal(fake_audit(f), 0);
        fake_drop(f, &c);
    }
    drop_spaces(f, &t);
}

// P8: no right above what the capabilities and the leaf allow; not later, not in a clone, not by a
// re-share.
static void test_share_keeps_rights(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    struct fake_cap narrow, c;
    unsigned rights = RIGHT_READ | RIGHT_SHARE | RIGHT_MAP;
    assert_int_equal(fake_derive(f, t.a, VA, 4, rights, &narrow), OK);
    assert_int_equal(fake_share(f, narrow, VA, 1, t.b, VA2, RW), E_RIGHT);
    assert_int_equal(fake_share(f, narrow, VA, 1, t.b, VA2, PROT_R), OK);
    assert_int_equal(fake_write(f, t.b, VA2, 1), E_FAULT);
    assert_int_equal(fake_protect(f, t.b, VA2, 1, RW), E_RIGHT);
    assert_int_equal(fake_share(f, t.b, VA2, 1, t.b, VA2 + 0x9000, RW), E_RIGHT);
    assert_int_equal(fake_move(f, t.b, VA2, 1, t.b, VA2 + 0x9000, RW), E_RIGHT);
    assert_int_equal(fake_share(f, t.b, VA2, 1, t.b, VA2 + 0x9000, PROT_R), OK);
    assert_int_equal(fake_protect(f, t.b, VA2 + 0x9000, 1, RW), E_RIGHT);
    assert_int_equal(fake_clone(f, t.b, CLONE_COW, 0, &c), OK);
    assert_int_equal(fake_protect(f, c, VA2, 1, RW), E_RIGHT);
    fake_drop(f, &c);
    fake_drop(f, &narrow);
    drop_spaces(f, &t);
}

// Without a right on the one or the other side nothing happens; M12: nor outside either window.
static void test_transfer_is_refused(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    struct fake_cap none = {CAP_NONE, 0}, from, to;
    assert_int_equal(fake_derive(f, t.a, VA, 2, RIGHTS_SPACE & ~RIGHT_SHARE, &from), OK);
    assert_int_equal(fake_derive(f, t.b, VA2, 2, RIGHTS_SPACE & ~RIGHT_MAP, &to), OK);
    uint64_t sum = fake_sum(f);
    assert_int_equal(fake_share(f, from, VA, 1, t.b, VA2, PROT_R), E_RIGHT);
    assert_int_equal(fake_move(f, from, VA, 1, t.b, VA2, PROT_R), E_RIGHT);
    assert_int_equal(fake_share(f, t.a, VA, 1, to, VA2, PROT_R), E_RIGHT);
    fake_drop(f, &from);
    fake_drop(f, &to);
    assert_int_equal(fake_derive(f, t.a, VA, 2, RIGHTS_SPACE, &from), OK);
    assert_int_equal(fake_derive(f, t.b, VA2, 2, RIGHTS_SPACE, &to), OK);
    assert_int_equal(fake_share(f, from, VA, 3, to, VA2, RW), E_RIGHT);
    assert_int_equal(fake_share(f, from, VA - 0x1000, 1, to, VA2, RW), E_RIGHT);
    assert_int_equal(fake_share(f, from, VA, 1, to, VA2 + 0x2000, RW), E_RIGHT);
    assert_int_equal(fake_share(f, from, VA, 1ull << 52, to, VA2, RW), E_INVAL);
    assert_int_equal(fake_share(f, from, VA, 1, to, VA2 + 1, RW), E_INVAL);
    assert_int_equal(fake_share(f, from, VA, 1, to, VA2, 7), E_WX);
    assert_int_equal(fake_share(f, from, VA, 1, none, VA2, RW), E_SLOT);
    assert_int_equal(fake_share(f, t.a, VA + 0x3000, 2, t.b, VA2, RW), E_FAULT); // a hole
    assert_int_equal(fake_map(f, t.b, VA2 + 0x1000, 1, RW, MAP_LAZY), OK);
    sum = fake_sum(f);
    assert_int_equal(fake_share(f, t.a, VA, 2, t.b, VA2, RW), E_EXISTS);
    assert_int_equal(fake_move(f, t.a, VA, 2, t.b, VA2, RW), E_EXISTS);
    assert_int_equal(fake_share(f, t.a, VA, 2, t.a, VA + 0x1000, RW), E_EXISTS); // over itself
    assert_true(fake_sum(f) == sum);
    fake_drop(f, &from);
    fake_drop(f, &to);
    drop_spaces(f, &t);
}

static void test_move_takes(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    struct fake_cap c;
    uint8_t byte;
    assert_int_equal(fake_write(f, t.a, VA, 1), OK);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_move(f, t.a, VA, 1, t.b, VA2, RW), OK);
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 1); // tables, no page
    expect(f, t.b, VA2, 1);
    assert_int_equal(fake_read(f, t.a, VA, &byte), E_FAULT);
    before = f->vm.state->n_free;
    assert_int_equal(fake_write(f, t.b, VA2, 2), OK);
    assert_int_equal(f->vm.state->n_free, before);
    // From a clone it is a copy that is taken; a shared page is copied too.
    assert_int_equal(fake_clone(f, t.b, CLONE_COW, 0, &c), OK);
    assert_int_equal(fake_move(f, c, VA2, 1, t.a, VA, RW), OK);
    assert_int_equal(fake_write(f, t.a, VA, 9), OK);
    expect(f, t.b, VA2, 2);
    assert_int_equal(fake_share(f, t.a, VA, 1, t.b, VA2 + 0x1000, RW), OK);
    assert_int_equal(fake_move(f, t.a, VA, 1, t.a, VA + 0x8000, RW), OK);
    assert_int_equal(fake_write(f, t.a, VA + 0x8000, 10), OK);
    expect(f, t.b, VA2 + 0x1000, 9);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &c);
    drop_spaces(f, &t);
}

static uint64_t charged(struct fake *f, struct fake_cap a)
{
    uint64_t answer[MESSAGE_WORDS];
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_STATS, 0)};
    assert_int_equal(fake_call(f, a, words, NULL, NULL, answer), OK);
    return answer[3];
}

// R8: the same frames twice in one space, and in two: each place is an attachment of its own. One
// that is taken, wholly or in part, is refused.
static void test_attached_twice(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    assert_int_equal(fake_share(f, t.a, VA, 2, t.b, VA2, RW), OK);
    assert_int_equal(fake_share(f, t.a, VA, 2, t.b, VA2 + 0x4000, RW), OK);
    assert_int_equal(fake_share(f, t.b, VA2, 2, t.a, VA2, RW), OK); // back, by way of the other
    uint64_t sum = fake_sum(f), n_free = f->vm.state->n_free;
    for (int at = -1; at <= 1; at++) // before it in part, the same, behind it in part
        assert_int_equal(fake_share(f, t.a, VA, 2, t.b, VA2 + (uint64_t)at * 0x1000, RW), E_EXISTS);
    assert_true(fake_sum(f) == sum && f->vm.state->n_free == n_free);
    assert_int_equal(fake_write(f, t.b, VA2 + 0x5000, 61), OK);
    expect(f, t.a, VA + 0x1000, 61);
    expect(f, t.a, VA2 + 0x1000, 61);
    expect(f, t.b, VA2 + 0x1000, 61);
    assert_int_equal(fake_unmap(f, t.b, VA2, 2), OK); // one place; the others stay
    expect(f, t.b, VA2 + 0x5000, 61);
    expect(f, t.a, VA2 + 0x1000, 61);
    assert_int_equal(fake_share(f, t.a, VA, 2, t.b, VA2, RW), OK); // the place is free again
    drop_spaces(f, &t);
}

// R8: a frame is its owner's: whoever else lets go of it frees nothing and gets nothing back, and
// the owner pays until the last one has.
static void test_only_the_owner_pays(void **state)
{
    struct fake *f = *state;
    struct fake_cap owner, guest;
    assert_int_equal(fake_create(f, f->init, 40, &owner), OK);
    assert_int_equal(fake_create(f, f->init, 40, &guest), OK);
    uint64_t empty = charged(f, guest);
    assert_int_equal(fake_map(f, owner, VA, 2, RW, 0), OK);
    assert_int_equal(fake_write(f, owner, VA, 5), OK);
    uint64_t paid = charged(f, owner);
    assert_int_equal(fake_share(f, owner, VA, 2, guest, VA2, RW), OK);
    assert_int_equal(charged(f, guest) - empty, f->info.levels - 1); // tables alone
    assert_int_equal(charged(f, owner), paid);
    assert_int_equal(fake_unmap(f, guest, VA2, 1), OK);
    expect(f, owner, VA, 5);
    assert_int_equal(charged(f, owner), paid);
    assert_int_equal(fake_unmap(f, owner, VA, 2), OK);
    assert_int_equal(charged(f, owner), paid - f->info.levels); // its tables, and the first page
    assert_int_equal(fake_unmap(f, guest, VA2, 2), OK);
    assert_int_equal(charged(f, guest), empty);
    assert_int_equal(charged(f, owner), paid - f->info.levels - 1);
    fake_drop(f, &owner);
    fake_drop(f, &guest);
}

// U9: the last capability to a space gone, its pages are mapped nowhere: not in a clone that shares
// its tables either, but for what that one has by itself. What it shared with others they keep.
static void test_last_capability(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    struct fake_cap second = fake_copy(f, t.a), clone;
    assert_int_equal(fake_write(f, t.a, VA, 7), OK);
    assert_int_equal(fake_share(f, t.a, VA, 1, t.b, VA2, RW), OK);
    uint64_t frames[4][MESSAGE_WORDS];
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(fake_query(f, t.a, VA + i * 0x1000, frames[i]), OK);
    assert_int_equal(fake_clone(f, t.a, CLONE_COW, 0, &clone), OK);
    assert_int_equal(fake_write(f, clone, VA + 0x1000, 8), OK);
    fake_drop(f, &t.a);
    expect(f, second, VA, 7); // not the last one
    fake_drop(f, &second);
    assert_int_equal(fake_audit(f), 0);
    for (unsigned i = 0; i < 4; i++) {
        const struct frame *frame = frame_of(&f->vm, frame_number(frames[i][4]));
        bool is_the_clones = i >= 2, is_the_others = i == 0;
        assert_int_equal(frame->kind == FRAME_PAGE, is_the_clones || is_the_others);
    }
    expect(f, clone, VA, 7);
    expect(f, clone, VA + 0x1000, 8);
    fake_drop(f, &clone);
    for (unsigned i = 1; i < 4; i++)
        assert_int_not_equal(frame_of(&f->vm, frame_number(frames[i][4]))->kind, FRAME_PAGE);
    expect(f, t.b, VA2, 7);
    fake_drop(f, &t.b);
    assert_int_not_equal(frame_of(&f->vm, frame_number(frames[0][4]))->kind, FRAME_PAGE);
}

// Lazy pages become real; parts of large pages are shared and moved as such.
static void test_lazy_and_large_sources(void **state)
{
    struct fake *f = *state;
    struct two t = new_spaces(f);
    assert_int_equal(fake_map(f, t.a, 1ull << 33, 1024, RW, MAP_LAZY), OK);
    assert_int_equal(fake_map(f, t.a, 1ull << 34, 512, RW, MAP_2M), OK);
    assert_int_equal(fake_share(f, t.a, (1ull << 33) + 0x1ff000, 2, t.b, VA2, RW), OK);
    assert_int_equal(fake_write(f, t.a, (1ull << 33) + 0x200000, 3), OK);
    expect(f, t.b, VA2 + 0x1000, 3);
    assert_int_equal(fake_share(f, t.a, (1ull << 34) + 0x3000, 2, t.b, VA2 + 0x10000, RW), OK);
    assert_int_equal(fake_write(f, t.b, VA2 + 0x10000, 4), OK);
    expect(f, t.a, (1ull << 34) + 0x3000, 4);
    assert_int_equal(fake_share(f, t.a, (1ull << 34), 512, t.b, VA2 << 1, RW), OK);
    expect(f, t.b, (VA2 << 1) + 0x3000, 4);
    assert_int_equal(fake_move(f, t.a, (1ull << 34) + 0x8000, 8, t.b, VA2 + 0x80000, RW), OK);
    assert_int_equal(fake_audit(f), 0);
    drop_spaces(f, &t);
}

// Few frames or little quota on either side: a typed error and nothing changed, until it succeeds.
static void test_transfer_without_memory(void **state)
{
    struct fake *f = *state;
    for (unsigned moves = 0; moves < 2; moves++) {
        struct two t = new_spaces(f);
        struct fake_cap c;
        status_t status;
        assert_int_equal(fake_map(f, t.a, VA + 0x4000, 4, RW, MAP_LAZY), OK);
        assert_int_equal(fake_clone(f, t.a, CLONE_COW, 0, &c), OK);
        unsigned k = 0;
        do {
            fake_starve(f, k);
            uint64_t sum = fake_sum(f);
            status = (moves ? fake_move : fake_share)(f, c, VA, 8, t.b, VA2 - 0x4000, RW);
            if (status != OK) {
                assert_int_equal(status, E_NOMEM);
                assert_true(fake_sum(f) == sum);
                assert_int_equal(f->vm.state->n_free, k);
            }
            fake_feed(f);
            assert_int_equal(fake_audit(f), 0);
            k++;
        } while (status != OK);
        assert_true(k > 12);
        fake_drop(f, &c);
        drop_spaces(f, &t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_share_is_coherent),
        FAKE_TEST(test_share_and_clone),
        FAKE_TEST(test_share_keeps_rights),
        FAKE_TEST(test_transfer_is_refused),
        FAKE_TEST(test_move_takes),
        FAKE_TEST(test_attached_twice),
        FAKE_TEST(test_only_the_owner_pays),
        FAKE_TEST(test_last_capability),
        FAKE_TEST(test_lazy_and_large_sources),
        FAKE_TEST(test_transfer_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
