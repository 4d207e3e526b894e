# SPDX-License-Identifier: MIT
"""QEMU's view of a machine: its monitor, over QMP.

`info tlb` and `info mem` walk the page tables with an MMU that nobody here wrote; tests compare it
with what the VMM says it mapped.
"""
from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path


class MonitorError(Exception):
    """QEMU refused a command, or hung up."""


@dataclass(frozen=True)
class Page:
    """One leaf of the page tables that are loaded, as `info tlb` shows it."""

    va: int
    pa: int
    flags: str  # of X (no execute) G P(large) D A C T U W, in this order, '-' where clear

    @property
    def no_execute(self) -> bool:
        return "X" in self.flags

    @property
    def writable(self) -> bool:
        return "W" in self.flags

    @property
    def is_large(self) -> bool:
        return "P" in self.flags

    @property
    def user(self) -> bool:
        return "U" in self.flags

    @property
    def is_uncached(self) -> bool:
        return "C" in self.flags and "T" in self.flags

    @property
    def is_global(self) -> bool:
        return "G" in self.flags


_TLB_LINE = re.compile(r"^([0-9a-f]+): ([0-9a-f]+) ([XGPDACTUW-]{9})$", re.MULTILINE)


def parse_tlb(text: str) -> list[Page]:
    """The pages in the answer to `info tlb`."""
    return [Page(int(va, 16), int(pa, 16), flags)
            for va, pa, flags in _TLB_LINE.findall(text.replace("\r", ""))]


@dataclass(frozen=True)
class Range:
    """Memory that the loaded tables allow alike, as `info mem` shows it: the rights of all levels
    together, but for the right to execute."""

    start: int
    end: int  # the first address behind it
    user: bool
    writable: bool


_MEM_LINE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) [0-9a-f]+ ([u-])r([w-])$", re.MULTILINE)


def parse_mem(text: str) -> list[Range]:
    """The ranges in the answer to `info mem`."""
    return [Range(int(start, 16), int(end, 16), user == "u", write == "w")
            for start, end, user, write in _MEM_LINE.findall(text.replace("\r", ""))]


class Monitor:
    """A connection to the QMP socket of a running machine."""

    def __init__(self, path: Path, timeout: float = 30):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw", encoding="utf-8", newline="\n")
        self._receive("QMP")
        self.execute("qmp_capabilities")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _receive(self, *keys: str) -> dict:
        """The next message that has one of `keys`; events between are passed over."""
        while line := self._file.readline():
            message = json.loads(line)
            if any(key in message for key in keys):
                return message
        raise MonitorError("QEMU closed its monitor")

    def execute(self, command: str, **arguments: object) -> object:
        """One QMP command and what it returns."""
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        message = self._receive("return", "error")
        if "error" in message:
            raise MonitorError(f"{command}: {message['error'].get('desc')}")
        return message["return"]

    def human(self, command_line: str) -> str:
        """A command of the human monitor, as one would type it, and its answer."""
        return str(self.execute("human-monitor-command", **{"command-line": command_line}))

    def stop(self) -> None:
        """Halts the guest between two instructions, until cont()."""
        self.execute("stop")

    def cont(self) -> None:
        self.execute("cont")

    def save_memory(self, path: Path) -> None:
        """Writes the physical memory into a file. Halt the guest first."""
        ram = self.execute("query-memory-size-summary")["base-memory"]
        # Beyond 3 GiB the PC's chipset puts RAM above 4 GiB: at most 1 GiB further up.
        n = ram if ram <= 3 << 30 else ram + (1 << 30)
        self.execute("pmemsave", val=0, size=n, filename=str(path))

    def pages(self) -> list[Page]:
        """Every leaf of the tables that CPU 0 has loaded. Halt the guest first."""
        return parse_tlb(self.human("info tlb"))

    def ranges(self) -> list[Range]:
        """What the tables that CPU 0 has loaded allow. Halt the guest first."""
        return parse_mem(self.human("info mem"))

    def instruction(self) -> tuple[int, int]:
        """RIP and privilege level of CPU 0. Halt the guest first."""
        text = self.human("info registers")
        rip, cpl = re.search(r"[RE]IP=([0-9a-f]+)", text), re.search(r"CPL=([0-3])", text)
        if not rip or not cpl:
            raise MonitorError(f"no RIP in {text!r}")
        return int(rip[1], 16), int(cpl[1])

    def physical_address(self, va: int) -> int | None:
        """Where the loaded tables map `va` to; None where they do not."""
        match = re.search(r"gpa: (?:0x)?([0-9a-f]+)", self.human(f"gva2gpa {va:#x}"))
        return int(match[1], 16) if match else None
