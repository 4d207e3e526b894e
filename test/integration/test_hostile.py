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


# What its time was multiplied by, in the judge's line, and by how many that want the CPU.
SHARE = re.compile(r"# judge: (.*): (computing|memory|calls): (\d+)/10 of the time alone, (\d+) tasks")

# A request or a call that outlasts a time slice is finished all the same.
SLACK = 2


def test_nobody_takes_more_than_its_turns(boot):
    """In instructions, the share of a task is what round robin promises it, whatever the others do
    with theirs: compute, call, ask the VMM for much or for little. A time slice is some 600,000."""
    result = boot(SCENARIO, timeout=240, icount="shift=4,sleep=off").check()
    shares = [match for match in map(SHARE.fullmatch, result.lines) if match]
    assert len(shares) == 3 * 15, result.explain()
    for name, work, tenths, n_tasks in (match.groups() for match in shares):
        assert int(tenths) / 10 < SLACK * (int(n_tasks) + 1), f"{name}: {work}"
