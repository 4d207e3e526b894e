# SPDX-License-Identifier: MIT
"""Boots the bench image on a machine whose clock counts instructions, and reads its rows."""
from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from cadastre.bench_rows import ROWS, Measured, check_counter, net, parse
from cadastre.machine import boot
from cadastre.qemu import Config

# Both systems get the same machine. Without `erms` and `fsrm` they zero a page in 512 steps.
CPU = {4: "max,-erms,-fsrm,-la57", 5: "max,-erms,-fsrm"}
MEMORY = "512M"
ICOUNT = "shift=0,sleep=off"
TIMEOUT = 240.0

IMAGE = Path("bench/image.iso")  # under the build folder


# No input of the host's: two runs are the same.
ALIKE = ("-rtc", "base=2024-01-01,clock=vm", "-seed", "1")


def config(build: Path, levels: int, more: tuple[str, ...] = ()) -> Config:
    return Config(build / IMAGE, MEMORY, CPU[levels], icount=ICOUNT, extra=ALIKE + more)


def measure(build: Path, levels: int, on_row: Callable[[str], None] = lambda name: None,
            more: tuple[str, ...] = ()) -> dict[str, Measured]:
    """Boots, with `more` arguments for QEMU, and answers what each row cost. Raises where the boot is
    no pass."""
    def on_line(line: str) -> None:
        if match := re.match(r"# bench: (\w+)", line):
            on_row(match[1])
    result = boot(config(build, levels, more), TIMEOUT, on_line).check()
    measured = parse(result.lines)
    check_counter(measured)
    return measured


def text_bytes(elf: Path) -> int:
    """The size of the section .text."""
    output = subprocess.run(["llvm-size", "-A", elf], capture_output=True, text=True,
                            check=True).stdout
    return int(re.search(r"^\.text\s+(\d+)", output, re.MULTILINE)[1])


def numbers(measured: dict[str, Measured], build: Path, value: str = "median") -> dict[str, float]:
    """{row: what one operation costs}, of every row that was measured."""
    found = {row.name: net(measured, row.name, row.without, value) for row in ROWS}
    found["kernel_text"] = text_bytes(build / "kernel.elf")
    return {name: number for name, number in found.items() if number is not None}
