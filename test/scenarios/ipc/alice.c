// SPDX-License-Identifier: MIT
// A client that asks for everything, also for what it must not get.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/ipc/service.h"

enum { SERVICE = SLOT_FREE, BELL_SLOT, SHOUT, MINE, GIVEN, EMPTY };

#define MOVE_ONLY (SYS_MOVE | SYS_MASK(SLOT_COPY | SLOT_MOVE))

// A call that sends `send` with the flags given.
static struct result call_with(slot_t send, uint32_t flags, struct message *m)
{
    return sys_invoke(sys_header(SYS_CALL, SERVICE, send, 0, 0, flags), m);
}

// After a call that the server took without naming a slot for a capability.
static status_t let_it_listen(void)
{
    struct message m = {{ECHO}};
    return ipc_call(SERVICE, 0, 0, &m).status;
}

static status_t make_mine(void)
{
    return vmm_derive(SLOT_SELF, 0x400000, 1, RIGHT_QUERY, MINE);
}

static void test_words(void)
{
    struct message m = {{ECHO, 2, 3, 4, 5, 6}};
    status_t status = ipc_call(SERVICE, 0, 0, &m).status;
    check(status == OK && m.w[1] == 2 && m.w[2] == 3 && m.w[3] == 4 && m.w[4] == 5 && m.w[5] == 6,
          "six words go there and back");
    check(m.w[0] == ALICE, "the server knows the caller by its badge");
}

static void test_replies(void)
{
    struct message m = {{FORWARD, 77}};
    status_t status = ipc_call(SERVICE, 0, 0, &m).status;
    check(status == OK && m.w[0] == BACK_DOOR && m.w[1] == 77, "a forwarded call is answered");
    m = (struct message){{DROP}};
    check_status(ipc_call(SERVICE, 0, 0, &m).status, E_DEAD, "a dropped call ends with E_DEAD");
}

static void test_bad_slots(void)
{
    struct message m = {{ECHO}};
    check_status(ipc_call(EMPTY, 0, 0, &m).status, E_SLOT, "an empty slot cannot be called");
    check_status(ipc_call(SLOT_MAX, 0, 0, &m).status, E_SLOT, "nor one that is not there");
    check_status(ipc_call(SERVICE, EMPTY, 0, &m).status, E_SLOT, "an empty slot cannot be sent");
    check_status(ipc_call(SERVICE, 0, BELL_SLOT, &m).status, E_OCCUPIED,
                 "an answer's capability needs an empty slot");
    check_status(ipc_drop(EMPTY), E_SLOT, "an empty slot cannot be dropped");
}

static void test_slot_flags(void)
{
    struct message m = {{ECHO}};
    check_status(ipc_call(BELL_SLOT, 0, 0, &m).status, E_RIGHT, "a bell cannot be called");
    check_status(ipc_notify(BELL_SLOT), OK, "it can be rung");
    check_status(ipc_notify(SHOUT), E_RIGHT, "a portal without the notify flag cannot be rung");
    m = (struct message){{LOOK}};
    check_status(call_with(SHOUT, 0, &m).status, E_RIGHT, "nor copied without the copy flag");
    check_status(call_with(BELL_SLOT, SYS_MOVE, &m).status, E_RIGHT,
                 "what has no move flag stays where it is");
}

static void test_carrying(void)
{
    check_status(make_mine(), OK, "derives a capability to give away");
    struct message m = {{LOOK}};
    status_t status = call_with(MINE, 0, &m).status;
    check(status == OK && m.w[0] == LOOK_CAPABILITY && m.w[1] == OK,
          "the server uses a copy of it");
    m = (struct message){{LOOK}};
    status = call_with(BELL_SLOT, 0, &m).status;
    check(status == OK && m.w[0] == LOOK_OWN && m.w[1] == BELL,
          "the server's own portal comes home as its badge");
    m = (struct message){{DEAF}};
    status = ipc_call(SERVICE, 0, 0, &m).status;
    m = (struct message){{LOOK}};
    check(status == OK && call_with(MINE, 0, &m).status == E_NOSLOT,
          "a receiver that named no slot gets no capability");
    status = let_it_listen();
    m = (struct message){{LOOK}};
    if (status == OK)
        status = call_with(MINE, SYS_MOVE, &m).status;
    check(status == OK && m.w[0] == LOOK_CAPABILITY && m.w[1] == OK, "it is moved there");
    check_status(ipc_drop(MINE), E_SLOT, "and is here no more");
}

static void test_returning(void)
{
    struct vmm_page page;
    struct message m = {{RETURN}};
    status_t status = make_mine();
    if (status == OK)
        status = ipc_call(SERVICE, MINE, GIVEN, &m).status;
    check(status == OK && m.w[0] == OK && vmm_query(GIVEN, 0x400000, &page) == OK,
          "an answer brings a capability");
    check_status(ipc_drop(GIVEN), OK, "which can be dropped");
    status = let_it_listen();
    m = (struct message){{RETURN}};
    if (status == OK)
        status = call_with(MINE, MOVE_ONLY, &m).status;
    check(status == OK && (status_t)m.w[0] == E_RIGHT,
          "without copy and move flags the server cannot pass it on");
}

static void test_gifts(void)
{
    struct vmm_page page;
    struct message m = {{GIFT}};
    struct result result = ipc_call(SERVICE, 0, GIVEN, &m);
    check(result.status == OK && result.got_cap && m.w[0] == true &&
              vmm_query(GIVEN, 0x400000, &page) == OK,
          "an answer brings a capability of the server's");
    m = (struct message){{GIFT}};
    result = ipc_call(SERVICE, 0, 0, &m);
    check(result.status == OK && !result.got_cap && m.w[0] == false,
          "the server sees that none is wanted");
    check_status(ipc_drop(GIVEN), OK, "which can be dropped, too");
}

static void test_all(void)
{
    test_words();
    test_bad_slots();
    test_slot_flags();
    test_carrying();
    test_returning();
    test_gifts();
}

// The kernel's fast paths leave tasks alone whose FPU state is in the CPU: all is done once more the
// general way, which must not make a difference.
static void use_fpu(void)
{
    __asm__ volatile("xorps %xmm0, %xmm0");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (get("service", SERVICE) != OK || get("bell", BELL_SLOT) != OK || get("shout", SHOUT) != OK)
        return 1;
    test_replies();
    test_all();
    use_fpu();
    test_all();
    return 0;
}
