// SPDX-License-Identifier: MIT
// Portals: minting, counting, the two reports, revoking. Cases R1, R4 and R9.
#include "kernel/portal.h"

#include "kernel/task.h"
#include "test/unit/fake/kernel/world.h"

static const struct portals *frame(void)
{
    return fake_frame(world.portals);
}

static void drop(struct task *t, slot_t slot)
{
    assert_status(SYS(t, DROP, .target = slot), OK);
}

static void numbers_name_frame_and_place(void **state)
{
    (void)state;
    struct portal *p;
    assert_status(portal_find(world.portals * PORTALS_PER_FRAME + 7, &p), OK);
    assert_ptr_equal(p, &frame()->place[7]);
    assert_int_equal(portal_number(p), world.portals * PORTALS_PER_FRAME + 7);
}

static void a_number_of_no_portal_is_refused(void **state)
{
    (void)state;
    struct portal *p = NULL;
    assert_status(portal_find(UNMAPPED_INDEX * PORTALS_PER_FRAME, &p), E_FAULT);
    assert_status(portal_find(UINT64_MAX, &p), E_FAULT);
    assert_status(portal_find(0, &p), E_STATE); // the VMM's task
    assert_null(p);
}

static void minting_makes_it_live(void **state)
{
    (void)state;
    struct endpoint *e = make_endpoint(world.vmm, 20);
    struct portal *p = portal_at(make_portal(world.vmm, 21, e, 5));
    assert_ptr_equal(p->endpoint, e);
    assert_int_equal(p->badge, 5);
    assert_int_equal(p->refs, 1);
    assert_int_equal(e->n_portals, 1);
    assert_int_equal(frame()->n_used, 1);
}

static void minting_again_adds_a_reference(void **state)
{
    (void)state;
    struct endpoint *e = make_endpoint(world.vmm, 20);
    uint64_t number = make_portal(world.vmm, 21, e, 5);
    mint_portal(number, world.vmm, 22, e, 5, SLOT_NOTIFY);
    assert_int_equal(portal_at(number)->refs, 2);
    assert_int_equal(slot_of(world.vmm, 22)->flags, SLOT_NOTIFY);
    assert_int_equal(e->n_portals, 1);
    assert_int_equal(frame()->n_used, 1);
}

static void a_badge_is_fixed_once_R1(void **state)
{
    (void)state;
    struct endpoint *e = make_endpoint(world.vmm, 20), *f = make_endpoint(world.vmm, 21);
    struct portal *p = portal_at(make_portal(world.vmm, 22, e, 5));
    assert_status(portal_mint(p, e, 6), E_STATE);
    assert_status(portal_mint(p, f, 5), E_STATE);
    assert_int_equal(p->refs, 1);
    assert_int_equal(p->badge, 5);
}

// R9: a place has no other life as long as a slot holds on to the last one.
static void a_dead_portal_is_not_minted(void **state)
{
    (void)state;
    struct endpoint *e = make_endpoint(world.vmm, 20);
    uint64_t number = make_portal(world.vmm, 21, e, 5);
    revoke(number);
    assert_status(portal_mint(portal_at(number), e, 5), E_STATE); // a slot still holds it
    drop(world.vmm, 21);
    assert_status(portal_mint(portal_at(number), e, 5), E_STATE); // its end is not heard of yet
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, PORTAL_UNUSED, 5, number, 0);
    mint_portal(number, world.vmm, 21, e, 6, SLOT_ALL); // free: another life
    assert_int_equal(portal_at(number)->badge, 6);
}

static void a_full_count_is_a_limit(void **state)
{
    (void)state;
    struct endpoint *e = make_endpoint(world.vmm, 20);
    struct portal *p = portal_at(make_portal(world.vmm, 21, e, 5));
    p->refs = UINT32_MAX;
    assert_status(portal_hold(p), E_LIMIT);
    assert_status(portal_mint(p, e, 5), E_LIMIT);
    assert_int_equal(p->refs, UINT32_MAX);
    p->refs = 1;
}

static void the_last_reference_is_told_once_R1(void **state)
{
    (void)state;
    struct service s = make_service();
    drop(s.client[0], CLIENT_PORTAL);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, LAST_REFERENCE, BADGE(0), s.portal[0], 0);
    assert_status(receive_poll(s.server), E_BUSY);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, PORTAL_UNUSED, BADGE(0), s.portal[0], 0);
    assert_status(machine_poll(), E_BUSY);
    assert_int_equal(s.endpoint->n_portals, CLIENTS - 1);
    assert_int_equal(frame()->n_used, CLIENTS - 1);
}

static void not_the_last_reference_is_not_told(void **state)
{
    (void)state;
    struct service s = make_service();
    mint_portal(s.portal[0], world.vmm, 21, s.endpoint, BADGE(0), SLOT_ALL);
    drop(s.client[0], CLIENT_PORTAL);
    assert_status(receive_poll(s.server), E_BUSY);
    drop(world.vmm, 21);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, LAST_REFERENCE, BADGE(0), s.portal[0], 0);
}

static void a_waiting_server_hears_at_once(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(receive(s.server), BLOCKED);
    drop(s.client[1], CLIENT_PORTAL);
    assert_message(s.server, LAST_REFERENCE, BADGE(1), s.portal[1], 0);
    assert_int_equal(slot_of(s.server, REPLY_SLOT)->type, SLOT_EMPTY);
}

static void minting_again_withdraws_the_report(void **state)
{
    (void)state;
    struct service s = make_service();
    drop(s.client[0], CLIENT_PORTAL);
    mint_portal(s.portal[0], world.vmm, 21, s.endpoint, BADGE(0), SLOT_ALL);
    assert_status(receive_poll(s.server), E_BUSY);
    drop(world.vmm, 21);
    assert_status(receive_poll(s.server), OK); // and it can be told again
    assert_message(s.server, LAST_REFERENCE, BADGE(0), s.portal[0], 0);
    assert_status(receive_poll(s.server), E_BUSY);
}

static void the_machines_own_portal_has_one_report(void **state)
{
    (void)state;
    uint64_t number = make_portal(world.vmm, 21, machine_endpoint, 9);
    drop(world.vmm, 21);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, LAST_REFERENCE, 9, number, 0);
    assert_status(machine_poll(), E_BUSY);
    assert_int_equal(frame()->n_used, 0);
}

static void a_holders_death_gives_its_references_up(void **state)
{
    (void)state;
    struct service s = make_service();
    destroy(s.client[0]);
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, LAST_REFERENCE, BADGE(0), s.portal[0], 0);
    assert_status(receive_poll(s.server), E_BUSY);
}

static void a_revoked_portal_fails_for_every_use_R4(void **state)
{
    (void)state;
    struct service s = make_service();
    struct task *c = s.client[0];
    revoke(s.portal[0]);
    assert_status(SYS(c, CALL, .target = CLIENT_PORTAL), E_REVOKED);
    assert_status(SYS(c, NOTIFY, .target = CLIENT_PORTAL), E_REVOKED);
    assert_status(SYS(s.client[1], CALL, .target = CLIENT_PORTAL), BLOCKED); // others go on
    assert_status(receive_poll(s.server), OK);
    assert_message(s.server, CALL, BADGE(1), 0, 0);
}

static void revoked_and_dropped_is_unused_once(void **state)
{
    (void)state;
    struct service s = make_service();
    revoke(s.portal[0]);
    assert_status(machine_poll(), E_BUSY); // a slot still points there
    drop(s.client[0], CLIENT_PORTAL);
    assert_status(receive_poll(s.server), E_BUSY); // its server knows, who revoked it
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, PORTAL_UNUSED, BADGE(0), s.portal[0], 0);
    assert_status(machine_poll(), E_BUSY);
}

static void revoking_the_unreferenced_replaces_the_report(void **state)
{
    (void)state;
    struct service s = make_service();
    drop(s.client[0], CLIENT_PORTAL);
    revoke(s.portal[0]);
    assert_status(receive_poll(s.server), E_BUSY);
    assert_status(machine_poll(), OK);
    assert_message(world.vmm, PORTAL_UNUSED, BADGE(0), s.portal[0], 0);
}

static void only_the_living_are_revoked(void **state)
{
    (void)state;
    struct service s = make_service();
    revoke(s.portal[0]);
    uint32_t live = s.endpoint->n_portals;
    revoke(s.portal[0]);
    revoke(world.next_portal); // never minted
    assert_int_equal(s.endpoint->n_portals, live);
    assert_true(portal_is_free(portal_at(world.next_portal)));
    assert_status(machine_poll(), E_BUSY); // nothing is reported
}

static void a_queued_message_is_a_reference_R4(void **state)
{
    (void)state;
    struct service s = make_service();
    assert_status(SYS(s.client[0], CALL, .target = CLIENT_PORTAL), BLOCKED);
    assert_int_equal(portal_at(s.portal[0])->refs, 2);
    revoke(s.portal[0]);
    assert_status(receive_poll(s.server), E_BUSY); // the message failed
    assert_status((int32_t)s.client[0]->regs.rax, E_REVOKED);
    assert_int_equal(portal_at(s.portal[0])->refs, 1);
}

static void a_frame_is_destroyed_when_no_place_is_used(void **state)
{
    (void)state;
    uint64_t number = make_portal(world.vmm, 21, machine_endpoint, 9);
    assert_status(destroy_step(frame()), E_BUSY);
    drop(world.vmm, 21);
    assert_status(destroy_step(frame()), E_BUSY); // its report is still linked
    assert_status(machine_poll(), OK);
    assert_status(destroy_step(frame()), OK);
    struct portal *p;
    assert_status(portal_find(number, &p), E_STATE);
    assert_status(MACHINE(OBJECT_CREATE, .w = {world.portals, OBJECT_PORTALS}), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(numbers_name_frame_and_place),
        KERNEL_TEST(a_number_of_no_portal_is_refused),
        KERNEL_TEST(minting_makes_it_live),
        KERNEL_TEST(minting_again_adds_a_reference),
        KERNEL_TEST(a_badge_is_fixed_once_R1),
        KERNEL_TEST(a_dead_portal_is_not_minted),
        KERNEL_TEST(a_full_count_is_a_limit),
        KERNEL_TEST(the_last_reference_is_told_once_R1),
        KERNEL_TEST(not_the_last_reference_is_not_told),
        KERNEL_TEST(a_waiting_server_hears_at_once),
        KERNEL_TEST(minting_again_withdraws_the_report),
        KERNEL_TEST(the_machines_own_portal_has_one_report),
        KERNEL_TEST(a_holders_death_gives_its_references_up),
        KERNEL_TEST(a_revoked_portal_fails_for_every_use_R4),
        KERNEL_TEST(revoked_and_dropped_is_unused_once),
        KERNEL_TEST(revoking_the_unreferenced_replaces_the_report),
        KERNEL_TEST(only_the_living_are_revoked),
        KERNEL_TEST(a_queued_message_is_a_reference_R4),
        KERNEL_TEST(a_frame_is_destroyed_when_no_place_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
