# SPDX-License-Identifier: MIT
"""Everything that the VMM knows, read from the memory of a machine that stood still.

    with Shell() as sh:
        sh.run("create a")
        dump = sh.dump()
    a = dump.space("a")
    a.root.entries, a.account.charged, [run.line() for run in dump.runs(a)]
    list(problems(dump))                # of dump_check: an audit of its own; [] if all is well

All hangs from the root record (`struct state`), which is found by its magic number; where a field
lies is read from the DWARF of vmm.elf. So this knows names of fields, and what bits of page-table
entries mean, and nothing else.
"""
from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from cadastre.dump_parts import SIZES, Account, Entry, Grant, Leaf, Run, Space, Table, Task, span
from cadastre.dump_lineage import read_vias
from cadastre.header import constants
from cadastre.layout import Struct, Types, View
from cadastre.memory import ENTRIES, PAGE, PTE, Memory

_NUMBERS = constants("servers/vmm/core/vmm.h", "servers/vmm/core/pool.h",
                     "servers/vmm/core/ports.h", "arch/x86_64/include/arch/layout.h")


def find_state(memory: Memory, types: Types) -> View:
    """The VMM's root record. Raises ValueError where there is none."""
    for pfn in memory.pages_with(_NUMBERS["STATE_MAGIC"].to_bytes(8, "little")):
        state = View(types.struct("state"), memory.read, pfn * PAGE)
        if state.version == _NUMBERS["STATE_VERSION"]:
            return state
    raise ValueError("no root record of a VMM of this version in the memory")


class Dump:
    """Reads all of it at once. Names are what dump_names.py finds in the tasks' own memory."""

    def __init__(self, memory: Memory, types: Types):
        self.memory, self.types = memory, types
        self.state = find_state(memory, types)
        self.levels: int = self.state.levels
        self.kinds = types.enum("frame_kind")
        self._frame_struct, self._frames = types.struct("frame"), self.state.frame_table.n * PAGE
        self._records = {name: (kind, types.struct(name)) for name, kind in
                         (("account", "RECORD_ACCOUNT"), ("space", "RECORD_SPACE"),
                          ("task", "RECORD_TASK"), ("via", "RECORD_VIA"),
                          ("link", "RECORD_LINK"), ("pager", "RECORD_PAGER"))}
        self.accounts = self._read_accounts()
        self.tables: dict[int, Table] = {}
        # By number of the first frame, and level: who maps a page, or a device's.
        self.users: dict[tuple[int, int], list[tuple[Table, int]]] = {}
        self.device_users: dict[tuple[int, int], list[tuple[Table, int]]] = {}
        self.spaces = {space.id: space for space in self._read_spaces()}
        self.dead_tables = list(self._read_dead_tables())
        self.tasks = {task.id: task for task in self._read_tasks()}
        self.grants: dict[int, Grant] = {}
        for space in self.spaces.values():
            self._read_grants(space)
        self.vias = read_vias(self)
        self.names: dict[str, Grant | None] = {}  # the shell's; None: revoked

    # Frames and records.

    def view(self, struct: str, address: int) -> View:
        return View(self.types.struct(struct), self.memory.read, address)

    def frame(self, pfn: int) -> View:
        """The frame table's record of it."""
        return View(self._frame_struct, self.memory.read,
                    self._frames + pfn * self._frame_struct.n_bytes)

    @cached_property
    def frame_kinds(self) -> bytes:
        """The kind of every frame."""
        size = self._frame_struct.n_bytes
        return self.memory.read(self._frames, self.state.n_frames * size)[
            self._frame_struct.fields["kind"].offset::size]

    @cached_property
    def is_free(self) -> bytearray:
        """Of every frame, 1 if it is free: what the stretches list, and what is fresh in them."""
        stretch, n_frames = self.types.struct("stretch"), self.state.n_frames
        free = bytearray(n_frames)
        at = self._frames + n_frames * self._frame_struct.n_bytes
        for level in (1, 2, 3):
            for i in range(n_frames // span(level + 1) + 1):
                at += stretch.n_bytes  # the first one is the list's head
                self._mark_free(free, View(stretch, self.memory.read, at), i, level)
            at += stretch.n_bytes
        return free

    def _mark_free(self, free: bytearray, stretch: View, i: int, level: int) -> None:
        end, n_fresh, pfn = (i + 1) * span(level + 1), stretch.n_fresh * span(level), stretch.free.n
        free[end - n_fresh:end] = bytes([1]) * n_fresh
        while pfn:
            free[pfn:pfn + span(level)] = bytes([1]) * span(level)
            pfn = self.frame(pfn).next.n

    def frames_of(self, kind: str) -> Iterator[int]:
        """The frames of that kind: "FRAME_PAGE"."""
        at = -1
        while (at := self.frame_kinds.find(self.kinds[kind], at + 1)) >= 0:
            yield at

    def record(self, name: str, id: int) -> View:
        """The record of that id; a struct of another kind there is an error."""
        kind, struct = self._records[name]
        places = _NUMBERS["RECORDS_PER_FRAME"]
        view = View(struct, self.memory.read,
                    id // places * PAGE + id % places * _NUMBERS["RECORD_BYTES"])
        if view.kind != self._record_kinds[kind]:
            raise ValueError(f"record {id:#x} is no {name}")
        return view

    @cached_property
    def _record_kinds(self) -> dict[str, int]:
        return self.types.enum("record_kind")

    def ids(self, name: str) -> Iterator[int]:
        """Every record of a kind."""
        kind = self._record_kinds[self._records[name][0]]
        for pfn in self.frames_of("FRAME_RECORDS"):
            for place in range(1, _NUMBERS["RECORDS_PER_FRAME"]):
                at = pfn * PAGE + place * _NUMBERS["RECORD_BYTES"]
                if self.memory.read(at, 1)[0] == kind:
                    yield pfn * _NUMBERS["RECORDS_PER_FRAME"] + place

    def _read_accounts(self) -> dict[int, Account]:
        records = {id: self.record("account", id) for id in self.ids("account")}
        accounts = {id: Account(id, r.quota, r.charged, r.lent, r.refs)
                    for id, r in records.items()}
        for id, r in records.items():
            accounts[id].parent = accounts.get(r.parent)
        accounts[self.state.root_account].name = "machine"
        return accounts

    # Spaces and their trees.

    def _read_spaces(self) -> Iterator[Space]:
        id = self.state.spaces
        while id:
            r = self.record("space", id)
            space = Space(id, self._read_table(r.root.n, self.levels), r.refs,
                          self.accounts[r.account], bool(r.has_own_account),
                          bool(r.snapshot_rights))
            space.root.parents.append((space, 0))
            yield space
            id = r.next

    def _read_dead_tables(self) -> Iterator[Table]:
        """Those that nothing refers to, in a drop that is not over: what is below them is still held."""
        pfn = self.state.dead_tables.n
        while pfn:
            yield self._read_table(pfn, self.frame(pfn).level)
            pfn = self.frame(pfn).next.n

    def _read_table(self, pfn: int, level: int) -> Table:
        """The table with all that is below it; one that has several parents is read once."""
        if pfn in self.tables:
            return self.tables[pfn]
        f = self.frame(pfn)
        table = Table(pfn, level, f.refs, f.used, f.first, f.last, self.accounts[f.account])
        self.tables[pfn] = table
        words = self.memory.entries(pfn)
        for i in range(ENTRIES // 2 if level == self.levels else ENTRIES):
            if words[i]:
                table.entries[i] = entry = self._read_entry(words[i], level)
                if entry.table:
                    entry.table.parents.append((table, i))
                elif entry.pfn:
                    users = self.users if entry.kind == "page" else self.device_users
                    users.setdefault((entry.pfn, level), []).append((table, i))
        return table

    def _read_entry(self, bits: int, level: int) -> Entry:
        """As servers/vmm/core/pte.h draws it."""
        is_present, is_writable = bool(bits & PTE["PTE_P"]), bool(bits & PTE["PTE_W"])
        pfn = (bits & PTE["PTE_ADDR"]) // PAGE
        if is_present and level > 1 and not bits & PTE["PTE_PS"]:
            return Entry("table", is_writable, self._read_table(pfn, level - 1))
        entry = Entry("page", is_writable and is_present, None, pfn,
                      bits >> PTE["PTE_PROT_SHIFT"] & 7, bits >> PTE["PTE_MAX_SHIFT"] & 7,
                      bool(bits & PTE["PTE_SHARED"]), is_linked=bool(bits & PTE["PTE_LINKED"]))
        if not is_present and not bits & PTE["PTE_HELD"]:
            is_paged, entry.pfn = bool(bits & PTE["PTE_PAGED"]), 0
            entry.kind = "paged" if is_paged else "lazy"
            entry.lazy_level, entry.pager = (0, pfn) if is_paged else (pfn & 3, 0)
        elif bits & PTE["PTE_DEVICE"]:
            entry.kind = "device"
        return entry

    def leaves(self, space: Space) -> Iterator[Leaf]:
        """All pages and lazy ranges of a space, in order."""
        def below(table: Table, page: int, is_joint: bool) -> Iterator[Leaf]:
            is_joint |= len(table.parents) > 1
            for i, entry in sorted(table.entries.items()):
                at = page + i * span(table.level)
                if entry.table:
                    yield from below(entry.table, at, is_joint)
                else:
                    yield Leaf(at, table.level, entry, is_joint)
        return below(space.root, 0, False)

    def is_sole(self, pfn: int, level: int) -> bool:
        """Whether one entry alone maps the page or any part of it, as the entries tell."""
        return self._overlaps[pfn, level] == 1

    @cached_property
    def _overlaps(self) -> dict[tuple[int, int], int]:
        """How many entries map a page or a part of it, or something larger around it."""
        parts: dict[tuple[int, int], int] = {}
        for (pfn, level), users in self.users.items():
            for above in range(level + 1, 4):
                head = pfn & -span(above), above
                parts[head] = parts.get(head, 0) + len(users)
        return {(pfn, level): parts.get((pfn, level), 0)
                + sum(len(self.users.get((pfn & -span(above), above), ()))
                      for above in range(level, 4)) for pfn, level in self.users}

    def runs(self, space: Space) -> list[Run]:
        """What `maps` answers of it."""
        runs: list[Run] = []
        for leaf in self.leaves(space):
            new = self._run(leaf)
            old = runs[-1] if runs else None
            if old and old.page + old.pages == new.page and \
                    (old.prot, old.size, old.how) == (new.prot, new.size, new.how):
                old.pages += new.pages
            else:
                runs.append(new)
        return runs

    def _run(self, leaf: Leaf) -> Run:
        entry = leaf.entry
        if not entry.pfn:
            how = "paged" if entry.pager else ""
            return Run(leaf.page, span(leaf.level), entry.prot, "", how)
        if entry.kind == "device":
            how = "device"
        elif entry.shared:
            how = "shared"
        else:
            how = "cow" if leaf.is_joint or not self.is_sole(entry.pfn, leaf.level) else ""
        return Run(leaf.page, span(leaf.level), entry.prot, SIZES[leaf.level], how)

    # Tasks and grants.

    def _read_tasks(self) -> Iterator[Task]:
        for space in self.spaces.values():
            id = self.record("space", space.id).tasks
            while id:
                r = self.record("task", id)
                task = Task(id, space, r.number, bool(r.is_running), bool(r.is_probe),
                            self.object(r.object))
                space.tasks.append(task)
                yield task
                id = r.next

    def object(self, index: int) -> int:
        """The frame that the VMM donated at that index of the kernel's object window."""
        table = self.memory.entries(self.state.window.n)[index // ENTRIES]
        entry = self.memory.entries((table & PTE["PTE_ADDR"]) // PAGE)[index % ENTRIES]
        return (entry & PTE["PTE_ADDR"]) // PAGE

    def portal(self, number: int) -> View:
        """The VMM's record of the portal of that number."""
        in_frame = _NUMBERS["PORTALS_IN_FRAME"]
        records = self.frame(self.object(number // in_frame)).link
        struct = self._portal_struct
        return View(struct, self.memory.read,
                    records * PAGE + number % in_frame * struct.n_bytes)

    def n_portals(self, kind: str) -> int:
        """How many portals of that kind ("PORTAL_GRANT") there are in all."""
        struct, wanted = self._portal_struct, self.types.enum("portal_kind")[kind]
        return sum(View(struct, self.memory.read, pfn * PAGE + i * struct.n_bytes).kind == wanted
                   for pfn in self.frames_of("FRAME_PORTALS")
                   for i in range(_NUMBERS["PORTALS_IN_FRAME"]))

    @cached_property
    def _portal_struct(self) -> Struct:
        return self.types.struct("portal")

    def _read_grants(self, space: Space) -> None:
        lists: list[tuple[int, Grant | None]] = [(self.record("space", space.id).grants, None)]
        while lists:
            number, parent = lists.pop()
            siblings = parent.children if parent else space.grants
            while number:
                r = self.portal(number)
                grant = Grant(number, space, r.first, r.n_pages, r.rights, parent)
                self.grants[number] = grant
                siblings.insert(0, grant)  # a new one is put first in C
                lists.append((r.child, grant))
                number = r.next

    # By name.

    def space(self, name: str) -> Space:
        return next(space for space in self.spaces.values() if space.name == name)

    def grant(self, name: str) -> Grant:
        return next(grant for grant in self.grants.values() if grant.name == name)
