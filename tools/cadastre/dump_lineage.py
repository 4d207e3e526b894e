# SPDX-License-Identifier: MIT
"""Through which grants shared pages came: the vias and links of servers/vmm/core/link.h."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cadastre.dump_parts import Grant, Space, Table, Via, span
from cadastre.header import constants

if TYPE_CHECKING:
    from cadastre.dump import Dump

_LINK = constants("servers/vmm/core/link.h")


def read_vias(dump: "Dump") -> dict[int, Via]:
    """All vias, each with the entries that came by it; an entry of a page is told its via, too."""
    records = {id: dump.record("via", id) for id in dump.ids("via")}
    vias = {id: Via(id, dump.grants.get(r.grant)) for id, r in records.items()}
    for id, r in records.items():
        vias[id].parent = vias.get(r.parent)
    for table, i, via in links(dump):
        if table in dump.tables and via in vias:
            vias[via].entries.append((dump.tables[table], i))
            if i in dump.tables[table].entries:
                dump.tables[table].entries[i].via = vias[via]
    return vias


def links(dump: "Dump") -> Iterator[tuple[int, int, int]]:
    """A table's frame, an entry of it, and the via that its link names."""
    for id in dump.ids("link"):
        link = dump.record("link", id)
        for word, bits in enumerate(link.entries):
            for bit in range(64):
                if bits >> bit & 1:
                    i = link.half * _LINK["LINK_ENTRIES"] + word * 64 + bit
                    yield link.table.n, i, link.via


def spaces_of(table: Table) -> set[Space]:
    """The spaces from which one gets to a table."""
    found: set[Space] = set()
    todo: list[Table | Space] = [table]
    while todo:
        here = todo.pop()
        if isinstance(here, Space):
            found.add(here)
        else:
            todo += [parent for parent, _ in here.parents]
    return found


def shared_through(dump: "Dump", grant: Grant) -> Counter[Space]:
    """Pages that each space has through the grant itself, not through what was derived from it."""
    pages: Counter[Space] = Counter()
    for via in dump.vias.values():
        for table, _ in via.entries if via.grant is grant else ():
            for space in spaces_of(table):
                pages[space] += span(table.level)
    return pages
