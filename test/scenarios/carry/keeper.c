// SPDX-License-Identifier: MIT
// Tells what came with a call, and answers with what it is asked for.
#include "test/scenarios/carry/stock.h"

// What the client is told of its call.
static struct message told(const struct result *call)
{
    uint64_t flags = call->word & (RESULT_CAP | RESULT_OWN | RESULT_OBJECT | RESULT_WANTS_CAP);
    uint64_t was_full = ipc_drop(GIFT) == OK;
    return (struct message){{flags, call->carried, was_full, call->badge}};
}

// Until nobody can call any more.
static bool serve(void)
{
    struct message m;
    struct result call = ipc_receive(COUNTER, GIFT, CALLER, &m);
    while (call.status == OK && call.kind == MESSAGE_CALL) {
        uint64_t request = m.w[0];
        slot_t send = request == GIVE ? (slot_t)m.w[1] : 0;
        slot_t receive = m.w[3] == NO_SLOT ? 0 : m.w[3] ? (slot_t)m.w[3] : GIFT;
        uint32_t flags = SYS_REPLY | (request == GIVE ? (uint32_t)m.w[2] : 0);
        if (request == DROP)
            (void)!ipc_drop((slot_t)m.w[1]);
        if (request == GIVE)
            (void)!ipc_drop(GIFT);
        else if (request != KEEP)
            m = told(&call);
        call = sys_invoke(sys_header(SYS_REPLY_RECV, COUNTER, send, receive, CALLER, flags), &m);
        if (call.status != OK) { // who asked still waits
            (void)!ipc_drop(GIFT);
            m = (struct message){{(uint64_t)(int64_t)call.status}};
            call = ipc_reply_receive(COUNTER, 0, receive, CALLER, &m);
        }
    }
    return call.status == OK && call.kind == MESSAGE_LAST_REFERENCE;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    bool is_ready = get("counter", COUNTER) == OK && get("self", SELF) == OK;
    check(is_ready && vmm_task_slots(SELF) == OK && serve(), "serves until nobody can call");
    return 0;
}
