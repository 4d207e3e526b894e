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
MAPPED, SHARED, COW, IS_2M, IS_1G, DEVICE = 0x010, 0x040, 0x080, 0x100, 0x200, 0x400

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


@dataclass
class View:
    """One space, as the VMM tells it and as the monitor does."""

    runs: list
    pages: dict  # of `info tlb`, user half: {va: Page}
    ranges: list  # of `info mem`
    addresses: dict  # of gva2gpa: {va: physical address}


def read_runs(machine):
    """Mapper's lines from "# space" to "# ready"; answers where its task's code is, too."""
    code = int(machine.expect(r"^# space \w+: ([0-9a-f]+)$")[1], 16)
    runs = []
    while (line := machine.next_line("# ready")) != "# ready":
        match = re.fullmatch(r"# page (\S+) -> (\S+) (\S+) (\S+) (\S+)", line)
        assert match, line
        va, frame, prot, pages, flags = match.groups()
        runs.append(Run(int(va, 16), int(frame, 16), prot, int(pages, 16), int(flags, 16)))
    return code, runs


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


def look(machine, has_info_mem):
    """The view of the space that mapper shows next."""
    code, runs = read_runs(machine)
    halt_in(machine, code)
    monitor = machine.monitor
    view = View(runs=runs,
                pages={page.va: page for page in monitor.pages() if page.va < USER_END},
                ranges=monitor.ranges() if has_info_mem else [],
                addresses={va: monitor.physical_address(va) for va in probes(runs)})
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
