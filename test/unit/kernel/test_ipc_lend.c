// SPDX-License-Identifier: MIT
// A capability lent with a call: it is gone when the reply is given, whatever the server did with it.
#include "test/unit/fake/kernel/world.h"

#define CARGO 20u
#define KEPT  41u // the server's slot for a reply capability that it keeps

// A service whose client 0 has called and lent a portal, which the server holds in RECEIVE_SLOT.
struct loan {
    struct service s;
    struct task *client;
    uint64_t number;
};

static void make_cargo(struct loan *loan)
{
    loan->s = make_service();
    loan->client = loan->s.client[0];
    struct endpoint *home = make_endpoint(world.vmm, 21);
    loan->number = world.next_portal++;
    mint_portal(loan->number, world.vmm, CARGO, home, 0x77, SLOT_ALL);
    struct slot *from = slot_of(world.vmm, CARGO), *to = slot_of(loan->client, CARGO);
    assert_status(slot_transfer(from, to, true, 0), OK);
}

static status_t lend(struct loan *loan, uint32_t flags)
{
    return SYS(loan->client, CALL, .target = CLIENT_PORTAL, .send = CARGO,
               .flags = SYS_LEND | flags);
}

static struct loan make_loan(void)
{
    struct loan loan;
    make_cargo(&loan);
    assert_status(lend(&loan, 0), BLOCKED);
    assert_status(receive_poll(loan.s.server), OK);
    assert_message(loan.s.server, CALL, BADGE(0), 0, RESULT_CAP);
    assert_int_equal(slot_of(loan.s.server, RECEIVE_SLOT)->type, SLOT_PORTAL);
    return loan;
}

static void assert_over(const struct loan *loan)
{
    assert_int_equal(slot_of(loan->s.server, RECEIVE_SLOT)->type, SLOT_EMPTY);
    assert_null(loan->client->lent);
    assert_int_equal(slot_of(loan->client, CARGO)->type, SLOT_PORTAL);
    assert_int_equal(portal_at(loan->number)->refs, 1);
}

static void it_is_gone_with_the_reply(void **state)
{
    (void)state;
    struct loan loan = make_loan();
    assert_status(SYS(loan.s.server, NOTIFY, .target = RECEIVE_SLOT), OK); // it works
    assert_status(answer_poll(loan.s.server, 0), E_BUSY);
    assert_over(&loan);
    assert_status(SYS(loan.s.server, NOTIFY, .target = RECEIVE_SLOT), E_SLOT);
}

static void it_cannot_be_passed_on(void **state)
{
    (void)state;
    struct loan loan = make_loan();
    assert_int_equal(slot_of(loan.s.server, RECEIVE_SLOT)->flags, SLOT_CALL | SLOT_NOTIFY);
    assert_status(answer_poll(loan.s.server, RECEIVE_SLOT), E_RIGHT);
    assert_int_equal(loan.client->state, TASK_ANSWER);
}

static void it_may_be_given_back_early(void **state)
{
    (void)state;
    struct loan loan = make_loan();
    assert_status(SYS(loan.s.server, DROP, .target = RECEIVE_SLOT), OK);
    assert_over(&loan);
    assert_status(answer_poll(loan.s.server, 0), E_BUSY);
}

static void it_ends_with_a_dropped_reply(void **state)
{
    (void)state;
    struct loan loan = make_loan();
    assert_status(SYS(loan.s.server, DROP, .target = REPLY_SLOT), OK);
    assert_over(&loan);
    assert_status((int32_t)loan.client->regs.rax, E_DEAD);
}

static void it_ends_with_the_lender(void **state)
{
    (void)state;
    struct loan loan = make_loan();
    destroy(loan.client);
    assert_int_equal(slot_of(loan.s.server, RECEIVE_SLOT)->type, SLOT_EMPTY);
}

static void it_ends_with_the_borrower(void **state)
{
    (void)state;
    struct loan loan = make_loan();
    destroy(loan.s.server);
    assert_null(loan.client->lent);
    assert_int_equal(portal_at(loan.number)->refs, 1);
    assert_status((int32_t)loan.client->regs.rax, E_DEAD);
}

static void a_kept_reply_keeps_the_loan(void **state)
{
    (void)state;
    struct loan loan = make_loan();
    assert_status(
        SYS(loan.s.server, REPLY_RECV, .target = SERVER_ENDPOINT, .reply = KEPT, .flags = SYS_POLL),
        E_BUSY);
    assert_int_equal(slot_of(loan.s.server, RECEIVE_SLOT)->type, SLOT_PORTAL);
    assert_status(SYS(loan.s.server, REPLY_RECV, .reply = REPLY_SLOT, .flags = SYS_REPLY), OK);
    assert_over(&loan);
}

static void it_cannot_be_moved_or_taken_without_the_right(void **state)
{
    (void)state;
    struct loan loan;
    make_cargo(&loan);
    assert_status(lend(&loan, SYS_MOVE), E_INVAL);
    slot_of(loan.client, CARGO)->flags = SLOT_CALL | SLOT_MOVE;
    assert_status(lend(&loan, 0), E_RIGHT);
    assert_int_equal(slot_of(loan.client, CARGO)->type, SLOT_PORTAL);
}

// Whoever waits at an endpoint counts on his right to: it may not end meanwhile.
static void a_receive_right_is_not_lent(void **state)
{
    (void)state;
    struct loan loan;
    make_cargo(&loan);
    struct slot *cargo = slot_of(loan.client, CARGO);
    slot_drop(cargo);
    make_endpoint(world.vmm, 22);
    assert_status(slot_transfer(slot_of(world.vmm, 22), cargo, true, 0), OK);
    assert_status(lend(&loan, 0), E_INVAL);
    assert_int_equal(cargo->type, SLOT_ENDPOINT);
    assert_int_equal(cargo->endpoint->refs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(it_is_gone_with_the_reply),
        KERNEL_TEST(it_cannot_be_passed_on),
        KERNEL_TEST(it_may_be_given_back_early),
        KERNEL_TEST(it_ends_with_a_dropped_reply),
        KERNEL_TEST(it_ends_with_the_lender),
        KERNEL_TEST(it_ends_with_the_borrower),
        KERNEL_TEST(a_kept_reply_keeps_the_loan),
        KERNEL_TEST(it_cannot_be_moved_or_taken_without_the_right),
        KERNEL_TEST(a_receive_right_is_not_lent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
