# SPDX-License-Identifier: MIT
"""Lists the tests of a cmocka program, runs it once, tells what came of each of them.

The names come from test/unit/list_tests.c, which is linked into every program; what a program runs
must then be what it listed. The output is cmocka's own (the STDOUT format), cut at each
`[ RUN      ] name`.
"""
from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

TAIL_CHARACTERS = 8000

_LISTED = re.compile(r"^test: (.+)$", re.MULTILINE)
_RUN = re.compile(r"^\[ RUN      \] (.+)$", re.MULTILINE)
_OUTCOME = re.compile(r"^\[ +(OK|FAILED|ERROR|SKIPPED) +\] (.+)$", re.MULTILINE)


class TestFailed(Exception):
    """A test that is no pass; the text says why and shows what it printed."""

    __test__ = False


class TestSkipped(Exception):
    """A test that skipped itself."""

    __test__ = False


def _numbered(names: Iterable[str]) -> list[str]:
    """Names that repeat (two groups may run one test) with a number: name, name[2]."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name}[{seen[name]}]")
    return unique


def list_tests(program: Path, timeout: float = 30) -> list[str]:
    """The tests that `program` would run. Raises TestFailed where it cannot be asked."""
    environment = {**os.environ, "CADASTRE_LIST_TESTS": "1", "LLVM_PROFILE_FILE": os.devnull}
    try:
        done = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True,
                              env=environment, timeout=timeout, text=True)
    except FileNotFoundError:
        raise TestFailed(f"{program} is not built: `make unit` does that") from None
    except subprocess.TimeoutExpired:
        raise TestFailed(f"{program} does not list its tests within {timeout} s") from None
    names = _numbered(_LISTED.findall(done.stdout))
    if done.returncode or not names:
        raise TestFailed(f"{program} lists no tests (exit status {done.returncode}): a program "
                         f"without tests is no pass\n{done.stdout}{done.stderr}")
    return names


def _outcomes(output: str) -> dict[str, tuple[str, str]]:
    """{name: (outcome, what was printed during it)}; outcome "" is a test that never ended."""
    starts = list(_RUN.finditer(output))
    ends = [start.start() for start in starts[1:]] + [len(output)]
    found = {}
    for name, start, end in zip(_numbered(start[1] for start in starts), starts, ends):
        block = output[start.start():end]
        outcome = next((m for m in _OUTCOME.finditer(block) if m[2] == start[1]), None)
        found[name] = (outcome[1], block[:outcome.end()]) if outcome else ("", block)
    return found


class Run:
    """One run of `program`, which listed the tests `names`.

    profile   where clang's coverage data goes
    timeout   seconds for the whole program
    """

    def __init__(self, program: Path, names: list[str], profile: Path, timeout: float = 300):
        self._names = names
        environment = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "STDOUT",
                       "LLVM_PROFILE_FILE": str(profile),
                       "ASAN_OPTIONS": "detect_stack_use_after_return=1",
                       "UBSAN_OPTIONS": "print_stacktrace=1"}
        try:
            done = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, env=environment, timeout=timeout)
            data, self._ending = done.stdout, f"exit status {done.returncode}"
            status = done.returncode
        except subprocess.TimeoutExpired as error:
            data, self._ending, status = error.stdout or b"", f"killed after {timeout} s", 1
        self._output = data.decode("utf-8", "backslashreplace")
        self._found = _outcomes(self._output)
        bad = [name for name, (outcome, _) in self._found.items()
               if outcome not in ("OK", "SKIPPED")]
        # Broken in a way that is no single test's own: a leak found at exit, say.
        self._broken = status != 0 and not bad

    def check(self, name: str) -> None:
        """Returns if the test passed; raises TestFailed or TestSkipped."""
        tail = f"{self._ending}; the program said:\n{self._output[-TAIL_CHARACTERS:]}"
        unlisted = [found for found in self._found if found not in self._names]
        if unlisted:
            raise TestFailed(f"the program ran what it had not listed: {', '.join(unlisted)}")
        if name not in self._found:
            raise TestFailed(f"{name} did not run: {tail}")
        outcome, printed = self._found[name]
        if outcome == "":
            raise TestFailed(f"{name} began but never ended: {tail}")
        if outcome == "SKIPPED":
            raise TestSkipped(f"{name} skipped itself")
        if outcome != "OK":
            raise TestFailed(printed[-TAIL_CHARACTERS:])
        if self._broken:
            raise TestFailed(f"{name} is ok, but its program is not: {tail}")
