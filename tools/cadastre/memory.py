# SPDX-License-Identifier: MIT
"""The physical memory of a machine that stood still, in a file, and addresses in it."""
from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path

from cadastre.header import constants

PAGE = 4096
ENTRIES = 512

PTE = constants("arch/x86_64/include/arch/pte.h", "servers/vmm/core/pte.h",
                "lib/ipc/types.h", "lib/ipc/vmm_protocol.h")


Read = Callable[[int, int], bytes]  # address, how many


class Unmapped(Exception):
    """No memory behind an address, physical or virtual."""


class Memory:
    def __init__(self, path: Path | str):
        with Path(path).open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def read(self, address: int, n: int) -> bytes:
        if not 0 <= address <= address + n <= len(self._bytes):
            raise Unmapped(f"physical {address:#x}")
        return self._bytes[address:address + n]

    def entries(self, table: int) -> memoryview:
        """The 512 words of the frame of that number."""
        return memoryview(self.read(table * PAGE, PAGE)).cast("Q")

    def pages_with(self, text: bytes) -> list[int]:
        """The frames that begin with `text`."""
        found, at = [], self._bytes.find(text)
        while at >= 0:
            if at % PAGE == 0:
                found.append(at // PAGE)
            at = self._bytes.find(text, at + 1)
        return found

    def physical(self, root: int, levels: int, va: int) -> int:
        """What the tables at frame `root` translate `va` to."""
        table = root
        for level in range(levels, 0, -1):
            shift = 12 + 9 * (level - 1)
            e = self.entries(table)[va >> shift & ENTRIES - 1]
            if not e & PTE["PTE_P"]:
                break
            if level == 1 or e & PTE["PTE_PS"]:
                span = 1 << shift
                return (e & PTE["PTE_ADDR"] & -span) + va % span
            table = (e & PTE["PTE_ADDR"]) // PAGE
        raise Unmapped(f"virtual {va:#x}")

    def virtual(self, root: int, levels: int) -> Read:
        """Reads by the virtual addresses of the tables at `root`."""
        def read(va: int, n: int) -> bytes:
            data = b""
            while n:
                piece = min(n, PAGE - va % PAGE)
                data += self.read(self.physical(root, levels, va), piece)
                va, n = va + piece, n - piece
            return data
        return read
