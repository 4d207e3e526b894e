# SPDX-License-Identifier: MIT
"""`make debug`: a machine stopped before its first instruction, and a gdb that has the symbols."""
from __future__ import annotations

import shlex
import subprocess
import threading
from pathlib import Path

from cadastre.machine import Machine
from cadastre.qemu import Config

# Every task is linked to the same addresses, so gdb gets one user program at a time.
_GDB_COMMANDS = Path(__file__).with_name("gdb_commands.py")


def gdb_command(config: Config, build: Path, scenario: str) -> list[str]:
    """The gdb that fits a machine of `config`."""
    folders = f"{build}:{build / 'scenarios' / scenario}"
    return ["gdb", "-q", "-nx",
            "-iex", "set pagination off",
            "-iex", "set confirm off",
            "-ex", f"source {_GDB_COMMANDS}",
            "-ex", f"cadastre-folders {folders}",
            "-ex", f"target remote localhost:{config.gdb_port}",
            str(build / "kernel.elf")]


def debug(config: Config, build: Path, scenario: str, start_gdb: bool, log: Path) -> int:
    """Starts the machine; then gdb on this terminal, or only says how. Ends with gdb, or QEMU."""
    command = gdb_command(config, build, scenario)
    with log.open("w", buffering=1) as serial:
        with Machine(config, timeout=24 * 3600,
                     on_line=lambda line: print(line, file=serial)) as machine:
            print(f"QEMU waits for gdb on port {config.gdb_port}; serial output: {log}")
            if not start_gdb:
                print(f"gdb for it: {shlex.join(command)}", flush=True)
                return 0 if machine.run().passed else 1
            reader = threading.Thread(target=machine.run)
            reader.start()
            status = subprocess.run(command).returncode
            machine.kill()
            reader.join()
            return status
