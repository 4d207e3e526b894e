# SPDX-License-Identifier: MIT
"""A second boot of the bench image, in which one sample of each row is traced from outside.

The image is the one that was timed, and nothing in it knows: gdb's breakpoints stop it before and
behind the sample, and QEMU logs every instruction between.
"""
from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from cadastre import bench_ours
from cadastre.bench_log import Instruction, read, sample
from cadastre.bench_tables import TableReader, arguments, changed
from cadastre.elf import read_code
from cadastre.gdb_remote import RDI, GdbRemote
from cadastre.machine import Machine

# The row, what ran, how many entries of page tables it changed. False: another sample is wanted.
Done = Callable[[str, list[Instruction], int], bool]

# Which one of a row: the first ones may find caches of the allocator cold, and into any one the
# timer's tick may fall.
SAMPLES = range(3, 6)
TIMEOUT = 400.0
METER = Path("bench/meter.elf")  # under the build folder


class _Place:
    """A function of the meter. Other programs have other code at its address."""

    CODE_BYTES = 12  # of a function that sets up a frame and has a nop of its own

    def __init__(self, elf: Path, name: str):
        output = subprocess.run(["llvm-nm", elf], capture_output=True, text=True,
                                check=True).stdout
        self.va = int(re.search(rf"^([0-9a-f]+) . {name}$", output, re.MULTILINE)[1], 16)
        self._code = read_code(elf, self.va, self.CODE_BYTES)

    def is_here(self, gdb: GdbRemote) -> bool:
        """Whether the machine, which has stopped at the address, is in the meter."""
        return gdb.read(self.va, self.CODE_BYTES) == self._code


class _Tracer:
    """A machine that runs between breakpoints."""

    def __init__(self, machine: Machine, gdb: GdbRemote, folder: Path, build: Path):
        self._monitor, self._gdb, self._log = machine.monitor, gdb, folder / "log"
        self._memory, self._vmm, elf = folder / "memory", build / "vmm.elf", build / METER
        self._reader: TableReader | None = None
        self._begins, self._ended = _Place(elf, "sample_begins"), _Place(elf, "sample_ended")

    def run(self, wanted: Callable[[str], bool], done: Done) -> None:
        """Calls `done` with each row's name and what ran in its sample."""
        seen: Counter[str] = Counter()
        finished: set[str] = set()
        self._gdb.break_at(self._begins.va)
        while self._go_to(self._begins):
            name = self._gdb.text(self._gdb.register(RDI))
            seen[name] += 1
            is_due = seen[name] in SAMPLES and name not in finished and wanted(name)
            if is_due and done(name, *self._trace()):
                finished.add(name)
            self._gdb.step()

    def _go_to(self, place: _Place) -> bool:
        """Runs on to a breakpoint. False: the machine has ended instead."""
        while self._gdb.go():
            if place.is_here(self._gdb):
                return True
            self._gdb.step()
        return False

    def _trace(self) -> tuple[list[Instruction], int]:
        """From this breakpoint to the one behind the sample."""
        self._reader = self._reader or TableReader(self._memory, self._vmm)
        before = self._reader.tables()
        self._log_to_end()
        with self._log.open(errors="replace") as lines:
            ran = sample(read(lines))
        self._log.unlink()
        return ran, changed(before, self._reader.tables())

    def _log_to_end(self) -> None:
        self._gdb.break_at(self._ended.va)
        self._monitor.human(f"logfile {self._log}")
        self._monitor.human("singlestep on")
        self._monitor.human("log in_asm,exec,nochain")
        self._gdb.step()
        self._go_to(self._ended)
        self._monitor.human("log none")
        self._monitor.human("singlestep off")
        self._gdb.forget(self._ended.va)


def trace(build: Path, levels: int, wanted: Callable[[str], bool], done: Done) -> None:
    """Boots; calls `done` for each row that is `wanted`."""
    with tempfile.TemporaryDirectory(prefix="cadastre-trace-") as name:
        folder = Path(name)
        path = folder / "gdb"
        server = ("-chardev", f"socket,path={path},server=on,wait=off,id=gdb", "-gdb",
                  "chardev:gdb")
        memory = arguments(folder / "memory", bench_ours.MEMORY)
        config = replace(bench_ours.config(build, levels, server + memory), paused=True,
                         machine="pc,memory-backend=ram")
        with Machine(config, TIMEOUT) as machine:
            machine.monitor  # it is there when QEMU has opened its sockets
            gdb = GdbRemote(path, TIMEOUT)
            reader = threading.Thread(target=_read_all, args=(machine,))
            reader.start()
            try:
                _Tracer(machine, gdb, folder, build).run(wanted, done)
            finally:
                gdb.close()
                machine.kill()
                reader.join()


def _read_all(machine: Iterable[str]) -> None:
    for _ in machine:
        pass
