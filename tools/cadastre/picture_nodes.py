# SPDX-License-Identifier: MIT
"""What a picture of a dump shows: boxes in rows, cells in boxes, and edges from cells to boxes.

Neighbours that are alike become one: entries whose pages differ by their number alone are one cell
and one box of frames; tables that look alike, and below which nothing is shared, are one box. So
512 tables full of pages take no more room than one.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cadastre.dump import Dump
from cadastre.dump_parts import SIZES, Account, Entry, Space, Table, prot_text, span
from cadastre.memory import ENTRIES, PAGE

CELLS_MAX = 12  # of a table; of more, those in the middle are left out


@dataclass(eq=False)
class Cell:
    """Entries first..last of a table, which are alike; no `kind`: too many to show."""

    first: int
    last: int
    kind: str
    lines: tuple[str, ...]
    title: str
    child: "Box | None" = None
    passes_writes: bool = False  # W is set


@dataclass(eq=False)
class Box:
    """A space, tables that are alike, or frames that are alike."""

    kind: str  # "space", "table", "frames"
    row: int
    label: str
    note: str
    title: str
    n: int = 1
    n_parents: int = 0
    cells: list[Cell] = field(default_factory=list)
    reach: frozenset[Space] = frozenset()  # the spaces from which one gets here
    block: "Box | None" = None  # frames: the large page that they are part of


def plural(n: int, what: str, several: str = "") -> str:
    return f"{n:,} {what if n == 1 else several or what + 's'}"


def _entries(n: int) -> str:
    return plural(n, "entry", "entries")


class Graph:
    def __init__(self, dump: Dump, spaces: list[Space]):
        self.dump, self.spaces = dump, spaces
        self.n_rows = dump.levels + 2  # spaces, tables by level, frames of 4 KiB
        self.boxes: list[Box] = []
        self._tables: dict[Table, Box] = {}
        self._frames: dict[tuple[int, int], Box] = {}
        self._shapes: dict[Table, tuple | None] = {}
        for space in spaces:
            self._add_space(space)
        self._spread_reach()
        self._find_blocks()

    # Which neighbours are alike.

    def _follows(self, users: list, next_users: list) -> bool:
        """Whether whoever refers to one thing refers to the other with the entry behind it."""
        return {(user, i + 1) for user, i in users} == set(next_users)

    def _alike(self, table: Table, i: int) -> bool:
        """Whether entries i and i + 1 can be one cell."""
        a, b = table.entries[i], table.entries.get(i + 1)
        if b is None or self._looks(a) != self._looks(b):
            return False
        if a.pfn:
            return self._follows(self._users(a, table.level), self._users(b, table.level)) and \
                self._payer(a) is self._payer(b)
        if a.kind == "table":
            return self._follows(a.table.parents, b.table.parents) and \
                a.table.account is b.table.account and \
                self._shape(a.table) is not None and self._shape(a.table) == self._shape(b.table)
        return True

    def _looks(self, e: Entry) -> tuple:
        return e.kind, e.writable, e.prot, e.max, e.shared, e.lazy_level, e.pager, e.via

    def _users(self, entry: Entry, level: int) -> list[tuple[Table, int]]:
        """Who maps what the entry maps."""
        users = self.dump.users if entry.kind == "page" else self.dump.device_users
        return users[entry.pfn, level]

    def _payer(self, entry: Entry) -> Account | None:
        """None: the block that it is a part of tells; or it is a device's, and nobody pays."""
        if entry.kind == "device":
            return None
        return self.dump.accounts.get(self.dump.frame(entry.pfn).account)

    def _groups(self, table: Table) -> Iterator[tuple[int, int]]:
        """First and last of the entries that are alike."""
        first = None
        for i in sorted(table.entries):
            first = i if first is None else first
            if not self._alike(table, i):
                yield first, i
                first = None

    def _shape(self, table: Table) -> tuple | None:
        """What the table and all below it look like; None if something there has other users."""
        if table not in self._shapes:
            self._shapes[table] = self._find_shape(table)
        return self._shapes[table]

    def _find_shape(self, table: Table) -> tuple | None:
        shape: list[tuple] = []
        for first, last in self._groups(table):
            e, below = table.entries[first], None
            if e.table:
                below = self._shape(e.table)
                if below is None or len(e.table.parents) > 1:
                    return None
            elif e.kind == "device" or e.pfn and not self.dump.is_sole(e.pfn, table.level):
                return None
            shape.append((first, last, self._looks(e), below))
        return tuple(shape)

    # Boxes.

    def _add(self, box: Box) -> Box:
        self.boxes.append(box)
        return box

    def _add_space(self, space: Space) -> None:
        runs = self.dump.runs(space)
        there = sum(run.pages for run in runs if run.size)
        lazy = sum(run.pages for run in runs if not run.size)
        note = plural(there, "page") + (f", {lazy:,} lazy" if lazy else "")
        tasks = [f"task {task.number}" for task in space.tasks if not task.is_probe]
        note += f", {plural(len(tasks), 'task')}" if tasks else ""
        what = "snapshot" if space.is_snapshot else "space"
        note = f"snapshot, {note}" if space.is_snapshot else note
        title = "\n".join([f"{what} {space.name} (record {space.id:#x})",
                           f"account: {space.account.name}",
                           plural(space.refs, "reference") + ": grants and tasks",
                           *tasks, *(run.line() for run in runs[:20])])
        box = self._add(Box("space", 0, space.name, note, title, reach=frozenset({space})))
        root = self._add_table(space.root, 1, 0)
        box.cells = [Cell(0, 0, "root", (what,), title, root, True)]

    def _add_table(self, table: Table, n: int, page: int) -> Box:
        if table in self._tables:
            return self._tables[table]
        numbers = f"frame {table.pfn:#x}" + (f" and {n - 1:,} more" if n > 1 else "")
        title = "\n".join([f"table of level {table.level}, {numbers}",
                           plural(table.refs, "parent"), f"{_entries(table.used)} in use",
                           f"paid by {table.account.name}"])
        box = self._add(Box("table", 1 + self.dump.levels - table.level, f"{table.pfn * PAGE:#x}",
                            table.account.name, title, n, table.refs))
        self._tables[table] = box
        groups = list(self._groups(table))
        if len(groups) > CELLS_MAX:
            keep = CELLS_MAX // 2
            hidden = groups[keep:-keep]
            groups = groups[:keep] + [(hidden[0][0], hidden[-1][1])] + groups[-keep:]
            box.cells = [self._cell(table, n, page, *group, len(hidden) if i == keep else 0)
                         for i, group in enumerate(groups)]
        else:
            box.cells = [self._cell(table, n, page, *group) for group in groups]
        return box

    def _cell(self, table: Table, n: int, page: int, first: int, last: int,
              n_hidden: int = 0) -> Cell:
        entry, here = table.entries[first], page + first * span(table.level)
        numbers = f"[{first}]" if first == last else f"[{first}–{last}]"
        pages = (last - first + 1) * span(table.level)
        title = (f"level {table.level}, {_entries(last - first + 1)} {numbers}\n"
                 f"{here * PAGE:#x}–{(here + pages) * PAGE:#x}")
        if n_hidden:
            return Cell(first, last, "hidden", ("…", f"{n_hidden} more"), title)
        if entry.table:
            title += "\nW: the child has this one parent" if entry.writable else \
                "\nno W: the child is shared; nobody writes below it before copying it"
            child = self._add_table(entry.table, n * (last - first + 1), here)
            return Cell(first, last, "table", (numbers,), title, child, entry.writable)
        text = prot_text(entry.prot)
        title += f"\n{text}, at most {prot_text(entry.max)}"
        if entry.kind == "lazy":
            lines = f"{here * PAGE:#x}", f"{text} lazy", plural(pages, "page")
            return Cell(first, last, "lazy", lines,
                        title + f"\ndemand-zero, by {SIZES[entry.lazy_level]}")
        if entry.kind == "paged":
            lines = f"{here * PAGE:#x}", f"{text} paged", plural(pages, "page")
            return Cell(first, last, "lazy", lines,
                        title + f"\nfaults go to pager {entry.pager:#x}")
        return self._page_cell(table, n, first, last, entry, here, title)

    def _page_cell(self, table: Table, n: int, first: int, last: int, entry: Entry, here: int,
                   title: str) -> Cell:
        is_cow = not entry.shared and (table.refs > 1 or
                                       not self.dump.is_sole(entry.pfn, table.level))
        how = " device" if entry.kind == "device" else " shared" if entry.shared else \
            " cow" if is_cow else ""
        title += "\nW: the MMU lets write" if entry.writable else "\nno W: a write faults"
        title += f"\nit came {entry.via.text()}" if entry.via else ""
        child = self._add_frames(entry, table.level, n * (last - first + 1))
        lines = f"{here * PAGE:#x}", prot_text(entry.prot) + how, f"[{first}" + (
            f"–{last}]" if last > first else "]")
        return Cell(first, last, "page", lines, title, child, entry.writable)

    def _add_frames(self, entry: Entry, level: int, n: int) -> Box:
        key = entry.pfn, level
        if key in self._frames:
            return self._frames[key]
        users, account = self._users(entry, level), self._payer(entry)
        payer = account.name if account else "nobody: it is a device" \
            if entry.kind == "device" else "its block's"
        title = "\n".join([f"{plural(n, 'page')} of {SIZES[level]}, frame {entry.pfn:#x}"
                           + (" and others" if n > 1 else ""),
                           f"{_entries(len(users))} to each", f"paid by {payer}"])
        label = f"{entry.pfn * PAGE:#x}"
        note = f"{n:,} × {SIZES[level]}" + (" device" if entry.kind == "device" else "")
        box = self._add(Box("frames", 2 + self.dump.levels - level, label, note, title, n,
                            len(users)))
        self._frames[key] = box
        return box

    # What can be told only when all are there.

    def _spread_reach(self) -> None:
        for box in sorted(self.boxes, key=lambda box: box.row):
            for cell in box.cells:
                if cell.child:
                    cell.child.reach |= box.reach

    def _find_blocks(self) -> None:
        for (pfn, level), box in self._frames.items():
            for above in range(level + 1, 4):
                box.block = box.block or self._frames.get((pfn & -span(above), above))
