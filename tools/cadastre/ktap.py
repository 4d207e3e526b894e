# SPDX-License-Identifier: MIT
"""Parser of KTAP, the lines in which scenarios report their tests.

    KTAP version 1
    1..3
    # filler: a line that belongs to the test reported next
    ok 1 - filler: the space holds what was written
    not ok 2 - cloner: the copies diverge
    ok 3 - big: 1 GiB pages # SKIP the CPU has none

All of it is flat, one line a test, numbered 1 to N in any order. Other lines are free text. What
stands before the version line (firmware, GRUB, escape codes, garbage) is not looked at, but for a
panic. The parser collects what it saw; whether that is a pass is for cadastre.verdict to say.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field

VERSION_LINE = "KTAP version 1"
PANIC_MARKERS = ("PANIC:", "boot: error:", "Bail out!")

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()#][0-9A-Za-z]|[=>78cDEHMNOZ])|\r")
_PLAN = re.compile(r"1\.\.(\d+)")
_RESULT = re.compile(r"(ok|not ok) (\d+)(?: - (.*?))?(?: # (SKIP|TODO)\b ?(.*))?")
_LIKE_RESULT = re.compile(r"\s*(not )?ok(\s|\d|$)")
_NOT_UTF8 = re.compile(r"\\x[0-9a-f]{2}")  # as decode() shows it
_LIKE_PLAN = re.compile(r"\s*\d+\.\.\d+")


def clean(line: str) -> str:
    """The line without terminal escape codes and carriage returns."""
    return _ESCAPE.sub("", line)


def decode(data: bytes) -> str:
    """Serial bytes as text; what is not UTF-8 shows as \\xNN."""
    return data.decode("utf-8", "backslashreplace")


@dataclass
class Test:
    """One result line. `diagnostics` are the # lines since the result before it."""

    __test__ = False  # not a class of tests, whatever pytest may think of the name

    number: int
    ok: bool
    text: str
    directive: str = ""  # "", "SKIP" or "TODO"
    reason: str = ""
    diagnostics: list[str] = field(default_factory=list)


@dataclass
class Report:
    """What a boot said. `problems` are lines that break the format, in words."""

    started: bool = False
    plan: int | None = None
    tests: list[Test] = field(default_factory=list)
    panics: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Parser:
    """Feed it lines as they come; `report` is right at any time."""

    def __init__(self) -> None:
        self.report = Report()
        self._diagnostics: list[str] = []

    def feed(self, line: str, complete: bool = True, in_conversation: bool = False) -> None:
        """Takes one line without its newline. `complete` is False where the machine ended mid-line:
        such a line may be a panic, but never a result; nor is what was said in a conversation."""
        line = clean(line)
        if any(marker in line for marker in PANIC_MARKERS):
            self.report.panics.append(line.strip())
        elif in_conversation:
            pass
        elif not self.report.started:
            # Firmware does not always end its own line before the first one of ours.
            self.report.started = complete and line.endswith(VERSION_LINE)
        elif not complete:
            self._problem("the last line was cut", line)
        else:
            self._feed_started(line)

    def _problem(self, what: str, line: str) -> None:
        self.report.problems.append(f"{what}: {line!r}")

    def _feed_started(self, line: str) -> None:
        if not line.replace("\t", " ").isprintable() or _NOT_UTF8.search(line):
            self._problem("garbage bytes in a line", line)
        if line == VERSION_LINE:
            self._problem("a second version line (did the machine start again?)", line)
        elif line.startswith("#"):
            self._diagnostics.append(line[1:].strip())
        elif _LIKE_PLAN.match(line):
            self._feed_plan(line)
        elif _LIKE_RESULT.match(line):
            self._feed_result(line)

    def _feed_plan(self, line: str) -> None:
        match = _PLAN.fullmatch(line)
        if not match:
            self._problem("a malformed plan", line)
        elif self.report.plan is not None:
            self._problem("a second plan", line)
        else:
            self.report.plan = int(match[1])

    def _feed_result(self, line: str) -> None:
        match = _RESULT.fullmatch(line)
        if not match:
            self._problem("a malformed result", line)
            return
        word, number, text, directive, reason = match.groups()
        self.report.tests.append(Test(int(number), word == "ok", text or "", directive or "",
                                      reason or "", self._diagnostics))
        self._diagnostics = []
