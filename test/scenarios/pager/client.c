// SPDX-License-Identifier: MIT
// Has a window of a space paged, and looks at how touches of it end.
#include "ipc/init_client.h"
#include "ipc/thread.h"
#include "test/scenarios/lib/touch.h"
#include "test/scenarios/pager/window.h"

enum { KEEPER = SLOT_FREE, MORTAL, LAND, COPY, WRITER, LAZY, OWN };

#define RW (PROT_R | PROT_W)

static vaddr_t at(unsigned page)
{
    return WINDOW + page * PAGE_SIZE;
}

static bool is_there(slot_t space, unsigned page)
{
    struct vmm_page got = {0};
    return vmm_query(space, at(page), &got) == OK && got.flags & PAGE_MAPPED;
}

static bool ends_by(vaddr_t va, status_t reason)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = touch(LAND, TOUCH_WRITE, va, 1, &end);
    bool is_so = status == OK && end.kind == EXIT_FAULT && end.reason == reason &&
                 end.code == VECTOR_PAGE && end.address == va;
    if (!is_so)
        log_format("# %s, end %d, reason %s\n", status_name(status), end.kind,
                   status_name(end.reason));
    return is_so;
}

static void supplied(void)
{
    check(touch_reads(LAND, at(PAGE_SHARE), PAGE_WORD(PAGE_SHARE)), "F3: reads what is shared");
    check(touch_writes(LAND, at(PAGE_SHARE), 5) && touch_reads(LAND, at(PAGE_SHARE), 5),
          "and writes it");
    check(touch_writes(LAND, at(PAGE_SHARE + 1), 6), "F3: a write fault is served as well");
    check(touch_reads(LAND, at(PAGE_MOVE), PAGE_WORD(PAGE_MOVE)), "reads what is moved");
    check(touch_reads(LAND, at(PAGE_BOTH), PAGE_WORD(PAGE_BOTH)) && is_there(LAND, PAGE_BOTH + 1) &&
              !is_there(LAND, PAGE_BOTH + 2),
          "a pager may supply more than was asked for");
    check(touch_reads(LAND, at(PAGE_TWICE), PAGE_WORD(PAGE_TWICE)),
          "who goes on without a page faults again");
    check(touch_reads(LAND, at(PAGE_READ), PAGE_WORD(PAGE_READ)) &&
              touch_faults(LAND, TOUCH_WRITE, at(PAGE_READ)),
          "the pager decides on the rights");
    check(touch_reads(LAND, at(PAGE_TOO_MUCH), PAGE_WORD(PAGE_TOO_MUCH)),
          "and cannot do what it was not asked for");
}

static void not_supplied(void)
{
    check(ends_by(at(PAGE_REFUSE), E_RIGHT), "who is refused ends, and it says why");
    check(ends_by(at(PAGE_FORGET), E_DEAD), "so does who is forgotten");
    check(ends_by(WINDOW_END, E_FAULT), "a pager is asked in its window alone");
    check_status(vmm_protect(LAND, at(PAGE_MOVE + 1), 1, PROT_R), OK, "takes a right of a page");
    check(ends_by(at(PAGE_MOVE + 1), E_FAULT), "nobody is asked for what is not allowed");
    check(touch_reads(LAND, at(PAGE_MOVE + 1), PAGE_WORD(PAGE_MOVE + 1)), "but for what is");
}

static void cloned(void)
{
    check_status(vmm_clone(LAND, CLONE_COW, 0, COPY), OK, "clones the space");
    check(touch_reads(COPY, at(PAGE_SHARE + 2), PAGE_WORD(PAGE_SHARE + 2)) &&
              !is_there(LAND, PAGE_SHARE + 2),
          "the clone's faults are served there");
    check(touch_reads(COPY, at(PAGE_MOVE), PAGE_WORD(PAGE_MOVE)) &&
              touch_writes(COPY, at(PAGE_MOVE), 9) &&
              touch_reads(LAND, at(PAGE_MOVE), PAGE_WORD(PAGE_MOVE)),
          "what was moved in is copied on writing");
    check_status(ipc_drop(COPY), OK, "drops it");
}

// One waits for ever: the other does not, and the first can be killed.
static void waiting(void)
{
    struct vmm_exit end = {.kind = EXIT_NORMAL};
    status_t status = touch_start(LAND, TOUCH_READ, at(PAGE_NEVER), 0, WRITER);
    for (unsigned i = 0; i < 8; i++)
        ipc_yield();
    check(status == OK && touch_reads(LAND, at(PAGE_SHARE + 3), PAGE_WORD(PAGE_SHARE + 3)),
          "while one waits, another is served");
    status = vmm_kill(WRITER);
    if (status == OK)
        status = thread_end(WRITER, &end);
    check(status == OK && end.kind == EXIT_KILLED, "who waits for its pager can be killed");
}

// A task with a pager of its own, which is set before it runs, for it has a lower priority.
static status_t own_start(slot_t space, vaddr_t va, slot_t pager)
{
    status_t status = vmm_spawn(space, touch_code(TOUCH_READ), 0, va, PRIORITY_DEFAULT - 1, 0, OWN);
    return status == OK ? vmm_task_pager(OWN, pager) : status;
}

static bool own_ends(status_t status, enum exit_kind kind, uint64_t code, status_t reason)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    if (status == OK)
        status = thread_end(OWN, &end);
    return status == OK && end.kind == kind && end.code == code && end.reason == reason;
}

// A space without paged entries: what the pager does not serve there, the VMM does.
static void own_pagers(void)
{
    check(own_ends(own_start(LAND, at(PAGE_SHARE + 5), KEEPER), EXIT_NORMAL,
                   PAGE_WORD(PAGE_SHARE + 5), OK),
          "a task's own pager supplies a page");
    check_status(vmm_create(SLOT_SELF, 0, LAZY), OK, "makes another space");
    check(touch_prepare(LAZY) == OK && vmm_map(LAZY, WINDOW, WINDOW_PAGES, RW, MAP_LAZY) == OK,
          "which is lazy");
    check(own_ends(own_start(LAZY, at(PAGE_REFUSE), KEEPER), EXIT_NORMAL, 0, OK),
          "what its own pager refuses, the VMM serves");
    check(own_ends(own_start(LAZY, at(PAGE_FORGET), KEEPER), EXIT_NORMAL, 0, OK),
          "and what it forgets");
    check(own_ends(own_start(LAZY, at(PAGE_SHARE), KEEPER), EXIT_NORMAL, 0, OK),
          "and where it may not supply");
    check_status(vmm_unmap(LAZY, at(PAGE_REFUSE), 1), OK, "takes the page away");
    check(own_ends(own_start(LAZY, at(PAGE_REFUSE), KEEPER), EXIT_FAULT, VECTOR_PAGE, E_RIGHT),
          "what nobody serves ends for the pager's reason");
    status_t status = own_start(LAZY, at(PAGE_REFUSE), KEEPER);
    if (status == OK)
        status = vmm_task_pager(OWN, 0);
    check(own_ends(status, EXIT_FAULT, VECTOR_PAGE, E_FAULT),
          "or for none, if it has none any more");
    check(own_start(LAZY, at(PAGE_REFUSE), LAND) == E_SLOT && vmm_kill(OWN) == OK &&
              ipc_drop(OWN) == OK,
          "the VMM is nobody's own pager");
}

uint64_t main(uint64_t argument)
{
    struct vmm_page page = {0};
    (void)argument;
    if (get("keeper", KEEPER) != OK || get("mortal", MORTAL) != OK ||
        vmm_create(SLOT_SELF, 0, LAND) != OK || touch_prepare(LAND) != OK)
        return 1;
    check_status(vmm_set_pager(LAND, WINDOW, WINDOW_PAGES, RW, 0, KEEPER), OK, "sets a pager");
    check(vmm_query(LAND, WINDOW, &page) == OK && page.flags == PAGE_PAGED && page.prot == RW,
          "the window is paged");
    supplied();
    not_supplied();
    cloned();
    own_pagers();
    waiting();
    check_status(vmm_set_pager(LAND, OTHER, WINDOW_PAGES, RW, 0, MORTAL), OK, "sets another one");
    status_t status = own_start(LAZY, at(PAGE_SHARE + 1), MORTAL); // runs when MORTAL is dead
    bool who_waits = ends_by(OTHER, E_DEAD);
    bool who_comes_later = ends_by(OTHER, E_DEAD);
    check(who_waits && who_comes_later, "its death ends who waits for it, and who comes later");
    check(own_ends(status, EXIT_NORMAL, 0, OK), "but not a task whose own pager it was");
    return 0;
}
