# SPDX-License-Identifier: MIT
"""Cadastre's shell, as a person's front end and tests drive it.

    from cadastre import Shell, ShellError
    with Shell() as sh:
        sh.run("create a quota 64")             # [], or the lines of the answer without its "ok"
        try:
            sh.run("map a 0x500000 1 rwx")
        except ShellError as error:
            assert error.name == "E_WX"

The guest says READY once; from then on every command is answered by lines, then "ok" or "error:
NAME text". It echoes nothing. Leaving the `with` block ends the machine by `quit`, and raises
BootFailed unless init found all frames back and the audit clean.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cadastre.machine import Machine, MachineEnded, Result
from cadastre.qemu import Config

if TYPE_CHECKING:
    from cadastre.dump import Dump

READY = "shell: ready"
END = "shell: end"
IMAGE = Path(__file__).resolve().parents[2] / "build" / "scenarios" / "shell" / "image.iso"

BOOT_TIMEOUT = {"bios": 60.0, "uefi": 120.0}
ANSWER_TIMEOUT = 60.0
LINE_BYTES_MAX = 16384  # what is sent of a longer line, which the guest refuses all the same

_ERROR = re.compile(r"error: (\w+)(?: (.*))?")
_OTHERS = re.compile(r"(?:vmm|init|kernel): ")  # somebody else's line in between
_BLANKS = b" \t\r\n"
_GOES_ON = "\\"  # at the end of a line that is only a piece


class ShellError(Exception):
    """The answer ended with an error: its name ("E_WX"), the text behind it, the lines before."""

    def __init__(self, command: str, name: str, text: str, lines: list[str]):
        self.command, self.name, self.text, self.lines = command, name, text, lines
        super().__init__(f"{command}: {' | '.join([*lines, f'error: {name} {text}'.rstrip()])}")


def is_end(line: str) -> bool:
    """Whether the line is the last of an answer."""
    return line == "ok" or bool(_ERROR.fullmatch(line))


def wants_answer(line: bytes) -> bool:
    """Whether the guest answers the line: one that is blank or a comment has no answer."""
    text = line.strip(_BLANKS)
    return bool(text) and not text.startswith(b"#")


class Shell:
    """Boots the shell scenario on entering, and ends it on leaving.

    image            the boot image; what `make` builds, if left out
    boot_timeout     seconds until the shell is ready
    answer_timeout   seconds for each answer
    config           further keywords of cadastre.Config: memory, cpu, firmware, ...
    """

    def __init__(self, image: Path | str = IMAGE, boot_timeout: float | None = None,
                 answer_timeout: float = ANSWER_TIMEOUT, **config: object):
        self.config = Config(image, **config)
        self.answer_timeout = answer_timeout
        self.machine = Machine(self.config, boot_timeout or BOOT_TIMEOUT[self.config.firmware])
        self.result: Result | None = None  # once the machine has ended

    def __enter__(self) -> "Shell":
        if not Path(self.config.iso).exists():
            raise FileNotFoundError(f"no image {self.config.iso}; make builds it")
        self.machine.__enter__()
        try:
            self.machine.expect(rf"^{READY}$")
            self.machine.in_conversation = True
        except BaseException:
            self.machine.__exit__()
            raise
        return self

    def __exit__(self, exception: object = None, *rest: object) -> None:
        try:
            if exception is None:
                self.quit().check()
        finally:
            self.machine.__exit__()

    def _lines(self) -> Iterator[str]:
        """The shell's own lines, put together of their pieces."""
        pieces = ""
        while (line := self.machine.next_line("the shell's answer")) is not None:
            if line == END:
                raise MachineEnded("the shell ended by itself", self.machine)
            if _OTHERS.match(line):
                continue
            pieces += line.removesuffix(_GOES_ON)
            if not line.endswith(_GOES_ON):
                yield pieces
                pieces = ""
        raise MachineEnded("the machine ended before the shell's answer", self.machine)

    def send(self, line: bytes) -> None:
        """Types a line and gives its answer time."""
        self.machine.extend(self.answer_timeout)
        self.machine.send(line.strip(_BLANKS)[:LINE_BYTES_MAX] + b"\n")

    def answer(self) -> Iterator[str]:
        """The lines of the next answer as they come, the last included."""
        for line in self._lines():
            yield line
            if is_end(line):
                return

    def run(self, command: str | bytes) -> list[str]:
        """Does a command; the lines of its answer without the closing "ok". Raises ShellError."""
        line = command if isinstance(command, bytes) else command.encode()
        if b"\n" in line:
            raise ValueError("one command is one line")
        self.send(line)
        if not wants_answer(line):
            return []
        lines = list(self.answer())
        if error := _ERROR.fullmatch(lines[-1]):
            shown = line.decode("utf-8", "backslashreplace")
            raise ShellError(shown, error[1], error[2] or "", lines[:-1])
        return lines[:-1]

    def dump(self) -> "Dump":
        """What the VMM knows now, with the names that the shell gave to spaces and grants."""
        from cadastre.dump_names import named_dump  # wants pyelftools, as nothing else here does
        return named_dump(self.machine.memory(), Path(self.config.iso).parent)

    def quit(self) -> Result:
        """Ends the machine and waits for it; the result, whose check() judges it."""
        if self.result is None:
            self.send(b"quit\n")
            self.machine.expect(rf"^{END}$")
            self.machine.in_conversation = False
            self.result = self.machine.run()
        return self.result
