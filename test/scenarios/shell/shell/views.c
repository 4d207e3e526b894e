// SPDX-License-Identifier: MIT
// What there is: query, maps, stats, audit.
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/command.h"

static const char *size_text(const struct vmm_page *page)
{
    return page->flags & PAGE_1G ? "1G" : page->flags & PAGE_2M ? "2M" : "4K";
}

status_t do_query(struct shell *shell, const struct arguments *a)
{
    struct vmm_page page;
    vaddr_t va = a->at[1].number;
    status_t status = vmm_query(name_slot(&shell->names, a->at[0].name), va, &page);
    if (status != OK)
        return status;
    if (page.flags & PAGE_LAZY)
        answer("0x%lx lazy %s", va, prot_text(page.prot));
    else if (page.flags & PAGE_PAGED)
        answer("0x%lx paged %s", va, prot_text(page.prot));
    else if (page.flags & PAGE_MAPPED)
        answer("0x%lx -> 0x%lx %s %s", va, page.frame + (va - page.start), size_text(&page),
               prot_text(page.prot));
    else
        answer("0x%lx unmapped", va);
    return OK;
}

static void answer_run(const struct vmm_page *run)
{
    vaddr_t end = run->start + run->pages * PAGE_SIZE;
    const char *sharing = run->flags & PAGE_DEVICE   ? " device"
                          : run->flags & PAGE_SHARED ? " shared"
                          : run->flags & PAGE_COW    ? " cow"
                                                     : "";
    if (run->pages == 0)
        return;
    if (run->flags & (PAGE_LAZY | PAGE_PAGED))
        answer("0x%lx-0x%lx %s %s", run->start, end, prot_text(run->prot),
               run->flags & PAGE_LAZY ? "lazy" : "paged");
    else
        answer("0x%lx-0x%lx %s %s mapped%s", run->start, end, prot_text(run->prot), size_text(run),
               sharing);
}

// Whether `next` goes on where `run` ends, with nothing that a line says being different.
static bool continues(const struct vmm_page *run, const struct vmm_page *next)
{
    return run->start + run->pages * PAGE_SIZE == next->start && run->prot == next->prot &&
           run->flags == next->flags;
}

status_t do_maps(struct shell *shell, const struct arguments *a)
{
    const struct name *name = a->at[0].name;
    slot_t slot = name_slot(&shell->names, name);
    vaddr_t at = name->start, end = name->start + name->pages * PAGE_SIZE;
    struct vmm_page run = {0}; // not answered yet
    while (at < end) {
        struct vmm_page next;
        status_t status = vmm_maps(slot, at, &next);
        if (status != OK)
            return status;
        if (next.pages == 0)
            break;
        if (continues(&run, &next)) {
            run.pages += next.pages;
        } else {
            answer_run(&run);
            run = next;
        }
        at = next.start + next.pages * PAGE_SIZE;
    }
    answer_run(&run);
    return OK;
}

static status_t answer_machine(const struct shell *shell)
{
    struct vmm_stats stats;
    status_t status = vmm_stats(SLOT_ACCOUNT, &stats);
    if (status != OK)
        return status;
    answer("frames %lu free %lu charged %lu spaces %u snapshots %u grants %u", stats.quota,
           stats.free, stats.quota - stats.free, names_count(&shell->names, NAME_SPACE),
           names_count(&shell->names, NAME_SNAPSHOT), names_count(&shell->names, NAME_GRANT));
    return OK;
}

status_t do_stats(struct shell *shell, const struct arguments *a)
{
    struct vmm_stats stats;
    if (a->n == 0)
        return answer_machine(shell);
    status_t status = vmm_stats(name_slot(&shell->names, a->at[0].name), &stats);
    if (status != OK)
        return status;
    answer("pages %lu tables %lu charged %lu quota %lu", stats.pages, stats.tables, stats.charged,
           stats.quota);
    return OK;
}

status_t do_audit(struct shell *shell, const struct arguments *a)
{
    (void)shell;
    (void)a;
    uint64_t frames, errors;
    status_t status = vmm_audit(SLOT_ACCOUNT, &frames, &errors);
    if (status == OK)
        answer("audit: %lu frames, %lu errors", frames, errors);
    return status;
}
