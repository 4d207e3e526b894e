# SPDX-License-Identifier: MIT
"""The scenario `hostile` with other seeds, on other machines, and with a clock that counts instructions."""
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
SCENARIO = "hostile"
FOLDER = BUILD / "scenarios" / SCENARIO
MANIFEST = TOP / "test" / "scenarios" / SCENARIO / "manifest"

RUNS = [(2, {"cpu": "max"}), (3, {"cpu": "qemu64"}), (77, {"cpu": "max,-la57"})]


@pytest.fixture
def seeded(tmp_path):
    """seeded(seed): the image whose attackers have that seed."""
    def make(seed):
        text, n = re.subn(r"argument=\d+", f"argument={seed}", MANIFEST.read_text())
        assert n > 10
        (tmp_path / "manifest").write_text(text)
        modules = {"vmm": BUILD / "vmm.elf", "init": BUILD / "init.elf",
                   "manifest": tmp_path / "manifest",
                   **{path.stem: path for path in sorted(FOLDER.glob("*.elf"))}}
        iso = tmp_path / "image.iso"
        subprocess.run([TOP / "tools" / "image.sh", iso, BUILD / "kernel.elf",
                        *(f"{name}={path}" for name, path in modules.items())],
                       check=True, timeout=60)
        return iso
    return make


@pytest.mark.parametrize("seed, config", RUNS)
def test_with_another_seed(boot, seeded, seed, config):
    result = boot(seeded(seed), timeout=120, **config).check()
    for attacker in ("caller", "requester"):
        assert any(line.startswith(f"# {attacker}: seed {seed}, ") for line in result.lines)


# What its time was multiplied by, in the judge's line.
SHARE = re.compile(r"# judge: (.*): (computing|memory|calls|printing): (\d+)/10 of the time alone, .*")
ALONE = re.compile(r"# judge: (computing|memory|calls|printing): (\d+) cycles alone")

# How many tasks of an attacker want the CPU at a time, be it in the VMM: so many turns of the CPU come
# between two of an honest one. Most have many more, which wait for something.
TURNS = {"spinner": 2, "flooder": 4, "hog": 1, "forker": 30, "hoarder": 1, "deriver": 1, "spawner": 1,
         "closer": 1, "holder": 1, "guesser": 2, "caller": 1, "requester": 1, "passer": 1, "mute": 1,
         "logger": 3, "planner": 2, "sleeper": 1, "all of them": 45}
SLICE = 2 * 5_000_000  # cycles: two ticks, of which 200 are a second, of a clock of 1 GHz
# A request or a call that outlasts a time slice is finished all the same.
SLACK = 1.5


def longest(alone, turns):
    """What `alone` cycles of work may take beside so many others: with each slice of its own that is
    spent, and once before the first, everybody else has a turn."""
    return SLACK * (alone + turns * SLICE * (alone // SLICE + 1))


def test_nobody_takes_more_than_its_turns(boot):
    """In instructions, the share of a task is what round robin promises it, whatever the others do
    with theirs: compute, call, print, ask the VMM for much or for little. A slice is some 600,000."""
    result = boot(SCENARIO, timeout=240, icount="shift=4,sleep=off").check()
    alone = {match[1]: int(match[2]) for match in map(ALONE.fullmatch, result.lines) if match}
    shares = {(match[1], match[2]): int(match[3]) / 10
              for match in map(SHARE.fullmatch, result.lines) if match}
    assert set(shares) == {(name, work) for name in TURNS for work in alone}, result.explain()
    for (name, work), times in shares.items():
        most = longest(alone[work], TURNS[name])
        assert times * alone[work] <= most, f"{name}: {work}: {times} times, not {most / alone[work]}"


# QEMU's output goes through a reader who takes a rest, so that the pipe between them is full.
SLOW_READER = """\
#!/bin/bash
set -o pipefail
qemu-system-x86_64 "$@" | python3 -c '
import os, time
rests = 3
while data := os.read(0, 4096):
    if rests and b"# logger: " in data:
        rests -= 1
        time.sleep(1)
    os.write(1, data)
'
"""


def test_a_console_that_is_not_read_for_a_while_loses_nothing(boot, tmp_path):
    """Somebody floods it, and for a second the port takes nothing."""
    (tmp_path / "qemu").write_text(SLOW_READER)
    (tmp_path / "qemu").chmod(0o755)
    result = boot(SCENARIO, timeout=120, program=(str(tmp_path / "qemu"),)).check()
    floods = [line for line in result.lines if line.startswith("# logger: ")]
    numbers = [int(match[1]) for line in floods
               if (match := re.fullmatch(r"# logger: (\d+) *\.", line))]
    assert len(numbers) == len(floods) > 100
