# SPDX-License-Identifier: MIT
"""A plain model of what the shell's commands mean: flat maps of pages, and a tree of grants.

    model = Model(user_end)
    model.do("map a 0x400000 2 rw- lazy")       # [], the lines of the answer without its "ok"
    model.do("map a 0x400000 1 rwx")            # raises ModelError("E_WX")

The parts are in land.py. Nothing here knows of tables. Memory never runs out, so quotas and
E_NOMEM are not modelled; nor are pages of 2 MiB and 1 GiB, what `explain` and `audit` say, and
numbers in `stats` but for the pages. Frame addresses in answers stand as ADDRESS; frame_at() says
which frame each one is of.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from cadastre.land import (ADDRESS, ALL_RIGHTS, GRANTS_MAX, PAGE, PROT_TEXTS, PROTS,
                           SNAPSHOT_RIGHTS, SPACES_MAX, Entry, Frame, Grant, ModelError, Name, R,
                           Space, W, X, check, runs)


class Model:
    """All spaces and names. `do` carries out a command."""

    def __init__(self, user_end: int):
        self.user_pages = user_end // PAGE
        self.names: dict[str, Name] = {}
        # As in the shell's table, by which `list` goes: a space keeps its place for its last name.
        self.spaces: list[Space | None] = [None] * SPACES_MAX
        self.grants: list[Grant | None] = [None] * GRANTS_MAX

    def do(self, command: str) -> list[str]:
        word, *arguments = command.split()
        handler: Callable[..., Iterator[str] | None] = getattr(self, f"do_{word}")
        return list(handler(*arguments) or ())

    def frame_at(self, text: str, va: int) -> Frame | None:
        """The frame whose address `query` answers."""
        entry = self.names[text].grant.space.pages.get(va // PAGE)
        return entry.frame if entry else None

    # Names.

    def find(self, *texts: str) -> list[Name]:
        for text in texts:
            check(text in self.names, "E_NOENT")
        return [self.names[text] for text in texts]

    def _add(self, name: Name) -> None:
        self.names[name.text] = name
        name.grant.space.names += 1

    def _check_new(self, text: str) -> None:
        check(text not in self.names, "E_EXISTS")

    def _add_space(self, text: str, kind: str, prot: int, rights: frozenset[str],
                   origin: str = "") -> Space:
        space = Space()
        self.spaces[self.spaces.index(None)] = space
        self._add(Name(text, kind, Grant(space, 0, self.user_pages, prot, rights), origin))
        return space

    # What a request checks before anything else.

    def _check_alive(self, *names: Name) -> None:
        check(all(name.grant.alive for name in names), "E_REVOKED")

    def _check_rights(self, grant: Grant, *rights: str, whole: bool = False) -> None:
        check(grant.rights.issuperset(rights), "E_RIGHT")
        check(not whole or grant.pages == self.user_pages, "E_RIGHT")

    def _range(self, grant: Grant, va: str, pages: str) -> range:
        start, n = int(va, 0), int(pages, 0)
        check(start % PAGE == 0, "E_INVAL")
        first = start // PAGE
        check(0 < n and first + n <= self.user_pages, "E_INVAL")
        check(grant.first <= first and first + n <= grant.first + grant.pages, "E_RIGHT")
        return range(first, first + n)

    def _check_prot(self, grant: Grant, prot: int) -> None:
        check(prot & (W | X) != W | X, "E_WX")
        check(not prot & ~grant.prot, "E_RIGHT")

    # Spaces.

    def do_create(self, text: str) -> None:
        self._check_new(text)
        check(None in self.spaces, "E_LIMIT")
        self._add_space(text, "space", R | W | X, ALL_RIGHTS)

    def _clone(self, source: str, text: str, kind: str, copies: bool) -> None:
        (name,) = self.find(source)
        self._check_new(text)
        check(None in self.spaces, "E_LIMIT")
        self._check_alive(name)
        grant = name.grant
        self._check_rights(grant, "clone", whole=True)
        check(bool(grant.prot & R), "E_RIGHT")
        of = grant.space.snapshot_of or grant
        is_snapshot = kind == "snapshot"
        space = self._add_space(text, kind, of.prot & R if is_snapshot else of.prot,
                                of.rights & SNAPSHOT_RIGHTS if is_snapshot else of.rights, source)
        space.snapshot_of = of if is_snapshot else None
        space.fill_from(grant.space, copies)

    def do_clone(self, source: str, text: str, mode: str) -> None:
        self._clone(source, text, "space", mode == "copy")

    def do_snapshot(self, source: str, text: str) -> None:
        self._clone(source, text, "snapshot", False)

    def do_drop(self, text: str) -> None:
        (name,) = self.find(text)
        del self.names[text]
        space = name.grant.space
        if name.kind == "grant":
            self.grants[self.grants.index(name.grant)] = None
        space.names -= 1
        if space.names == 0:
            space.clear()
            self.spaces[self.spaces.index(space)] = None

    def do_rollback(self, text: str, snapshot: str) -> None:
        to, back = self.find(text, snapshot)
        self._check_alive(to, back)
        self._check_rights(to.grant, "map", whole=True)
        check(bool(to.grant.prot & R), "E_RIGHT")
        self._check_rights(back.grant, "clone", whole=True)
        of = back.grant.space.snapshot_of or back.grant
        check(bool(back.grant.prot & R), "E_RIGHT")
        check(not to.grant.prot & (W | X) & ~of.prot, "E_RIGHT")
        if to.grant.space is not back.grant.space:
            to.grant.space.clear()
            to.grant.space.fill_from(back.grant.space, False)

    def do_diff(self, text: str, other: str) -> Iterator[str]:
        a, b = (name.grant for name in self.find(text, other))
        self._check_alive(self.names[text], self.names[other])
        start = max(a.first, b.first)
        end = min(a.first + a.pages, b.first + b.pages)
        changed = [page for page in sorted({*a.space.pages, *b.space.pages})
                   if start <= page < end and self._differs(a.space, b.space, page)]
        for first, last in runs(changed, lambda page: True):
            yield f"{first * PAGE:#x}-{(last + 1) * PAGE:#x} changed"

    @staticmethod
    def _differs(a: Space, b: Space, page: int) -> bool:
        entry = a.pages.get(page)
        return entry is None or not entry.looks_like(b.pages.get(page))

    # Memory.

    def do_map(self, text: str, va: str, pages: str, prot: str, when: str = "lazy") -> None:
        (name,) = self.find(text)
        self._check_alive(name)
        self._check_rights(name.grant, "map")
        wanted = self._range(name.grant, va, pages)
        self._check_prot(name.grant, PROTS[prot])
        space = name.grant.space
        check(not any(page in space.pages for page in wanted), "E_EXISTS")
        for page in wanted:
            space.put(page, Entry(PROTS[prot], frame=Frame() if when == "now" else None))

    def do_unmap(self, text: str, va: str, pages: str) -> None:
        (name,) = self.find(text)
        self._check_alive(name)
        self._check_rights(name.grant, "map")
        for page in self._range(name.grant, va, pages):
            name.grant.space.put(page, None)

    def do_protect(self, text: str, va: str, pages: str, prot: str) -> None:
        (name,) = self.find(text)
        self._check_alive(name)
        self._check_rights(name.grant, "map")
        wanted = self._range(name.grant, va, pages)
        self._check_prot(name.grant, PROTS[prot])
        there = [page for page in wanted if page in name.grant.space.pages]
        for page in there:
            check(not PROTS[prot] & ~name.grant.space.pages[page].max, "E_RIGHT")
        for page in there:
            entry = name.grant.space.pages[page]
            name.grant.space.put(page, replace(entry, prot=PROTS[prot]))

    def _transfer(self, source: str, va: str, pages: str, to: str, va2: str, prot_text: str,
                  moves: bool) -> Iterator[tuple[int, int, int]]:
        """Checks a share or a move; then, page by page: from, to, the greatest rights there."""
        names = self.find(source, to)
        a, b = (name.grant for name in names)
        prot = PROTS[prot_text]
        self._check_alive(*names)
        self._check_rights(a, "share", *(["map"] if moves else []))
        wanted = self._range(a, va, pages)
        self._check_prot(a, prot)
        self._check_rights(b, "map")
        there = self._range(b, va2, pages)
        self._check_prot(b, prot)
        check(not any(page in b.space.pages for page in there), "E_EXISTS")
        for page in wanted:
            check(page in a.space.pages, "E_FAULT")
            check(not prot & ~a.space.pages[page].max, "E_RIGHT")
        most = a.prot & b.prot & ~(0 if moves or prot & W else W)
        return ((page, page2, most & a.space.pages[page].max) for page, page2 in zip(wanted, there))

    def do_share(self, source: str, va: str, pages: str, to: str, va2: str, prot: str) -> None:
        pairs = list(self._transfer(source, va, pages, to, va2, prot, False))
        a, b = self.names[source].grant, self.names[to].grant
        for page, page2, most in pairs:
            entry = a.space.own(page)
            a.space.put(page, replace(entry, shared=True))
            b.space.put(page2, Entry(PROTS[prot], most, entry.frame, True, entry.via | {a}))

    def do_move(self, source: str, va: str, pages: str, to: str, va2: str, prot: str) -> None:
        pairs = list(self._transfer(source, va, pages, to, va2, prot, True))
        a, b = self.names[source].grant, self.names[to].grant
        for page, page2, most in pairs:
            entry = a.space.own(page, for_good=True)
            b.space.put(page2, Entry(PROTS[prot], most, entry.frame))
            a.space.put(page, None)

    # Grants.

    def do_derive(self, source: str, va: str, pages: str, prot_text: str, text: str) -> None:
        (name,) = self.find(source)
        grant, prot = name.grant, PROTS[prot_text]
        self._check_new(text)
        check(prot & (W | X) != W | X, "E_WX")
        check(None in self.grants, "E_LIMIT")
        self._check_alive(name)
        self._check_rights(grant, "derive")
        wanted = self._range(grant, va, pages)
        check(grant.rights >= ALL_RIGHTS and not prot & ~grant.prot, "E_RIGHT")
        new = Grant(grant.space, wanted.start, len(wanted), prot, ALL_RIGHTS, grant)
        self.grants[self.grants.index(None)] = new
        self._add(Name(text, "grant", new, source))

    def do_revoke(self, text: str) -> None:
        (name,) = self.find(text)
        self._check_alive(name)
        for space in filter(None, self.spaces):
            for page, entry in list(space.pages.items()):
                if any(grant.comes_from(name.grant) for grant in entry.via):
                    space.put(page, None)
        for other in self.names.values():
            if other.grant.comes_from(name.grant):
                other.grant.alive = False
        if name.grant.parent is None:
            name.grant.space.clear()

    # Accesses.

    def _access(self, text: str, va: str, n: int, right: int) -> tuple[Space, int]:
        (name,) = self.find(text)
        start = int(va, 0)
        check(start + n <= 1 << 64, "E_INVAL")
        self._check_alive(name)
        for at in (start, start + n - 1):
            self._range(name.grant, hex(at & -PAGE), "1")
        check(bool(name.grant.prot & right), "E_RIGHT")
        self._check_rights(name.grant, "spawn")
        return name.grant.space, start

    @staticmethod
    def _touch(space: Space, va: int, right: int, what: str) -> Entry:
        entry = space.pages.get(va // PAGE)
        if entry is None or not entry.prot & right:
            raise ModelError("E_FAULT", [f"fault: {what} {va:#x}"])
        return space.own(va // PAGE) if entry.frame is None or right == W else entry

    def do_write(self, text: str, va: str, digits: str) -> None:
        data = bytes.fromhex(digits)
        space, start = self._access(text, va, len(data), W)
        for at, byte in enumerate(data, start):
            self._touch(space, at, W, "write").frame.data[at % PAGE] = byte

    def do_read(self, text: str, va: str, length: str) -> Iterator[str]:
        space, start = self._access(text, va, int(length, 0), R)
        data = bytes(self._touch(space, at, R, "read").frame.data[at % PAGE]
                     for at in range(start, start + int(length, 0)))
        yield data.hex()

    def do_exec(self, text: str, va: str) -> None:
        space, start = self._access(text, va, 1, X)
        self._touch(space, start, X, "exec")

    def runs_into_the_unknown(self, text: str, va: str) -> bool:
        """Whether `exec` would run code other than a return instruction."""
        try:
            space, start = self._access(text, va, 1, X)
        except ModelError:
            return False
        entry = space.pages.get(start // PAGE)
        if entry is None or not entry.prot & X:
            return False
        return entry.frame is None or entry.frame.data[start % PAGE] != 0xC3

    # Views.

    def do_query(self, text: str, va: str) -> Iterator[str]:
        (name,) = self.find(text)
        at = int(va, 0)
        self._check_alive(name)
        self._range(name.grant, hex(at & -PAGE), "1")
        entry = name.grant.space.pages.get(at // PAGE)
        if entry is None:
            yield f"{at:#x} unmapped"
        elif entry.frame is None:
            yield f"{at:#x} lazy {PROT_TEXTS[entry.prot]}"
        else:
            yield f"{at:#x} -> {ADDRESS} 4K {PROT_TEXTS[entry.prot]}"

    def do_maps(self, text: str) -> Iterator[str]:
        (name,) = self.find(text)
        self._check_alive(name)
        grant = name.grant
        pages = grant.space.pages
        shown = [page for page in sorted(pages) if 0 <= page - grant.first < grant.pages]
        for first, last in runs(shown, lambda page: pages[page].state()):
            yield f"{first * PAGE:#x}-{(last + 1) * PAGE:#x} {pages[first].state()}"

    def do_stats(self, text: str) -> Iterator[str]:
        (name,) = self.find(text)
        self._check_alive(name)
        pages = sum(entry.frame is not None for entry in name.grant.space.pages.values())
        yield f"pages {pages} tables {ADDRESS} charged {ADDRESS} quota {ADDRESS}"

    def do_list(self) -> Iterator[str]:
        def place(name: Name) -> tuple[bool, int]:
            if name.kind == "grant":
                return True, self.grants.index(name.grant)
            return False, self.spaces.index(name.grant.space)

        for name in sorted(self.names.values(), key=place):
            yield name.line()


def matches(expected: str, answered: str) -> re.Match[str] | None:
    """Compares a line of the model's with one of the shell's; a group for each ADDRESS."""
    pattern = re.escape(expected).replace(ADDRESS, "((?:0x)?[0-9a-f]+)")
    return re.fullmatch(pattern, answered)
