# SPDX-License-Identifier: MIT
"""An audit of a dump, written apart from the VMM's own: every count recomputed from what refers.

    for problem in problems(dump): ...      # a sentence each; none if all is well
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cadastre.dump import Dump
from cadastre.dump_lineage import links
from cadastre.dump_parts import Table, span
from cadastre.header import constants
from cadastre.memory import PTE

_FRAME = constants("servers/vmm/core/frame.h")


def problems(dump: Dump) -> Iterator[str]:
    for check in (_tables, _pages, _devices, _lineage, _pagers, _objects, _leaks, _conservation,
                  _accounts, _spaces, _grants):
        yield from check(dump)


def _differ(what: str, said: int, counted: int) -> Iterator[str]:
    if said != counted:
        yield f"{what}: the record says {said}, but it is {counted}"


def _tables(dump: Dump) -> Iterator[str]:
    dead = {table.pfn for table in dump.dead_tables}
    for table in dump.tables.values():
        what = f"table {table.pfn:#x} at level {table.level}"
        f = dump.frame(table.pfn)
        if (f.kind, f.level) != (dump.kinds["FRAME_TABLE"], table.level):
            yield f"{what}: its frame is recorded as kind {f.kind} at level {f.level}"
        yield from _differ(f"{what}: parents", table.refs, len(table.parents))
        yield from _differ(f"{what}: entries", table.used, len(table.entries))
        if any(not table.first <= i <= table.last for i in table.entries):
            yield f"{what}: entries outside {table.first}..{table.last}"
        if not table.parents and table.pfn not in dead:
            yield f"{what} has no parent"
        is_bare = f.flags & _FRAME["FRAME_BARE"] or table.pfn in dead
        if not table.entries and table.level < dump.levels and not is_bare:
            yield f"{what} is empty"
        yield from _entries(dump, table, what)


def _entries(dump: Dump, table: Table, what: str) -> Iterator[str]:
    for i, entry in table.entries.items():
        if entry.table:
            if entry.writable and len(entry.table.parents) != 1:
                yield f"{what}, entry {i}: W over a table with several parents"
            if entry.table.level != table.level - 1:
                yield f"{what}, entry {i}: a table of level {entry.table.level} below it"
            continue
        if entry.prot & ~entry.max or entry.prot & PTE["PROT_W"] and entry.prot & PTE["PROT_X"]:
            yield f"{what}, entry {i}: more rights than it may have"
        if entry.writable and not entry.prot & PTE["PROT_W"]:
            yield f"{what}, entry {i}: W without the right to write"
        if entry.kind == "page" and entry.writable and not entry.shared and \
                not dump.is_sole(entry.pfn, table.level):
            yield f"{what}, entry {i}: W over a page that others map too"


def _pages(dump: Dump) -> Iterator[str]:
    """Counts of entries, of a page by itself, of the blocks at its start, and of their parts."""
    whole, parts = Counter(), Counter()
    for (pfn, level), users in dump.users.items():
        whole[pfn, level] = len(users)
        for above in range(level + 1, 4):
            parts[pfn & -span(above), above] += len(users)
    for pfn in {pfn for pfn, _ in whole} | set(dump.frames_of("FRAME_PAGE")):
        f = dump.frame(pfn)
        if f.kind != dump.kinds["FRAME_PAGE"]:
            yield f"page {pfn:#x}: an entry maps it, but its frame is of kind {f.kind}"
            continue
        yield from _differ(f"page {pfn:#x}: entries", f.refs, whole[pfn, 1])
        for i, level in enumerate((2, 3)):
            is_block = f.order >= 9 * (level - 1)
            yield from _differ(f"page {pfn:#x}: entries of level {level}", f.block_refs[i],
                               whole[pfn, level])
            yield from _differ(f"page {pfn:#x}: entries of parts of level {level}",
                               f.part_refs[i], parts[pfn, level] if is_block else 0)


def _devices(dump: Dump) -> Iterator[str]:
    """What is no RAM: never executable, and below tables that are marked and one space's alone."""
    for (pfn, level), users in dump.device_users.items():
        for table, i in users:
            what = f"table {table.pfn:#x}, entry {i}: a device"
            entry = table.entries[i]
            if entry.max & PTE["PROT_X"] or not entry.shared:
                yield f"{what} that can be executed, or parts in clones"
            if not dump.frame(table.pfn).flags & _FRAME["FRAME_DEVICE"]:
                yield f"{what} below a table without the mark"
            if len(table.parents) != 1:
                yield f"{what} below a table with several parents"
        end = min(pfn + span(level), dump.state.n_frames)
        if any(kind != dump.kinds["FRAME_ABSENT"] for kind in dump.frame_kinds[pfn:end]):
            yield f"a device's frame {pfn:#x} is RAM"


def _lineage(dump: Dump) -> Iterator[str]:
    """A page that came through a grant says so, and one link says through which."""
    linked = Counter()
    for table, i, via in links(dump):
        linked[table, i] += 1
        entry = dump.tables[table].entries.get(i) if table in dump.tables else None
        if not entry or not entry.is_linked or not entry.shared or not entry.pfn:
            yield f"a link names entry {i} of table {table:#x}, which is no shared page"
        if via not in dump.vias:
            yield f"a link of table {table:#x} names no via"
    for table in dump.tables.values():
        for i, entry in table.entries.items():
            if entry.is_linked and linked[table.pfn, i] != 1:
                yield f"table {table.pfn:#x}, entry {i}: {linked[table.pfn, i]} links name it"
    parents = {via.parent for via in dump.vias.values()}
    for via in dump.vias.values():
        if not via.entries and via not in parents:
            yield f"nothing came by via {via.id:#x}"


def _pagers(dump: Dump) -> Iterator[str]:
    """A space's pagers are a chain of records, in which all that its entries name are found."""
    pagers = {id: dump.record("pager", id) for id in dump.ids("pager")}
    refs = Counter(pager.next for pager in pagers.values())
    for space in dump.spaces.values():
        first = dump.record("space", space.id).pagers
        refs[first] += 1
        chain = {0}
        while first not in chain:
            chain.add(first)
            first = pagers[first].next if first in pagers else 0
        for leaf in dump.leaves(space):
            if leaf.entry.pager not in chain:
                yield f"space {space.id:#x}, page {leaf.page:#x}: pager {leaf.entry.pager:#x} is " \
                    "none of its own"
    for id, pager in pagers.items():
        yield from _differ(f"pager {id:#x}: references", pager.refs, refs[id])


def _objects(dump: Dump) -> Iterator[str]:
    """The kernel's: none of them is mapped in a space."""
    objects = set(dump.frames_of("FRAME_OBJECT"))
    for pfn in objects & {pfn for pfn, _ in dump.users}:
        yield f"a kernel object in frame {pfn:#x} is mapped in a space"
    for task in dump.tasks.values():
        if task.is_running and task.object not in objects:
            yield f"task {task.number} has no kernel object"


def _leaks(dump: Dump) -> Iterator[str]:
    """A table belongs to a space, to one that goes, or is one of the object window's."""
    window = {word & PTE["PTE_ADDR"] for word in dump.memory.entries(dump.state.window.n)}
    for pfn in dump.frames_of("FRAME_TABLE"):
        if pfn not in dump.tables and pfn << PTE["PAGE_SHIFT"] not in window:
            yield f"table {pfn:#x} belongs to nobody"
    for pfn in dump.frames_of("FRAME_HELD"):
        yield f"frame {pfn:#x} is neither free nor in use"
    for pfn in dump.frames_of("FRAME_FREE"):
        if not dump.is_free[pfn]:
            yield f"frame {pfn:#x} is free and in no list"


def _frames_by_account(dump: Dump) -> tuple[Counter, Counter]:
    """Frames by kind, a block's as its head's; and those in use, by account."""
    kinds, charged = Counter(), Counter()
    in_use = range(dump.kinds["FRAME_TABLE"], max(dump.kinds.values()) + 1)
    body, account = dump.kinds["FRAME_BODY"], 0
    for pfn, kind in enumerate(dump.frame_kinds):
        if dump.is_free[pfn]:
            kind = dump.kinds["FRAME_FREE"]
        elif kind in in_use:
            account = dump.frame(pfn).account
        if not dump.is_free[pfn] and (kind == body or kind in in_use):
            kind = dump.kinds["FRAME_PAGE"]
            charged[account] += 1
        kinds[kind] += 1
    return kinds, charged


def _conservation(dump: Dump) -> Iterator[str]:
    """free + charged + reserved are the frames found at boot."""
    s, (kinds, charged) = dump.state, _frames_by_account(dump)
    free, reserved = kinds[dump.kinds["FRAME_FREE"]], kinds[dump.kinds["FRAME_RESERVED"]]
    yield from _differ("free frames", s.n_free, free)
    yield from _differ("reserved frames", s.n_reserved, reserved)
    yield from _differ("charged frames", s.n_charged, charged.total())
    yield from _differ("frames found at boot", s.n_boot, free + reserved + charged.total())


def _accounts(dump: Dump) -> Iterator[str]:
    _, charged = _frames_by_account(dump)
    lent, refs = Counter(), Counter(space.account for space in dump.spaces.values())
    for account in dump.accounts.values():
        if account.parent:
            lent[account.parent] += account.quota
            refs[account.parent] += 1
        else:
            refs[account] += 1  # the machine's own never goes
    for account in dump.accounts.values():
        what = f"account {account.id:#x}"
        yield from _differ(f"{what}: frames", account.charged, charged[account.id])
        yield from _differ(f"{what}: lent", account.lent, lent[account])
        yield from _differ(f"{what}: references", account.refs, refs[account])
        if account.charged + account.lent > account.quota:
            yield f"{what}: beyond its quota"


def _spaces(dump: Dump) -> Iterator[str]:
    grants = Counter(grant.space for grant in dump.grants.values())
    for space in dump.spaces.values():
        running = sum(task.is_running for task in space.tasks)
        yield from _differ(f"space {space.id:#x}: references", space.refs, grants[space] + running)
    yield from _differ("references to the kernel's space", dump.state.kernel.refs,
                       len(dump.spaces))


def _grants(dump: Dump) -> Iterator[str]:
    """What is derived is never wider; every grant that there is hangs in its space's tree."""
    for grant in dump.grants.values():
        parent = grant.parent
        if dump.portal(grant.number).owner != grant.space.id:
            yield f"grant {grant.number} hangs in another space's tree"
        if parent and (grant.rights & ~parent.rights or grant.first < parent.first or
                       grant.first + grant.pages > parent.first + parent.pages):
            yield f"grant {grant.number} is wider than what it was derived from"
    yield from _differ("grants", dump.n_portals("PORTAL_GRANT"), len(dump.grants))
