// SPDX-License-Identifier: MIT
// Serves until nobody is left who could call: the last references tell.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/ipc/service.h"

enum { SERVICE = SLOT_FREE, BACKROOM, RECEIVED, CALLER, GIFT_SLOT };

static struct result call; // the one being served
static struct message m;

static void receive(void)
{
    call = ipc_receive(SERVICE, RECEIVED, CALLER, &m);
}

// Answers and waits; `receive_slot` is for the capability that the next call may carry.
static void answer(slot_t send, slot_t receive_slot)
{
    call = ipc_reply_receive(SERVICE, send, receive_slot, CALLER, &m);
}

static void answer_status(status_t status)
{
    m = (struct message){{(uint64_t)(int64_t)status}};
    answer(0, RECEIVED);
}

static void serve_look(void)
{
    struct vmm_page page;
    m = (struct message){{LOOK_NOTHING}};
    if (call.got_own)
        m = (struct message){{LOOK_OWN, call.carried}};
    if (call.got_cap) {
        status_t status = vmm_query(RECEIVED, 0x400000, &page);
        m = (struct message){{LOOK_CAPABILITY, (uint64_t)(int64_t)status}};
        (void)!ipc_drop(RECEIVED);
    }
    answer(0, RECEIVED);
}

// An answer that fails has not been given: there is another try.
static void serve_return(void)
{
    m = (struct message){{OK}};
    answer(RECEIVED, 0);
    status_t status = call.status;
    (void)!ipc_drop(RECEIVED);
    if (status != OK)
        answer_status(status);
}

static void serve_call(void)
{
    switch (m.w[0]) {
    case ECHO:
        m.w[0] = call.badge;
        answer(0, RECEIVED);
        break;
    case FORWARD:
        check_status(ipc_forward(CALLER, BACKROOM, &m), OK, "forwards a caller to the back room");
        receive();
        break;
    case DROP:
        check_status(ipc_drop(CALLER), OK, "drops a caller");
        receive();
        break;
    case LOOK:
        serve_look();
        break;
    case RETURN:
        serve_return();
        break;
    case GIFT:
        m.w[0] = call.wants_cap;
        answer(call.wants_cap ? GIFT_SLOT : 0, RECEIVED);
        break;
    default: // DEAF
        answer(0, 0);
        break;
    }
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    bool has_alice = true, has_bob = true, has_rung = false;
    if (get("service", SERVICE) != OK || get("backroom", BACKROOM) != OK ||
        vmm_derive(SLOT_SELF, 0x400000, 1, RIGHT_QUERY, GIFT_SLOT) != OK)
        return 1;
    receive();
    while (call.status == OK) {
        if (call.kind == MESSAGE_CALL) {
            serve_call();
            continue;
        }
        has_rung = has_rung || (call.kind == MESSAGE_NOTIFICATION && m.w[0] == BELL);
        has_alice = has_alice && !(call.kind == MESSAGE_LAST_REFERENCE && call.badge == ALICE);
        has_bob = has_bob && !(call.kind == MESSAGE_LAST_REFERENCE && call.badge == BOB);
        if (!has_alice && !has_bob)
            break;
        receive();
    }
    check(has_rung, "hears the bell");
    check(!has_alice && !has_bob, "hears of the last reference to each portal");
    return 0;
}
