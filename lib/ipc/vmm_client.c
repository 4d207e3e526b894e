// SPDX-License-Identifier: MIT
#include "ipc/vmm_client.h"

// The kernel's status says whether the VMM was reached at all; only then is there a word 0.
static status_t step(slot_t grant, slot_t send, slot_t into, struct message *m, bool *got_cap)
{
    struct result result = ipc_call(grant, send, into, m);
    *got_cap = result.got_cap;
    return result.status != OK ? result.status : (status_t)m->w[0];
}

// A long request is made again and again, with the words that came back.
static status_t request_on(slot_t grant, slot_t send, slot_t into, struct message *m,
                           uint64_t word0)
{
    bool got_cap;
    status_t status;
    do {
        m->w[0] = word0;
        status = step(grant, send, into, m, &got_cap);
    } while (status == E_MORE && !got_cap);
    return status;
}

// E_MORE: a capability came whose space is not ready yet.
static status_t request(slot_t grant, slot_t send, slot_t into, struct message *m)
{
    const uint64_t word0 = m->w[0];
    bool got_cap;
    status_t status = step(grant, send, into, m, &got_cap);
    return status == E_MORE && !got_cap ? request_on(grant, send, into, m, word0) : status;
}

static status_t simple(slot_t grant, enum vmm_request opcode, uint64_t w1, uint64_t w2, uint64_t w3)
{
    struct message m = {{vmm_word0(opcode, 0), w1, w2, w3}};
    return request(grant, 0, 0, &m);
}

status_t vmm_create(slot_t grant, uint64_t quota, slot_t into)
{
    struct message m = {{vmm_word0(VMM_SPACE_CREATE, 0), quota}};
    return request(grant, 0, into, &m);
}

status_t vmm_create_limited(slot_t grant, uint64_t quota, uint64_t priority, slot_t into)
{
    struct message m = {{vmm_word0(VMM_SPACE_CREATE, 0), quota, priority}};
    return request(grant, 0, into, &m);
}

status_t vmm_clone(slot_t grant, enum clone_mode mode, uint64_t quota, slot_t into)
{
    struct message m = {{vmm_word0(VMM_SPACE_CLONE, 0), mode, quota}};
    status_t status = request(grant, 0, into, &m);
    if (status != E_MORE)
        return status;
    status = simple(into, VMM_SETTLE, 0, 0, 0); // while its pages are copied
    if (status != OK)
        (void)ipc_drop(into);
    return status;
}

// SPACE_DESTROY and REVOKE: who hears E_REVOKED when it is under way has been served.
static status_t take_back(slot_t grant, enum vmm_request opcode, slot_t victim)
{
    struct message m;
    status_t status;
    bool is_under_way = false, got_cap;
    do {
        m = (struct message){{vmm_word0(opcode, 0)}};
        status = step(grant, victim, 0, &m, &got_cap);
        is_under_way |= status == E_MORE && m.w[1];
    } while (status == E_MORE);
    return is_under_way && status == E_REVOKED ? OK : status;
}

status_t vmm_destroy(slot_t grant)
{
    return take_back(grant, VMM_SPACE_DESTROY, 0);
}

status_t vmm_map(slot_t grant, vaddr_t va, uint64_t pages, uint32_t prot, uint32_t flags)
{
    struct message m = {{vmm_word0(VMM_MAP, flags), va, pages, prot}};
    return request(grant, 0, 0, &m);
}

status_t vmm_unmap(slot_t grant, vaddr_t va, uint64_t pages)
{
    return simple(grant, VMM_UNMAP, va, pages, 0);
}

status_t vmm_protect(slot_t grant, vaddr_t va, uint64_t pages, uint32_t prot)
{
    return simple(grant, VMM_PROTECT, va, pages, prot);
}

status_t vmm_share(slot_t grant, vaddr_t va, uint64_t pages, slot_t to, vaddr_t va2, uint32_t prot)
{
    struct message m = {{vmm_word0(VMM_SHARE, 0), va, pages, va2, prot}};
    return request(grant, to, 0, &m);
}

status_t vmm_move(slot_t grant, vaddr_t va, uint64_t pages, slot_t to, vaddr_t va2, uint32_t prot)
{
    struct message m = {{vmm_word0(VMM_MOVE, 0), va, pages, va2, prot}};
    return request(grant, to, 0, &m);
}

status_t vmm_derive(slot_t grant, vaddr_t va, uint64_t pages, uint32_t rights, slot_t into)
{
    struct message m = {{vmm_word0(VMM_DERIVE, 0), va, pages, rights}};
    return request(grant, 0, into, &m);
}

status_t vmm_revoke(slot_t grant, slot_t victim)
{
    return take_back(grant, VMM_REVOKE, victim);
}

// QUERY and MAPS have the same words.
static status_t ask_page(slot_t grant, enum vmm_request opcode, vaddr_t va, struct vmm_page *page)
{
    const uint64_t prot_mask = PROT_R | PROT_W | PROT_X;
    struct message m = {{vmm_word0(opcode, 0), va}};
    status_t status = request(grant, 0, 0, &m);
    if (status == OK) {
        *page = (struct vmm_page){
            .start = m.w[1],
            .pages = m.w[2],
            .prot = (uint32_t)(m.w[3] & prot_mask),
            .flags = (uint32_t)(m.w[3] & ~prot_mask),
            .frame = m.w[4],
        };
    }
    return status;
}

status_t vmm_query(slot_t grant, vaddr_t va, struct vmm_page *page)
{
    return ask_page(grant, VMM_QUERY, va, page);
}

status_t vmm_stats(slot_t grant, struct vmm_stats *stats)
{
    struct message m = {{vmm_word0(VMM_STATS, 0)}};
    status_t status = request(grant, 0, 0, &m);
    if (status == OK) {
        *stats = (struct vmm_stats){
            .pages = m.w[1],
            .tables = m.w[2],
            .charged = m.w[3],
            .quota = m.w[4],
            .free = m.w[5],
        };
    }
    return status;
}

status_t vmm_audit(slot_t grant, uint64_t *frames, uint64_t *errors)
{
    struct message m = {{vmm_word0(VMM_AUDIT, 0)}};
    status_t status = request(grant, 0, 0, &m);
    if (status == OK) {
        *frames = m.w[1];
        *errors = m.w[2];
    }
    return status;
}

status_t vmm_spawn(slot_t grant, vaddr_t rip, vaddr_t rsp, uint64_t arg, uint32_t priority,
                   slot_t parent, slot_t into)
{
    struct message m = {{vmm_word0(VMM_SPAWN, 0), rip, rsp, arg, priority}};
    return request(grant, parent, into, &m);
}

status_t vmm_kill(slot_t task)
{
    return simple(task, VMM_TASK_KILL, 0, 0, 0);
}

status_t vmm_wait(slot_t task, struct vmm_exit *exit)
{
    struct message m = {{vmm_word0(VMM_TASK_WAIT, 0)}};
    status_t status = request(task, 0, 0, &m);
    if (status == OK) {
        *exit = (struct vmm_exit){
            .kind = (enum exit_kind)m.w[1],
            .code = m.w[2],
            .address = m.w[3],
            .rip = m.w[4],
            .error = (uint32_t)m.w[5],
            .reason = (status_t)(m.w[5] >> 32),
        };
    }
    return status;
}

status_t vmm_endpoint(slot_t grant, slot_t into)
{
    struct message m = {{vmm_word0(VMM_ENDPOINT, 0)}};
    return request(grant, 0, into, &m);
}

status_t vmm_portal(slot_t grant, slot_t endpoint, uint64_t badge, uint32_t flags, slot_t into)
{
    struct message m = {{vmm_word0(VMM_PORTAL, 0), badge, flags}};
    return request(grant, endpoint, into, &m);
}

status_t vmm_power_off(slot_t grant, uint64_t code)
{
    return simple(grant, VMM_POWER_OFF, code, 0, 0);
}

status_t vmm_snapshot(slot_t grant, uint64_t quota, slot_t into)
{
    struct message m = {{vmm_word0(VMM_SNAPSHOT, 0), quota}};
    return request(grant, 0, into, &m);
}

status_t vmm_diff(slot_t grant, slot_t other, vaddr_t *va, uint64_t *pages)
{
    struct message m = {{vmm_word0(VMM_DIFF, 0), *va}};
    status_t status = request(grant, other, 0, &m);
    if (status == OK) {
        *va = m.w[1];
        *pages = m.w[2];
    }
    return status;
}

status_t vmm_rollback(slot_t grant, slot_t snapshot)
{
    struct message m = {{vmm_word0(VMM_ROLLBACK, 0)}};
    return request(grant, snapshot, 0, &m);
}

status_t vmm_maps(slot_t grant, vaddr_t va, struct vmm_page *page)
{
    return ask_page(grant, VMM_MAPS, va, page);
}

status_t vmm_task_slots(slot_t task)
{
    return simple(task, VMM_TASK_SLOTS, 0, 0, 0);
}

status_t vmm_spawn_probe(slot_t grant, uint32_t priority, slot_t parent, slot_t into)
{
    struct message m = {{vmm_word0(VMM_SPAWN, SPAWN_PROBE), 0, 0, 0, priority}};
    return request(grant, parent, into, &m);
}

status_t vmm_set_pager(slot_t grant, vaddr_t va, uint64_t pages, uint32_t prot, uint32_t flags,
                       slot_t portal)
{
    struct message m = {{vmm_word0(VMM_SET_PAGER, flags), va, pages, prot}};
    return request(grant, portal, 0, &m);
}

status_t vmm_task_pager(slot_t task, slot_t portal)
{
    struct message m = {{vmm_word0(VMM_TASK_PAGER, 0)}};
    return request(task, portal, 0, &m);
}

// The reply capability must be sent as if it was moved; it is only shown.
status_t vmm_supply(slot_t grant, vaddr_t va, uint64_t pages, slot_t fault, vaddr_t va2,
                    uint32_t prot, uint32_t flags)
{
    struct message m = {{0, va, pages, va2, prot}};
    struct result result;
    do {
        m.w[0] = vmm_word0(VMM_SUPPLY, flags);
        result = sys_invoke(sys_header(SYS_CALL, grant, fault, 0, 0, SYS_MOVE), &m);
    } while (result.status == OK && (status_t)m.w[0] == E_MORE);
    return result.status != OK ? result.status : (status_t)m.w[0];
}

status_t vmm_explain(slot_t grant, vaddr_t va, uint32_t access, unsigned item, struct message *m)
{
    *m = (struct message){{vmm_word0(VMM_EXPLAIN, 0), va, access, item}};
    return request(grant, 0, 0, m);
}
