# SPDX-License-Identifier: MIT
"""What a dump shows, as plain objects: spaces, tables, entries, grants, tasks, accounts."""
from __future__ import annotations

from dataclasses import dataclass, field

from cadastre.memory import ENTRIES, PAGE, PTE

SIZES = {1: "4K", 2: "2M", 3: "1G"}


def span(level: int) -> int:
    """Pages of 4 KiB that an entry at `level` covers."""
    return ENTRIES ** (level - 1)


def prot_text(prot: int) -> str:
    """As the shell writes it: "r-x"."""
    return "".join(letter if prot & PTE[f"PROT_{letter.upper()}"] else "-" for letter in "rwx")


@dataclass(eq=False)
class Account:
    id: int
    quota: int
    charged: int
    lent: int
    refs: int
    parent: "Account | None" = None
    name: str = ""


@dataclass(slots=True)
class Entry:
    """A page-table entry that is not empty."""

    kind: str  # "table", "page", "device", "lazy", "paged"
    writable: bool  # W: of a table, that it has this one parent; of a page, that the MMU lets write
    table: "Table | None" = None
    pfn: int = 0  # of a page, or of a device's
    prot: int = 0
    max: int = 0
    shared: bool = False
    lazy_level: int = 0  # of the pages to come
    pager: int = 0  # the record of who is asked for them
    is_linked: bool = False  # a link says by which via it came
    via: "Via | None" = None


@dataclass(eq=False)
class Table:
    pfn: int
    level: int
    refs: int  # as its record says
    used: int
    first: int
    last: int
    account: Account
    entries: dict[int, Entry] = field(default_factory=dict)
    parents: list[tuple["Table | Space", int]] = field(default_factory=list)  # and which entry


@dataclass(eq=False)
class Space:
    id: int
    root: Table
    refs: int
    account: Account
    has_own_account: bool
    is_snapshot: bool
    grants: list["Grant"] = field(default_factory=list)  # those that are not derived
    tasks: list["Task"] = field(default_factory=list)
    name: str = ""


@dataclass(eq=False)
class Grant:
    number: int
    space: Space
    first: int
    pages: int
    rights: int
    parent: "Grant | None" = None
    children: list["Grant"] = field(default_factory=list)
    name: str = ""


@dataclass(eq=False)
class Via:
    """A way that shared pages took: through a grant, after the way that they had come before."""

    id: int
    grant: Grant | None  # None: it is gone
    parent: "Via | None" = None
    entries: list[tuple[Table, int]] = field(default_factory=list)

    def text(self) -> str:
        before = f", which had come {self.parent.text()}" if self.parent else ""
        name = self.grant.name or f"grant {self.grant.number}" if self.grant else "a grant now gone"
        return f"through {name}{before}"


@dataclass(eq=False)
class Task:
    id: int
    space: Space
    number: int
    is_running: bool
    is_probe: bool
    object: int  # frame of the kernel's


@dataclass(frozen=True)
class Leaf:
    """A page, or a lazy range, as one space has it."""

    page: int
    level: int
    entry: Entry
    is_joint: bool  # below a table with several parents


@dataclass
class Run:
    """Neighbouring pages that are alike, as a line of `maps`."""

    page: int
    pages: int
    prot: int
    size: str = ""  # of pages that are there; else they are lazy, or paged
    how: str = ""  # "device", "shared", "cow", "paged" or nothing

    def line(self) -> str:
        what = " ".join(filter(None, (self.size, "mapped", self.how))) if self.size else \
            self.how or "lazy"
        return (f"{self.page * PAGE:#x}-{(self.page + self.pages) * PAGE:#x} "
                f"{prot_text(self.prot)} {what}")
