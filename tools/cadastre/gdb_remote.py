# SPDX-License-Identifier: MIT
"""A small client of QEMU's gdb server: breakpoints, stops, registers and memory of what runs.

A breakpoint is a virtual address in whatever space is loaded: every task has one of that address.
"""
from __future__ import annotations

import socket
from pathlib import Path

RDI = 5  # in gdb's order of registers


class GdbError(Exception):
    """The server refused something, or hung up."""


class GdbRemote:
    """A connection to the server at the Unix socket `path`; the machine is stopped."""

    def __init__(self, path: Path, timeout: float):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._socket.connect(str(path))
        self._buffer = b""

    def close(self) -> None:
        self._socket.close()

    def _send(self, packet: str) -> None:
        data = packet.encode()
        self._socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))

    def _receive(self) -> str:
        while b"#" not in self._buffer or len(self._buffer.partition(b"#")[2]) < 2:
            data = self._socket.recv(65536)
            if not data:
                raise GdbError("QEMU has ended")
            self._buffer += data
        packet, _, rest = self._buffer.partition(b"#")
        self._buffer = rest[2:]
        self._socket.sendall(b"+")
        return packet.lstrip(b"+").decode()[1:]

    def _ask(self, packet: str) -> str:
        self._send(packet)
        answer = self._receive()
        if answer.startswith("E"):
            raise GdbError(f"{packet}: {answer}")
        return answer

    def break_at(self, va: int) -> None:
        self._ask(f"Z0,{va:x},1")

    def forget(self, va: int) -> None:
        """The opposite of break_at()."""
        self._ask(f"z0,{va:x},1")

    def go(self) -> bool:
        """Lets the machine run to the next breakpoint. False: it has ended instead."""
        self._send("c")
        try:
            return self._receive().startswith("T")
        except GdbError:
            return False

    def step(self) -> None:
        """One instruction, which may be one with a breakpoint."""
        self._ask("s")

    def register(self, number: int) -> int:
        """One of those of 64 bits."""
        return int.from_bytes(bytes.fromhex(self._ask("g"))[8 * number:8 * number + 8], "little")

    def read(self, va: int, n_bytes: int) -> bytes:
        return bytes.fromhex(self._ask(f"m{va:x},{n_bytes:x}"))

    def write_physical(self, address: int, data: bytes) -> None:
        """Into memory at a physical address, whatever space is loaded."""
        self._ask("Qqemu.PhyMemMode:1")
        self._ask(f"M{address:x},{len(data):x}:{data.hex()}")
        self._ask("Qqemu.PhyMemMode:0")

    def detach(self) -> None:
        """Lets the machine run on without the debugger."""
        self._ask("D")

    def text(self, va: int, most: int = 64) -> str:
        """The text at `va`, up to its NUL."""
        return self.read(va, most).split(b"\0")[0].decode()
