# SPDX-License-Identifier: MIT
"""How many entries of page tables a sample changed: the memory of the machine before and behind it.

The machine's memory is a file here, so that looking at it costs nothing. Which frames are tables, the
VMM's frame table tells.
"""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cadastre.dump import find_state
from cadastre.layout import Types
from cadastre.memory import ENTRIES, PAGE, Memory

Tables = dict[int, bytes]  # by number of their frame


def arguments(file: Path, memory: str) -> tuple[str, ...]:
    """QEMU's, that make `file` the machine's memory."""
    return ("-object", f"memory-backend-file,id=ram,size={memory},mem-path={file},share=on")


class TableReader:
    """Reads all page tables. The VMM must have started when it is made."""

    def __init__(self, file: Path, vmm: Path):
        self._memory, types = Memory(file), Types(vmm)
        state, frame = find_state(self._memory, types), types.struct("frame")
        self._frames, self._n_frames = state.frame_table.n * PAGE, state.n_frames
        self._frame_bytes, self._kind_at = frame.n_bytes, frame.fields["kind"].offset
        self._table = types.enum("frame_kind")["FRAME_TABLE"]

    def _numbers(self) -> Iterator[int]:
        records = self._memory.read(self._frames, self._n_frames * self._frame_bytes)
        kinds = records[self._kind_at::self._frame_bytes]
        at = -1
        while (at := kinds.find(self._table, at + 1)) >= 0:
            yield at

    def tables(self) -> Tables:
        return {pfn: self._memory.read(pfn * PAGE, PAGE) for pfn in self._numbers()}


def changed(before: Tables, after: Tables) -> int:
    """Entries that are not what they were; of a new table those that are not empty."""
    count = 0
    for pfn, table in after.items():
        old = before.get(pfn, bytes(PAGE))
        if table != old:
            words, old_words = memoryview(table).cast("Q"), memoryview(old).cast("Q")
            count += sum(words[i] != old_words[i] for i in range(ENTRIES))
    return count
