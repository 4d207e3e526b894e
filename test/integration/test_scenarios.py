# SPDX-License-Identifier: MIT
"""Every scenario boots; the default one on the machines that Cadastre promises to run on (F6)."""
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
# The shell waits for commands: test_shell.py drives it.
SCENARIOS = sorted(path.parent.name for path in TOP.glob("test/scenarios/*/manifest")
                   if path.parent.name != "shell")

MACHINES = {
    "16M": {"memory": "16M"},
    "8G": {"memory": "8G"},
    "qemu64": {"cpu": "qemu64"},
    "qemu64-16M": {"cpu": "qemu64", "memory": "16M"},
    "no-smep-smap-1g": {"cpu": "max,-smep,-smap,-pdpe1gb"},
    "no-la57": {"cpu": "max,-la57"},
    "no-xsave": {"cpu": "max,-xsave"},
    "8G-no-1g": {"cpu": "max,-pdpe1gb", "memory": "8G"},
    "q35": {"machine": "q35"},
    "two-cpus": {"cpus": 2},
    "uefi-128M": {"firmware": "uefi", "memory": "128M"},
    "uefi-qemu64-8G": {"firmware": "uefi", "cpu": "qemu64", "memory": "8G"},
    "uefi-q35": {"firmware": "uefi", "machine": "q35", "memory": "256M"},
}

# What leans on the kind of page tables: on machines whose tables differ from the default one's.
MEMORY_SCENARIOS = ("bomb", "cow", "high", "huge", "lazy", "protect", "snapshot")
MEMORY_MACHINES = [(scenario, "no-la57") for scenario in MEMORY_SCENARIOS] + [
    ("huge", "qemu64"), ("huge", "8G"), ("huge", "8G-no-1g"), ("high", "qemu64"), ("lazy", "16M"),
    ("cow", "qemu64-16M"), ("protect", "no-smep-smap-1g")]

# What fills more memory than a machine has by default.
NEEDS = {"growth": "256M", "steps": "1G"}


def test_there_is_a_default_scenario():
    assert "default" in SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(boot, scenario):
    boot(scenario, memory=NEEDS.get(scenario, "64M")).check()


@pytest.mark.parametrize("name", MACHINES)
def test_default_scenario_on(boot, name):
    boot("default", **MACHINES[name]).check()


@pytest.mark.parametrize("scenario, name", MEMORY_MACHINES)
def test_memory_scenario_on(boot, scenario, name):
    boot(scenario, **MACHINES[name]).check()


@pytest.mark.parametrize("nth", range(10))
def test_ten_boots_in_a_row(boot, nth):
    boot("default").check()
