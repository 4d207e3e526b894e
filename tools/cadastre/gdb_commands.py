# SPDX-License-Identifier: MIT
"""Runs inside gdb (`make debug` sources it): symbols of the user program that is of interest.

    user vmm      symbols of the VMM in place of those of another program
    user filler   ... of a task of the scenario
    user          which ones there are
"""
from pathlib import Path

import gdb

_folders = []
_loaded = None


def _programs():
    found = {}
    for folder in _folders:
        for path in sorted(folder.glob("*.elf")):
            if path.stem != "kernel":
                found.setdefault(path.stem, path)
    return found


class Folders(gdb.Command):
    """cadastre-folders A:B - where the programs are; loads the VMM's symbols."""

    def __init__(self):
        super().__init__("cadastre-folders", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        _folders[:] = [Path(name).resolve() for name in argument.split(":")]
        if "vmm" in _programs():
            gdb.execute("user vmm")


class User(gdb.Command):
    """user NAME - use the symbols of this user program (all are linked to the same addresses)."""

    def __init__(self):
        super().__init__("user", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        global _loaded
        programs = _programs()
        if argument not in programs:
            print("user NAME, of:", ", ".join(programs))
            return
        if _loaded:
            gdb.execute(f"remove-symbol-file {_loaded}", to_string=True)
        _loaded = programs[argument]
        gdb.execute(f"add-symbol-file {_loaded}", to_string=True)
        print(f"user symbols: {_loaded}")

    def complete(self, text, word):
        return [name for name in _programs() if name.startswith(text)]


Folders()
User()
