# SPDX-License-Identifier: MIT
"""A QEMU that runs, read line by line.

Every machine has a deadline. Waiting past it, or for a line that can no longer come, raises an
error that says what was waited for and shows what the machine said last. QEMU runs in a session of
its own, is killed when the `with` block is left, and by the system should Python itself be killed.
"""
from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pexpect
from pexpect.popen_spawn import PopenSpawn

from cadastre import ktap, qemu
from cadastre.memory import Memory
from cadastre.monitor import Monitor
from cadastre.verdict import Verdict, judge

TAIL_LINES = 20
PANIC_GRACE = 5.0  # seconds for the rest of the report after a panic, and to power off
EXIT_GRACE = 10.0  # seconds between the end of the serial line and the end of QEMU


class BootError(Exception):
    """Something did not come. `lines` is all that the machine had said."""

    def __init__(self, what: str, machine: "Machine"):
        self.lines = list(machine.lines)
        tail = [line for line in self.lines if line.strip()][-TAIL_LINES:]
        said = "\n".join(f"    | {line}" for line in tail) or "    (nothing)"
        super().__init__(f"{what}\n  machine: {machine.config}\n  it last said:\n{said}")


class BootTimeout(BootError):
    """The deadline passed."""


class MachineEnded(BootError):
    """QEMU ended before what was waited for."""


class BootFailed(AssertionError):
    """The machine ended, and its verdict is not a pass."""


@dataclass
class Result:
    """A boot that has ended."""

    config: qemu.Config
    lines: list[str]
    report: ktap.Report
    exit_status: int
    seconds: float

    @cached_property
    def verdict(self) -> Verdict:
        return judge(self.report, self.exit_status)

    @property
    def passed(self) -> bool:
        return self.verdict.passed

    def explain(self) -> str:
        """Why this is not a pass, and the end of what the machine said."""
        problems = "\n".join(f"  - {problem}" for problem in self.verdict.problems) or "  (none)"
        tail = "\n".join(f"    | {line}" for line in self.lines[-TAIL_LINES:]) or "    (nothing)"
        return f"boot of {self.config}:\n{problems}\n  it last said:\n{tail}"

    def check(self) -> "Result":
        """Raises BootFailed, with the explanation, unless the boot passed."""
        if not self.passed:
            raise BootFailed(self.explain())
        return self


class Machine:
    """Boots `config` on entering, kills QEMU on leaving.

    timeout   seconds from the start in which everything must be done
    on_line   called with each line as it comes
    """

    def __init__(self, config: qemu.Config, timeout: float = 60,
                 on_line: Callable[[str], None] | None = None):
        self.config = config
        self.timeout = timeout
        self.lines: list[str] = []
        self._on_line = on_line
        self._parser = ktap.Parser()
        self.in_conversation = False  # lines are answers to what was sent: nothing there is a test
        self._monitor: Monitor | None = None
        self._ended = False

    def __enter__(self) -> "Machine":
        self._folder = tempfile.TemporaryDirectory(prefix="cadastre-")
        self._workdir = Path(self._folder.name)
        self._started = time.monotonic()
        self._deadline = self._started + self.timeout
        try:
            # A session of its own: Ctrl-C (in gdb, say) is not for QEMU. setpriv: no orphans.
            self._child = PopenSpawn(
                ["setpriv", "--pdeathsig", "KILL", *qemu.command_line(self.config, self._workdir)],
                timeout=None, maxread=65536, preexec_fn=os.setsid)
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        if self._monitor:
            self._monitor.close()
        self.kill()
        self._child.proc.stdin.close()
        self._folder.cleanup()

    def kill(self) -> None:
        """Ends QEMU the hard way, if it still runs."""
        process = self._child.proc
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    @property
    def report(self) -> ktap.Report:
        """The tests so far."""
        return self._parser.report

    @property
    def monitor(self) -> Monitor:
        """QEMU's monitor; connected on first use."""
        if not self._monitor:
            path = qemu.qmp_socket(self._workdir)
            while not path.exists():
                if self._child.proc.poll() is not None:
                    raise MachineEnded("waited for the monitor, but QEMU ended", self)
                if time.monotonic() > self._deadline:
                    raise BootTimeout("waited for the monitor", self)
                time.sleep(0.01)
            self._monitor = Monitor(path)
        return self._monitor

    def memory(self) -> Memory:
        """What the physical memory holds now."""
        path = self._workdir / "memory"
        self.monitor.stop()
        try:
            self.monitor.save_memory(path)
        finally:
            self.monitor.cont()
        memory = Memory(path)
        path.unlink()  # the mapping keeps it
        return memory

    def _take(self, data: bytes, complete: bool) -> str:
        line = ktap.clean(ktap.decode(data))
        self.lines.append(line)
        self._parser.feed(line, complete, self.in_conversation)
        if self.report.panics:
            self._deadline = min(self._deadline, time.monotonic() + PANIC_GRACE)
        if self._on_line:
            self._on_line(line)
        return line

    def next_line(self, waited_for: str = "the next line") -> str | None:
        """The next serial line, without its line end; None when QEMU has ended.

        Raises BootTimeout at the deadline; what stands of an unfinished line is shown with it.
        """
        if self._ended:
            return None
        left = max(0.0, self._deadline - time.monotonic())
        match self._child.expect_exact([b"\n", pexpect.EOF, pexpect.TIMEOUT], timeout=left):
            case 0:
                return self._take(self._child.before, True)
            case 1:
                self._ended = True
                rest = self._child.before
                return self._take(rest, False) if rest else None
        if unfinished := self._child.before:
            self._take(unfinished, False)
        raise BootTimeout(f"time-out: waited {self.seconds:.0f} s for {waited_for}", self)

    def __iter__(self) -> Iterator[str]:
        """The lines that are still to come, until QEMU ends."""
        while (line := self.next_line("the machine to end")) is not None:
            yield line

    def expect(self, pattern: str) -> re.Match[str]:
        """Waits for a line in which the regular expression `pattern` is found.

        Raises BootTimeout, or MachineEnded when QEMU ends first.
        """
        waited_for = f"a line matching {pattern!r}"
        while (line := self.next_line(waited_for)) is not None:
            if match := re.search(pattern, line):
                return match
        raise MachineEnded(f"QEMU ended (status {self.exit_status()}) before {waited_for}", self)

    def send(self, text: str | bytes) -> None:
        """Types `text` on the serial line."""
        try:
            self._child.send(text.encode() if isinstance(text, str) else text)
        except BrokenPipeError:
            raise MachineEnded("QEMU ended before it was told something", self) from None

    def extend(self, seconds: float) -> None:
        """Moves the deadline: everything must be done `seconds` from now."""
        self._deadline = time.monotonic() + seconds

    def exit_status(self) -> int:
        """QEMU's exit status, once its serial line has ended; minus the signal that killed it."""
        try:
            return self._child.proc.wait(EXIT_GRACE)
        except subprocess.TimeoutExpired:
            raise BootTimeout("the serial line ended, but QEMU did not", self) from None

    def run(self) -> Result:
        """Reads on to the end of the machine. Raises BootTimeout where it does not end."""
        for _ in self:
            pass
        status = self.exit_status()
        return Result(self.config, self.lines, self.report, status, self.seconds)


def boot(config: qemu.Config, timeout: float = 60,
         on_line: Callable[[str], None] | None = None) -> Result:
    """Boots `config`, reads on until it ends, and answers what came of it."""
    with Machine(config, timeout, on_line) as machine:
        return machine.run()
