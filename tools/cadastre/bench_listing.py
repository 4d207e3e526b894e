# SPDX-License-Identifier: MIT
"""A traced sample for people: each instruction with its program, function and line.

All programs are linked to the same addresses. Which one ran is known by its code: of the programs
that have every instruction between two kernel entries, one is left.
"""
from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from cadastre.bench_log import Instruction
from cadastre.elf import segments


class Program:
    """An ELF file: its code, and where each instruction comes from."""

    def __init__(self, elf: Path):
        self.name, self._elf = elf.stem, elf
        image = elf.read_bytes()
        self._code = [(one.va, image[one.offset:one.offset + one.file_bytes])
                      for one in segments(elf) if one.execute]

    def has(self, one: Instruction) -> bool:
        return any(one.code == code[one.va - va:one.va - va + len(one.code)]
                   for va, code in self._code if one.va >= va)

    def places(self, addresses: set[int]) -> dict[int, tuple[str, str]]:
        """{address: (function, "file:line")}, of the innermost inlined function."""
        done = subprocess.run(["llvm-symbolizer", f"--obj={self._elf}", "--output-style=JSON"],
                              input="\n".join(map(hex, sorted(addresses))) + "\n",
                              capture_output=True, text=True, check=True)
        found = {}
        for line in done.stdout.splitlines():
            answer = json.loads(line)
            frame = (answer.get("Symbol") or [{}])[0]
            found[int(answer["Address"], 16)] = (
                frame.get("FunctionName") or "?",
                f"{Path(frame.get('FileName', '')).name}:{frame.get('Line', 0)}")
        return found


@dataclass(frozen=True)
class Line:
    program: str
    function: str
    place: str
    instruction: Instruction


def _programs_of(ran: list[Instruction], programs: list[Program]) -> Iterator[Program | None]:
    """For each instruction the program that it is of."""
    for _, stretch in groupby(ran, lambda one: one.in_kernel):
        stretch = list(stretch)
        distinct = set(stretch)
        owner = next((p for p in programs if all(p.has(one) for one in distinct)), None)
        yield from [owner] * len(stretch)


def listing(ran: list[Instruction], elfs: list[Path]) -> list[Line]:
    """Every instruction that ran."""
    programs = [Program(elf) for elf in elfs]
    owners = list(_programs_of(ran, programs))
    addresses: dict[Program, set[int]] = {}
    for one, owner in zip(ran, owners):
        if owner:
            addresses.setdefault(owner, set()).add(one.va)
    places = {owner: owner.places(wanted) for owner, wanted in addresses.items()}
    return [Line(owner.name if owner else "?", *(places[owner][one.va] if owner else ("?", "")),
                 one) for one, owner in zip(ran, owners)]


def _repeats(lines: list[Line]) -> Iterator[tuple[Line, int]]:
    """Steps of a string instruction as one."""
    for line, same in groupby(lines):
        yield line, sum(1 for _ in same)


def text(lines: list[Line]) -> str:
    """A line for each instruction."""
    return "\n".join(
        f"{line.program:8} {line.function:28} {line.place:24} {line.instruction.va:16x}  "
        f"{line.instruction.text}{f'   ({times} steps)' if times > 1 else ''}"
        for line, times in _repeats(lines)) + "\n"


def histogram(lines: list[Line], most: int = 40) -> str:
    """How many instructions ran in which function, inlined ones by their own name."""
    counts = Counter((line.program, line.function) for line in lines)
    return "\n".join(f"{n:10,}  {program:8} {function}"
                     for (program, function), n in counts.most_common(most))
