# SPDX-License-Identifier: MIT
"""Removes the flushes of the VMM's core one at a time and shows that a test goes red each time.

Run by `make mutants`, which has built the optimised objects: only the mutated file is compiled again. A
mutant is killed when the random test or the short exploration fails. Exit status 1 if one survives.
"""
import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

CORE = Path("servers/vmm/core")
# A call of one of flush.h's functions as a statement of its own; not their definitions.
CALL = re.compile(r"(?<=[;{})\n])(\s*)(flush_\w+\([^;{}]*\);)")
TIMEOUT = 300


def find_calls():
    """All calls to remove: (file, its text, start, end)."""
    for path in sorted(CORE.glob("*.c")):
        text = path.read_text()
        for match in CALL.finditer(text):
            yield path, text, match.start(2), match.end(2)


def is_killed(command, environment):
    """Whether a test program fails, by its status, a signal or by not ending."""
    try:
        done = subprocess.run(command, env=environment, timeout=TIMEOUT,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


class Workshop:
    """Where mutants are built: the objects of the real core, one of them exchanged."""

    def __init__(self, build, compile_command, objects, programs):
        self.folder = build / "mutants"
        self.compile = shlex.split(compile_command)
        self.build = build
        self.objects = objects
        self.programs = programs

    def make(self, path, text, start, end):
        """The test programs with the statement removed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        source = self.folder / path.name
        source.write_text(text[:start] + "(void)0;" + text[end:])
        mutant = source.with_suffix(".o")
        # -w: a removed call may leave something unused.
        subprocess.run([*self.compile, "-w", f"-I{CORE}", "-c", source, "-o", mutant], check=True)
        original = str(self.build / "fast" / path.with_suffix(".o"))
        objects = [str(mutant) if o == original else o for o in self.objects]
        for main, target in self.programs:
            subprocess.run([self.compile[0], main, *objects, "-o", target, "-lcmocka"], check=True)

    def judge(self, path, text, start, end):
        """The name of the program that noticed, or None."""
        self.make(path, text, start, end)
        environments = {"OPS": "6000", "SHRINK": "0"}, {"DEPTH": "3"}
        for (_, target), environment in zip(self.programs, environments):
            if is_killed([f"./{target}"], environment):
                return Path(target).name
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--compile", required=True, help="compiler and flags")
    parser.add_argument("objects", nargs="+")
    options = parser.parse_args()
    fast, folder = options.build / "fast/test/unit", options.build / "mutants"
    programs = [(str(fast / "vmm/test_random.o"), str(folder / "test_random")),
                (str(fast / "explore/main.o"), str(folder / "explore"))]
    workshop = Workshop(options.build, options.compile, options.objects, programs)
    survivors = 0
    calls = list(find_calls())
    for path, text, start, end in calls:
        line = text.count("\n", 0, start) + 1
        killer = workshop.judge(path, text, start, end)
        survivors += killer is None
        call = " ".join(text[start:end].split())
        print(f"{path}:{line}: {call} {'killed by ' + killer if killer else 'SURVIVES'}", flush=True)
    print(f"{len(calls)} flushes removed one at a time, {survivors} not noticed")
    return 1 if survivors or not calls else 0


if __name__ == "__main__":
    sys.exit(main())
