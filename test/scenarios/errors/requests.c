// SPDX-License-Identifier: MIT
// Requests to the VMM with random opcodes, words and capabilities, on spaces made for the purpose:
// each is answered with a status, and afterwards the VMM still works.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/lib/random.h"

enum { GROUND = SLOT_FREE, OTHER, ENDPOINT, ANSWER, EMPTY };

#define ROUNDS 3000u
#define QUOTA  64u
#define SEED   0xbad5eedull

static void test_opcodes(void)
{
    struct message m = {{vmm_word0(VMM_REQUESTS, 0)}};
    status_t status = ipc_call(GROUND, 0, 0, &m).status;
    check(status == OK && (status_t)m.w[0] == E_NOSYS, "a request that there is not");
    m = (struct message){{VMM_QUERY | (VMM_VERSION + 1) << 16}};
    status = ipc_call(GROUND, 0, 0, &m).status;
    check(status == OK && (status_t)m.w[0] == E_VERSION, "another version of the protocol");
    struct vmm_exit end;
    check_status(vmm_wait(GROUND, &end), E_RIGHT, "waits for a space as if it were a task");
}

static bool is_status(uint64_t word)
{
    status_t status = (status_t)word;
    return word == (uint64_t)(int64_t)status && status_name(status)[2] != '?';
}

static bool request_is_survived(uint64_t *seed)
{
    static const slot_t sends[] = {0, 0, 0, OTHER, OTHER, GROUND, ENDPOINT};
    enum vmm_request opcode = random_next(seed) % VMM_REQUESTS;
    slot_t send = sends[random_next(seed) % 7];
    struct message m = {{vmm_word0(opcode, random_next(seed) & 3)}};
    for (unsigned i = 1; i < MESSAGE_WORDS; i++)
        m.w[i] = random_word(seed);
    if (opcode == VMM_SPACE_DESTROY || opcode == VMM_REVOKE)
        return true; // the others would have nothing to work on
    struct result result = ipc_call(GROUND, send, ANSWER, &m);
    if (result.got_cap && ipc_drop(ANSWER) != OK)
        return false;
    return result.status == OK && is_status(m.w[0]);
}

static void test_random(void)
{
    uint64_t seed = SEED;
    unsigned wrong = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        wrong += !request_is_survived(&seed);
    check(wrong == 0, "%u random requests, seed 0x%lx (%u wrong)", ROUNDS, (uint64_t)SEED, wrong);
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (vmm_create(SLOT_SELF, QUOTA, GROUND) != OK || vmm_create(SLOT_SELF, QUOTA, OTHER) != OK ||
        vmm_endpoint(SLOT_SELF, ENDPOINT) != OK)
        return 1;
    test_opcodes();
    test_random();
    status_t status = vmm_destroy(GROUND);
    if (status == OK)
        status = vmm_destroy(OTHER);
    check_status(status, OK, "the spaces are destroyed");
    return 0;
}
