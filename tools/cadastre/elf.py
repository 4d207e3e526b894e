# SPDX-License-Identifier: MIT
"""Where the segments of an ELF64 file go, and under which rights: what a test expects to find."""
from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_PT_LOAD = 1


@dataclass(frozen=True)
class Segment:
    va: int
    offset: int  # in the file
    file_bytes: int
    memory_bytes: int
    execute: bool
    write: bool

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.va + self.memory_bytes


def segments(path: Path | str) -> list[Segment]:
    """The loadable segments of `path`, which was linked here: nothing about it is doubted."""
    image = Path(path).read_bytes()
    header = _HEADER.unpack_from(image)
    offset, size, count = header[5], header[9], header[10]
    found = []
    for index in range(count):
        kind, flags, at, va, _, file_bytes, memory_bytes, _ = _PROGRAM_HEADER.unpack_from(
            image, offset + index * size)
        if kind == _PT_LOAD:
            found.append(Segment(va, at, file_bytes, memory_bytes, bool(flags & 1),
                                 bool(flags & 2)))
    return found


def read_code(path: Path | str, va: int, n_bytes: int) -> bytes:
    """What the file holds for `va`. Raises ValueError where none of its segments does."""
    for segment in segments(path):
        if segment.va <= va < segment.va + segment.file_bytes:
            at = segment.offset + va - segment.va
            return Path(path).read_bytes()[at:at + n_bytes]
    raise ValueError(f"{path} has nothing at {va:#x}")
