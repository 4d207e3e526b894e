# SPDX-License-Identifier: MIT
"""QEMU's monitor as an MMU that nobody here wrote: what it finds in the page tables of a space is
what the VMM says of it, page by page, for all page sizes, with 4 and with 5 levels.

The scenario `mapper` prints what the VMM says and halts at certain points, see its mapper.c.
"""
import functools
import re
import time
from dataclasses import dataclass

import pytest

pytestmark = pytest.mark.xdist_group("foreign_mmu")  # one worker: the boots are shared

PAGE = 4096
LARGE = 512 * PAGE
HUGE = 512 * LARGE
USER_END = 1 << 56
# PAGE_* of vmm_protocol.h
MAPPED, LAZY, SHARED, COW, IS_2M, IS_1G, DEVICE, PAGED = \
    0x010, 0x020, 0x040, 0x080, 0x100, 0x200, 0x400, 0x800
R, W, X = 1, 2, 4  # PROT_*
ALLOWED, AFTER_FAULT, REFUSED = 0, 1, 2  # enum explain_outcome
# Of an entry, and of CR4 (SDM 3A, 4.5).
PRESENT, WRITABLE, USER, LARGE_BIT, NX, ADDRESS = 1, 2, 4, 0x80, 1 << 63, 0x000ffffffffff000
LA57 = 1 << 12

MACHINES = {
    "5-level": {"cpu": "max"},
    "4-level": {"cpu": "max,-la57"},
    "no-1g": {"cpu": "qemu64"},
    "5-level-1g": {"cpu": "max", "memory": "3G"},
    "4-level-1g": {"cpu": "max,-la57", "memory": "3G"},
}
# QEMU 7's `info mem` takes half a minute to find nothing in 5 levels.
WITH_INFO_MEM = [name for name, config in MACHINES.items() if config["cpu"] != "max"]
SPACES = ("original", "cloned", "clone")


@dataclass(frozen=True)
class Run:
    """A line of mapper's: pages that are alike, as the VMM sees them."""

    va: int
    frame: int
    prot: str
    pages: int
    flags: int

    @property
    def end(self):
        return self.va + self.pages * PAGE

    @property
    def page_bytes(self):
        return HUGE if self.flags & IS_1G else LARGE if self.flags & IS_2M else PAGE

    @property
    def is_reachable(self):
        """Whether there is a page that some access is allowed to."""
        return bool(self.flags & MAPPED) and self.prot != "---"

    @property
    def is_writable_now(self):
        """Without a fault that the VMM must resolve first."""
        return self.prot == "rw-" and not self.flags & COW


@dataclass(frozen=True)
class Explained:
    """What EXPLAIN says of an access."""

    va: int
    access: int  # PROT_*
    outcome: int
    denies: int
    prot: int  # PROT_* and PAGE_*
    levels: dict  # {level: (entry, PROT_* so far)}


@dataclass
class View:
    """One space, as the VMM tells it and as the monitor does."""

    runs: list
    pages: dict  # of `info tlb`, user half: {va: Page}
    ranges: list  # of `info mem`
    addresses: dict  # of gva2gpa: {va: physical address}
    explained: list  # of Explained
    walks: dict  # the entries in memory: {va: {level: entry}}


def read_runs(machine):
    """Mapper's lines from "# space" to "# ready"; answers where its task's code is, too."""
    code = int(machine.expect(r"^# space \w+: ([0-9a-f]+)$")[1], 16)
    runs, explained = [], []
    while (line := machine.next_line("# ready")) != "# ready":
        if match := re.fullmatch(r"# explain (\S+) (\d) (\d) (\d) (\S+) \S+", line):
            va, access, outcome, denies, prot = (int(word, 16) for word in match.groups())
            explained.append(Explained(va, access, outcome, denies, prot, {}))
            continue
        if match := re.fullmatch(r"# level \S+ \d (\d) (\S+) (\S+)", line):
            explained[-1].levels[int(match[1])] = int(match[2], 16), int(match[3], 16)
            continue
        match = re.fullmatch(r"# page (\S+) -> (\S+) (\S+) (\S+) (\S+)", line)
        assert match, line
        va, frame, prot, pages, flags = match.groups()
        runs.append(Run(int(va, 16), int(frame, 16), prot, int(pages, 16), int(flags, 16)))
    return code, runs, explained


def halt_in(machine, code):
    """Stops the machine while the task runs whose code is there: its tables are loaded then."""
    while True:
        machine.monitor.stop()
        rip, level = machine.monitor.instruction()
        if level == 3 and code <= rip < code + 16:
            return
        machine.monitor.cont()
        time.sleep(0.02)
        assert machine.seconds < machine.timeout, "the task in the space never runs"


def probes(runs):
    """Addresses in and around all runs."""
    for run in runs:
        yield from {run.va, run.va + 0x123, run.va + run.pages // 2 * PAGE, run.end - 1, run.end}


def walk(monitor, root, n_levels, va):
    """The entries on the way to `va`, as they lie in memory: {level: entry}."""
    entries, table = {}, root & ADDRESS
    for level in range(n_levels, 0, -1):
        at = table + (va >> 3 + 9 * level & 511) * 8
        answer = monitor.human(f"xp /1gx {at:#x}")
        entries[level] = entry = int(answer.split()[-1], 16)
        if not entry & PRESENT or entry & LARGE_BIT:
            break
        table = entry & ADDRESS
    return entries


def look(machine, has_info_mem):
    """The view of the space that mapper shows next."""
    code, runs, explained = read_runs(machine)
    halt_in(machine, code)
    monitor = machine.monitor
    registers = monitor.human("info registers")
    root = int(re.search(r"CR3=([0-9a-f]+)", registers)[1], 16)
    n_levels = 5 if int(re.search(r"CR4=([0-9a-f]+)", registers)[1], 16) & LA57 else 4
    view = View(runs=runs,
                pages={page.va: page for page in monitor.pages() if page.va < USER_END},
                ranges=monitor.ranges() if has_info_mem else [],
                addresses={va: monitor.physical_address(va)
                           for va in {*probes(runs), *(e.va for e in explained)}},
                explained=explained,
                walks={va: walk(monitor, root, n_levels, va) for va in {e.va for e in explained}})
    monitor.cont()
    machine.send("g")
    return view


@pytest.fixture(scope="module")
def views_of(machine):
    """views_of(name): {space: View} on one of MACHINES, which is booted once."""
    @functools.cache
    def boot(name):
        with machine("mapper", **MACHINES[name]) as running:
            running.expect("^# waiting$")
            running.send("h")
            found = {space: look(running, name in WITH_INFO_MEM) for space in SPACES}
            running.run().check()
        return found
    return boot


@pytest.fixture(params=MACHINES)
def views(request, views_of):
    return views_of(request.param)


@pytest.fixture(params=SPACES)
def view(request, views):
    return views[request.param]


def expected_pages(view):
    """{va: (physical address, run)} of every leaf that the MMU must find."""
    return {va: (run.frame + va - run.va, run) for run in view.runs if run.is_reachable
            for va in range(run.va, run.end, run.page_bytes)}


def test_the_views_hold_what_mapper_is_for(views):
    for name, view in views.items():
        runs = view.runs
        assert {run.prot for run in runs} == {"---", "r--", "rw-", "r-x"}
        assert any(run.flags & SHARED for run in runs)
        assert any(run.flags & IS_2M for run in runs)
        assert any(not run.flags & MAPPED for run in runs)
        assert any(run.flags & COW for run in runs) == (name != "original")
        assert any(run.flags & DEVICE for run in runs) == (name != "clone")
        assert max(run.va for run in runs) >= 1 << 46


def test_the_same_pages_are_there(view):
    expected = expected_pages(view)
    assert {va: page.pa for va, page in view.pages.items()} == \
        {va: pa for va, (pa, _) in expected.items()}


def test_they_have_the_rights_and_the_size(view):
    for va, (_, run) in expected_pages(view).items():
        page = view.pages[va]
        assert page.user and not page.is_global, hex(va)
        assert page.no_execute == (run.prot != "r-x"), hex(va)
        assert page.is_large == (run.page_bytes > PAGE), hex(va)
        assert page.is_uncached == bool(run.flags & DEVICE), hex(va)
        if page.writable:
            assert run.prot == "rw-", hex(va)


def test_addresses_translate_alike(view):
    for va, found in view.addresses.items():
        run = next((run for run in view.runs if run.va <= va < run.end), None)
        expected = run.frame + va - run.va if run and run.is_reachable else None
        # gva2gpa answers the page.
        assert (found and found & -PAGE) == (expected and expected & -PAGE), hex(va)


def rights_at(view, va):
    """Of all levels of tables together; None where nothing is."""
    return next((r for r in view.ranges if r.start <= va < r.end), None)


@pytest.mark.parametrize("views", WITH_INFO_MEM, indirect=True)
def test_nothing_can_be_written_that_is_not_the_spaces_own(view):
    for run in view.runs:
        for va in range(run.va, run.end, PAGE) if run.is_reachable and run.pages < 1024 else ():
            found = rights_at(view, va)
            assert found and found.user, hex(va)
            assert not found.writable or run.is_writable_now, hex(va)


@pytest.mark.parametrize("views", WITH_INFO_MEM, indirect=True)
def test_a_space_of_its_own_is_written_without_faults(views):
    """Nothing was cloned yet: the MMU allows just what the VMM says."""
    view = views["original"]
    for va, (_, run) in expected_pages(view).items():
        assert rights_at(view, va).writable == (run.prot == "rw-"), hex(va)


@pytest.mark.parametrize("views", WITH_INFO_MEM, indirect=True)
def test_what_the_clone_has_written_it_can_write(views):
    view = views["clone"]
    for va in (0x10000000, 0x40000000):  # SMALL and LARGE of mapper.c
        assert rights_at(view, va).writable
        assert not rights_at(views["cloned"], va).writable


# What EXPLAIN says.

def rights_of(entries):
    """PROT_* that a walk through these entries leaves, level by level."""
    rights = R | W | X
    for level, entry in entries.items():
        if entry & (PRESENT | USER) != PRESENT | USER:
            rights = 0
        rights &= R | (W if entry & WRITABLE else 0) | (0 if entry & NX else X)
        yield level, rights


def test_there_is_something_of_every_kind_to_explain(views):
    flags = {name: 0 for name in views}
    for name, view in views.items():
        for said in view.explained:
            flags[name] |= said.prot
        assert {said.outcome for said in view.explained} == {ALLOWED, AFTER_FAULT, REFUSED}
    everywhere = MAPPED | LAZY | SHARED | PAGED | IS_2M
    assert all(found & everywhere == everywhere for found in flags.values())
    assert flags["original"] & DEVICE and flags["cloned"] & COW and flags["clone"] & COW


def test_explain_names_the_entries_that_are_in_memory(view):
    assert len(view.explained) > 60
    for said in view.explained:
        assert {level: entry for level, (entry, _) in said.levels.items()} == view.walks[said.va], \
            hex(said.va)


def test_explain_ands_the_rights_that_the_entries_give(view):
    for said in view.explained:
        assert {level: prot for level, (_, prot) in said.levels.items()} == \
            dict(rights_of(view.walks[said.va])), hex(said.va)


def test_what_explain_says_comes_of_an_access_is_what_the_mmu_does(view):
    for said in view.explained:
        level, rights = list(rights_of(view.walks[said.va]))[-1]
        assert (said.outcome == ALLOWED) == bool(rights & said.access), said
        if said.outcome == REFUSED:
            assert said.denies == level and not said.prot & said.access, said
        elif said.outcome == AFTER_FAULT:
            first = next(at for at, left in rights_of(view.walks[said.va]) if not left & said.access)
            assert said.denies == first and said.prot & said.access, said


def test_query_and_explain_say_the_same(view):
    for said in view.explained:
        run = next((run for run in view.runs if run.va <= said.va < run.end), None)
        assert bool(said.prot & ~7) == bool(run), hex(said.va)
        if run:
            prot = sum(right for right, letter in ((R, "r"), (W, "w"), (X, "x")) if letter in run.prot)
            assert said.prot == prot | run.flags, hex(said.va)


def test_the_monitor_finds_the_frame_that_explain_names(view):
    for said in view.explained:
        level, (entry, _) = list(said.levels.items())[-1]
        found = view.addresses[said.va]
        assert (found is not None) == bool(entry & PRESENT), hex(said.va)
        if found is not None:
            inside = (1 << 12 + 9 * (level - 1)) - 1
            assert found & -PAGE == entry & ADDRESS & ~inside | said.va & inside & -PAGE
