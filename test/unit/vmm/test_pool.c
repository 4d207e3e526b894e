// SPDX-License-Identifier: MIT
// Records in frames: 63 to a frame, each frame one account's.
#include "servers/vmm/core/pool.h"

#include <stdlib.h>

#include "servers/vmm/core/account.h"
#include "servers/vmm/core/frame.h"
#include "test/unit/fake/vmm/fake.h"

#define N 300u

static void test_many_records(void **state)
{
    struct fake *f = *state;
    static record_t ids[N];
    record_t account;
    assert_int_equal(account_create(&f->vm, f->vm.state->root_account, 50, &account), OK);
    srand(5);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(record_alloc(&f->vm, account, RECORD_ENDPOINT, &ids[i]), OK);
        uint8_t *bytes = record_at(&f->vm, ids[i], RECORD_ENDPOINT);
        for (unsigned j = 1; j < RECORD_BYTES; j++) {
            assert_int_equal(bytes[j], 0);
            bytes[j] = (uint8_t)i;
        }
    }
    assert_int_equal(account_of(&f->vm, account)->charged, 5); // 63 to a frame
    for (unsigned i = 0; i < N; i++) {
        const uint8_t *bytes = record_at(&f->vm, ids[i], RECORD_ENDPOINT);
        assert_int_equal(bytes[RECORD_BYTES - 1], (uint8_t)i);
    }
    // Freed and taken in any order, the places are used again.
    for (unsigned i = 0; i < 2000; i++) {
        unsigned pick = (unsigned)rand() % N;
        record_free(&f->vm, ids[pick]);
        assert_int_equal(record_alloc(&f->vm, account, RECORD_ENDPOINT, &ids[pick]), OK);
    }
    assert_true(account_of(&f->vm, account)->charged <= 6);
    for (unsigned i = 0; i < N; i++) {
        unsigned j = i + (unsigned)rand() % (N - i);
        record_free(&f->vm, ids[j]);
        ids[j] = ids[i];
    }
    assert_int_equal(account_of(&f->vm, account)->charged, 0);
    account_release(&f->vm, account);
    vmm_settle(&f->vm);
}

static void test_no_quota(void **state)
{
    struct fake *f = *state;
    record_t account, id = 77;
    assert_int_equal(account_create(&f->vm, f->vm.state->root_account, 1, &account), OK);
    struct account *a = account_of(&f->vm, account);
    a->quota = 0;
    assert_int_equal(record_alloc(&f->vm, account, RECORD_ENDPOINT, &id), E_QUOTA);
    assert_int_equal(id, 77);
    a->quota = 1;
    assert_int_equal(record_alloc(&f->vm, account, RECORD_ENDPOINT, &id), OK);
    record_free(&f->vm, id);
    account_release(&f->vm, account);
    vmm_settle(&f->vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {FAKE_TEST(test_many_records), FAKE_TEST(test_no_quota)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
