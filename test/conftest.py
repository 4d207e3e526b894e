# SPDX-License-Identifier: MIT
"""Fixtures that boot images, and the closing line of `make test`."""
from pathlib import Path

import pytest

from cadastre import Config, Machine

TOP = Path(__file__).resolve().parents[1]
BUILD = TOP / "build"

# Seconds for one boot, on a machine that is busy with another. OVMF alone takes ten of them.
BOOT_TIMEOUT = {"bios": 60, "uefi": 120}


def image_of(scenario):
    return BUILD / "scenarios" / scenario / "image.iso"


@pytest.fixture(scope="session")
def machine():
    """machine(image_or_scenario, timeout=None, **config): a cadastre.Machine, for `with`.

    The keywords are those of cadastre.Config: memory, cpu, firmware, cpus, debug_exit, ..."""
    def make(image="default", timeout=None, **config):
        iso = image if isinstance(image, Path) else image_of(image)
        assert iso.exists(), f"{iso} is not there: make builds it"
        config = Config(iso, **config)
        return Machine(config, timeout or BOOT_TIMEOUT[config.firmware])
    return make


@pytest.fixture(scope="session")
def boot(machine):
    """boot(image_or_scenario, timeout=None, **config): boots it to its end; a cadastre.Result."""
    def run(image="default", timeout=None, **config):
        with machine(image, timeout, **config) as running:
            return running.run()
    return run


def pytest_sessionfinish(session, exitstatus):
    session.config.closing_status = exitstatus


def pytest_unconfigure(config):
    """The very last line: the counts, alone. A run that broke down counts as one failure."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    count = {name: len(reporter.stats.get(name, ())) for name in
             ("passed", "failed", "error", "skipped", "xfailed", "xpassed")}
    failed = count["failed"] + count["error"] + count["xpassed"]
    if getattr(config, "closing_status", 1) != 0 and failed == 0:
        failed = 1
    skipped = count["skipped"] + count["xfailed"]
    tail = f", {skipped} skipped" if skipped else ""
    print(f"{count['passed']} passed, {failed} failed{tail}", flush=True)
