# SPDX-License-Identifier: MIT
"""`make check` and `make stats`, each part a test: they run beside the boots."""
import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("target", ["check-tidy", "check-format", "check-layers", "stats"])
def test_make(target):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "--no-print-directory", "-k", target], cwd=TOP, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == 0, f"make {target} says:\n{done.stdout[-8000:]}"
