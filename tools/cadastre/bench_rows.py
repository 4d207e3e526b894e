# SPDX-License-Identifier: MIT
"""The rows of `make bench`: what is measured, what seL4 and Linux cost, what must be reached.

Both systems print a line for each of their rows, `# bench: NAME MEDIAN MIN SAMPLES PER ZEROED COPIED`
(test/bench/meter/sample.h). A sample is PER operations in which ZEROED pages were zeroed and COPIED
copied; `net` divides, and takes off what those pages cost where a row is "without" them.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(r"^# bench: (\w+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$")

KNOWN_LOOP = 2_000_001  # instructions
PAGE_STEPS = 512  # of `rep stosq` and `rep movsq`, each counted as an instruction

# What is taken off a row "without" it: a page's steps, as measured.
_PAGES = {"zeroing": ("zero_page", "zero_nothing"), "copying": ("copy_page", "copy_nothing")}


@dataclass(frozen=True)
class Row:
    """An operation.

    name      of the line that Cadastre prints
    text      for people
    target    what must be reached, in instructions, and the number to dream of; None: only shown
    sel4      what seL4 16.0.0 costs, measured elsewhere; a text
    linux     the line of the Linux side for what comes nearest; "" where it has no such thing
    without   "zeroing" or "copying": whose cost is taken off
    """

    name: str
    text: str
    target: float | None = None
    dream: float | None = None
    sel4: str = ""
    linux: str = ""
    without: str = ""


ROWS = (
    Row("null", "null system call", 30, 20, "244", "null"),
    Row("call_0", "call + reply between two spaces, 0 words", 150, 115, "416", "eventfd"),
    Row("call_4", "the same, 4 words", 150, 115, "499", "pipe"),
    Row("call_6", "the same, 6 words", 150, 115, "1,566"),
    Row("call_cap", "the same, a capability carried, dropped there", 300, 210, "1,431", "pass_fd"),
    Row("call_own", "the same, a capability that comes as its badge", 300, 210),
    Row("call_get", "the same, a capability in the answer, dropped here", 300, 210),
    Row("notify", "notify, nobody waits", 50, None, "370"),
    Row("notify_wakes", "notify, until the waiter in another space runs", 130, None, "531"),
    Row("notify_round", "the same, until who rang goes on"),
    Row("yield", "yield to another space", 100, 80, "272", "yield"),
    Row("pager", "fault to a user-mode pager and back, no mapping", 260, 190, "1,259", "pager"),
    Row("pager_supply", "the same, the pager supplies a page"),
    Row("pager_window", "the same through a window of the VMM"),
    Row("pager_window_supply", "the same, the pager supplies a page"),
    Row("touch", "demand-zero fault, without zeroing", 550, 400, "1,977", "touch", "zeroing"),
    Row("map_1", "map one page by request, without zeroing", 480, 360, "731", "map_1", "zeroing"),
    Row("unmap_1", "unmap one page by request", 500, 380, "580", "unmap_1"),
    Row("map_4096", "map 4,096 pages, a page, without zeroing", 20, 12, "719", "map_4096",
        "zeroing"),
    Row("unmap_4096", "unmap 4,096 pages, a page", 25, 15, "494", "unmap_4096"),
    Row("protect_4096", "protect 4,096 pages to r--, a page", 10, 6, "719", "protect_4096"),
    Row("allow_4096", "protect them back to rw-, a page", 10, 6, "719", "allow_4096"),
    Row("map_4096_clone", "map 4,096 under a fresh clone, a page", 20, 12, without="zeroing"),
    Row("unmap_4096_clone", "unmap 4,096 under a fresh clone, a page", 25, 15),
    Row("protect_4096_clone", "protect 4,096 under a fresh clone, a page", 10, 6),
    Row("allow_4096_clone", "protect them back under a fresh clone, a page", 10, 6),
    Row("map_2m", "map and touch a 2 MiB page, without zeroing", 1200, 800, "", "touch_2m",
        "zeroing"),
    Row("lazy_1t", "map 1 TiB lazily and unmap it", 1200, 800, "", "lazy_1t"),
    Row("clone_0", "copy-on-write clone, 0 pages", 2500, 1300, "", "fork_0"),
    Row("clone_4096", "copy-on-write clone, 4,096 pages", 2500, 1300, "", "fork_4096"),
    Row("clone_32768", "copy-on-write clone, 32,768 pages", 2500, 1300, "", "fork_32768"),
    Row("drop_0", "drop of an untouched clone, 0 pages"),
    Row("drop_4096", "drop of an untouched clone, 4,096 pages"),
    Row("drop_32768", "drop of an untouched clone, 32,768 pages"),
    Row("clone_run_4096", "clone, run, exit, wait, 4,096 pages", 25000, 12000, "",
        "fork_exit_wait_4096"),
    Row("write_next", "copy-on-write break, private table, without copy", 800, 550, "",
        "write_shared", "copying"),
    Row("write_first", "first write in a clone: path copied, table full", 9000, 5000),
    Row("write_sole", "write to a page whose other holder is gone", 600, 450, "", "write_sole"),
    Row("share", "share one page with another space", 650, 480, "1,524", "share"),
    Row("spawn", "create and start a task in an existing space", 1600, 1100, "9,171",
        "vfork_exit_wait"),
    Row("spawn_exit_wait", "start a task, its exit, wait", None, None, "", "vfork_exit_wait"),
    Row("task_bytes", "bytes: a task in a space of its own, one page", None, None, "24,576",
        "process_bytes"),
    Row("task_own_bytes", "bytes: the same without its tables and page", 4096),
    Row("revoke", "revoke a derived capability, of 1,024", 100, 40, "279"),
    Row("kernel_text", "bytes: the kernel's .text", 20480, 14336, "65,024"),
)


@dataclass(frozen=True)
class Measured:
    """A line: all of a row's samples, in instructions."""

    median: int
    least: int
    samples: int
    per: int
    zeroed: int
    copied: int


def parse(lines: Iterable[str]) -> dict[str, Measured]:
    """Every row that was printed, by its name."""
    matches = (_LINE.match(line) for line in lines)
    return {m[1]: Measured(*map(int, m.groups()[1:])) for m in matches if m}


def _page_cost(measured: dict[str, Measured], without: str, value: str) -> int:
    page, nothing = _PAGES[without]
    return getattr(measured[page], value) - getattr(measured[nothing], value)


def check_counter(measured: dict[str, Measured]) -> None:
    """Raises ValueError unless one tick of the counter is one instruction."""
    got = measured["known_loop"].least
    if got != KNOWN_LOOP:
        raise ValueError(f"the counter does not count instructions: a loop of {KNOWN_LOOP:,} took "
                         f"{got:,}; nothing measured with it would be true")
    for without in _PAGES:
        if (steps := _page_cost(measured, without, "median")) != PAGE_STEPS:
            raise ValueError(f"{without} a page takes {steps} steps, not {PAGE_STEPS}")


def net(measured: dict[str, Measured], name: str, without: str = "",
        value: str = "median") -> float | None:
    """What one operation costs; None if it was not measured."""
    row = measured.get(name)
    if row is None:
        return None
    pages = {"zeroing": row.zeroed, "copying": row.copied}.get(without, 0)
    off = pages * _page_cost(measured, without, value) if pages else 0
    return round((getattr(row, value) - off) / row.per, 1)
