# SPDX-License-Identifier: MIT
"""How long interrupts are off at most, in instructions: over the bench and all scenarios.

A plugin of QEMU's (tools/qemu/stretch.c) counts; the kernel knows nothing of it.
"""
from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cadastre.bench_listing import Program
from cadastre.machine import BootError, boot
from cadastre.qemu import Config

PLUGIN = Path("bench/stretch.so")  # under the build folder
NOT_ALONE = ("shell",)  # waits for somebody
TIMEOUT = 120.0


@dataclass(frozen=True)
class Stretch:
    """Instructions in a row with interrupts off."""

    n_instructions: int
    blocks: tuple[int, ...]  # their addresses
    where: str  # "the scenario cow"

    def text(self, build: Path) -> str:
        """In words: how long, and through which functions."""
        places = Program(build / "kernel.elf").places(set(self.blocks))
        path = dict.fromkeys(places.get(va, ("?", ""))[0] for va in self.blocks)
        return (f"interrupts off for at most {self.n_instructions:,} instructions, in {self.where}: "
                f"{' > '.join(path)}")


def arguments(build: Path, out: Path) -> tuple[str, ...]:
    """QEMU's, so that `out` holds the longest stretch when it has ended."""
    return ("-plugin", f"{build / PLUGIN},out={out}")


def read(out: Path, where: str) -> Stretch:
    number, *blocks = out.read_text().split()
    return Stretch(int(number), tuple(int(va, 16) for va in blocks), where)


def over_scenarios(build: Path, on_row: Callable[[str], None]) -> list[Stretch]:
    """One for each scenario that ends. Whether it passes is for `make test` to say."""
    found = []
    for image in sorted((build / "scenarios").glob("*/image.iso")):
        name = image.parent.name
        if name in NOT_ALONE:
            continue
        on_row(name)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "stretch"
            try:
                boot(Config(image, extra=arguments(build, out)), TIMEOUT)
                found.append(read(out, f"the scenario {name}"))
            except BootError:
                continue
    return found
