# SPDX-License-Identifier: MIT
"""What the plain model is made of: frames, pages of spaces, grants on them, names for these.

model.py says what the commands do with them.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

PAGE = 4096
R, W, X = 1, 2, 4
PROTS = {"---": 0, "r--": R, "rw-": R | W, "r-x": R | X, "rwx": R | W | X}
PROT_TEXTS = {prot: text for text, prot in PROTS.items()}
ALL_RIGHTS = frozenset({"map", "clone", "derive", "spawn", "share", "query"})
SNAPSHOT_RIGHTS = frozenset({"clone", "query"})
SPACES_MAX, GRANTS_MAX = 64, 256
ADDRESS = "ADDRESS"


class ModelError(Exception):
    """The command is refused: the error's name, and the lines that come before it."""

    def __init__(self, name: str, lines: Iterable[str] = ()):
        super().__init__(name)
        self.name, self.lines = name, list(lines)


def check(condition: bool, name: str) -> None:
    if not condition:
        raise ModelError(name)


class Frame:
    """A page's contents; `users` counts the entries that refer to it."""

    def __init__(self, data: bytes = bytes(PAGE)):
        self.data = bytearray(data)
        self.users = 0


@dataclass
class Entry:
    """A page of a space. Without a frame it is lazy."""

    prot: int
    max: int = R | W | X
    frame: Frame | None = None
    shared: bool = False
    via: frozenset["Grant"] = frozenset()  # the grants through which it was shared

    def state(self) -> str:
        """As `maps` shows it."""
        if self.frame is None:
            return f"{PROT_TEXTS[self.prot]} lazy"
        how = " shared" if self.shared else " cow" if self.frame.users > 1 else ""
        return f"{PROT_TEXTS[self.prot]} 4K mapped{how}"

    def looks_like(self, other: "Entry | None") -> bool:
        return other is not None and (self.prot, self.frame) == (other.prot, other.frame)


@dataclass(eq=False)
class Space:
    pages: dict[int, Entry] = field(default_factory=dict)
    names: int = 0  # that reach it
    snapshot_of: "Grant | None" = None  # with whose rights it was taken

    def put(self, page: int, entry: Entry | None) -> None:
        old = self.pages.pop(page, None)
        if entry is not None:
            self.pages[page] = entry
            if entry.frame:
                entry.frame.users += 1
        if old and old.frame:
            old.frame.users -= 1

    def clear(self) -> None:
        for page in list(self.pages):
            self.put(page, None)

    def fill_from(self, other: "Space", copies: bool) -> None:
        for page, entry in other.pages.items():
            self.put(page, replace(entry))
            if copies and entry.frame:
                self.own(page)

    def own(self, page: int, for_good: bool = False) -> Entry:
        """Makes a page real and this space's own; one that is shared on purpose only `for_good`."""
        entry = self.pages[page]
        if entry.frame is None:
            self.put(page, replace(entry, frame=Frame()))
        elif entry.frame.users > 1 and (for_good or not entry.shared):
            self.put(page, replace(entry, frame=Frame(entry.frame.data)))
        return self.pages[page]


@dataclass(eq=False)
class Grant:
    space: Space
    first: int
    pages: int
    prot: int
    rights: frozenset[str]
    parent: "Grant | None" = None
    alive: bool = True

    def comes_from(self, other: "Grant") -> bool:
        grant: Grant | None = self
        while grant is not None and grant is not other:
            grant = grant.parent
        return grant is not None


@dataclass
class Name:
    text: str
    kind: str  # "space", "snapshot", "grant"
    grant: Grant
    origin: str = ""

    def line(self) -> str:
        """As `list` shows it."""
        grant = self.grant
        what = {"grant": f" grant of {self.origin} {grant.first * PAGE:#x}-"
                         f"{(grant.first + grant.pages) * PAGE:#x} {PROT_TEXTS[grant.prot]}",
                "snapshot": f" snapshot of {self.origin}",
                "space": f" space cloned from {self.origin}" if self.origin else " space"}
        return self.text + what[self.kind] + ("" if grant.alive else " revoked")


def runs(pages: list[int], key: Callable[[int], object]) -> Iterator[tuple[int, int]]:
    """First and last of neighbouring pages with the same key."""
    start = None
    for i, page in enumerate(pages):
        if start is None:
            start = page
        ends = i + 1 == len(pages) or pages[i + 1] != page + 1 or key(page) != key(pages[i + 1])
        if ends:
            yield start, page
            start = None
