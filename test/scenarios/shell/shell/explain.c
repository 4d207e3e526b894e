// SPDX-License-Identifier: MIT
// Why an access is allowed or refused.
#include "arch/pte.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/command.h"

#define LEVELS_MAX 5u

// The outcome's words, by name.
struct outcome {
    enum explain_outcome outcome;
    unsigned denies; // level; 0: none
    uint32_t prot, max, flags;
    uint64_t payer; // account
    uint64_t space, account;
};

static status_t ask(slot_t slot, vaddr_t va, uint32_t access, struct outcome *o)
{
    struct message m;
    status_t status = vmm_explain(slot, va, access, 0, &m);
    if (status != OK)
        return status;
    *o = (struct outcome){
        .outcome = (enum explain_outcome)(m.w[1] & 0xff),
        .denies = (unsigned)(m.w[1] >> 8),
        .prot = (uint32_t)m.w[2] & (PROT_R | PROT_W | PROT_X),
        .flags = (uint32_t)m.w[2],
        .max = (uint32_t)m.w[3],
        .payer = m.w[4],
        .space = (uint32_t)m.w[5],
        .account = m.w[5] >> 32,
    };
    return OK;
}

// The user's name of a space, or of the first whose account that is; "" if it has none.
static const char *find_name(const struct shell *shell, uint64_t space, uint64_t account)
{
    for (unsigned i = 0; i < SPACES_MAX; i++) {
        struct outcome o;
        const struct name *name = &shell->names.at[i];
        if (name->kind != NAME_FREE && ask(name_slot(&shell->names, name), 0, PROT_R, &o) == OK &&
            (space != 0 ? o.space == space : o.account == account))
            return name->text;
    }
    return "";
}

static const char *kind_text(uint32_t flags)
{
    return flags & PAGE_DEVICE   ? "device"
           : flags & PAGE_MAPPED ? "page"
           : flags & PAGE_LAZY   ? "lazy"
           : flags & PAGE_PAGED  ? "paged"
                                 : "nothing";
}

static void answer_level(unsigned level, const struct message *m, const struct outcome *o)
{
    bool is_leaf = level == 1 || (m->w[1] & (PTE_P | PTE_PS)) != PTE_P;
    uint64_t address = m->w[1] & PTE_ADDR;
    const char *kind = is_leaf ? kind_text(o->flags) : "table";
    if (is_leaf && !(o->flags & PAGE_MAPPED))
        answer("level %u: %s, %s so far", level, kind, prot_text((uint32_t)m->w[2]));
    else
        answer("level %u: %s 0x%lx, %s so far", level, kind, address, prot_text((uint32_t)m->w[2]));
}

static void answer_levels(slot_t slot, vaddr_t va, uint32_t access, const struct outcome *o)
{
    struct message m;
    for (unsigned level = LEVELS_MAX; level > 0; level--)
        if (vmm_explain(slot, va, access, level, &m) == OK)
            answer_level(level, &m, o);
}

static void answer_outcome(const struct outcome *o, const char *access)
{
    const char *sharing = o->flags & PAGE_SHARED ? ", shared" : o->flags & PAGE_COW ? ", cow" : "";
    if (o->flags != 0)
        answer("it is %s of at most %s%s", prot_text(o->prot), prot_text(o->max), sharing);
    if (o->outcome == EXPLAIN_ALLOWED)
        answer("%s passes all levels: allowed", access);
    else
        answer("%s stops at level %u: %s", access, o->denies,
               o->outcome == EXPLAIN_REFUSED ? "refused" : "allowed after a fault");
}

static void answer_grants(const struct shell *shell, slot_t slot, vaddr_t va, uint32_t access)
{
    static const char *const kinds[] = {
        [EXPLAIN_SHARED] = "shared through",
        [EXPLAIN_DERIVED] = "derived from",
        [EXPLAIN_SHARED_ON] = "which came through",
    };
    struct message m;
    for (unsigned n = 0; vmm_explain(slot, va, access, EXPLAIN_GRANTS + n, &m) == OK; n++) {
        const char *name = find_name(shell, m.w[1], 0);
        uint32_t prot = (uint32_t)m.w[4] & (PROT_R | PROT_W | PROT_X);
        answer("%s %s 0x%lx-0x%lx %s", kinds[m.w[5]], *name ? name : "a space without a name",
               m.w[2], m.w[2] + m.w[3] * PAGE_SIZE, prot_text(prot));
    }
}

status_t do_explain(struct shell *shell, const struct arguments *a)
{
    slot_t slot = name_slot(&shell->names, a->at[0].name);
    vaddr_t va = a->at[1].number;
    uint32_t access = (uint32_t)a->at[2].number;
    struct outcome o;
    status_t status = ask(slot, va, access, &o);
    if (status != OK)
        return status;
    answer_levels(slot, va, access, &o);
    answer_outcome(&o, a->at[2].word);
    answer_grants(shell, slot, va, access);
    if (o.payer != 0) {
        const char *name = find_name(shell, 0, o.payer);
        answer("paid by %s", *name ? name : "another account");
    }
    return OK;
}
