#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Shows that for every flush in the memory server's core there is a test that goes red without it.

Removes each call of a flush function, one at a time, compiles that file, links the given tests with it and
runs them in their order until one fails. `make mutants` calls it; the objects are those of `make unit`."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

CALL = re.compile(r"(?<=[;{})\n])(\s*)((?:edit_)?flush_(?:all_spaces|pages|space|tables|add|issue)|edit_flush)\(")
SECONDS = 120


def statement_end(text, start):
    """The end of the call statement whose opening parenthesis is at `start`."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if not depth:
            return i + 1
    raise ValueError("unbalanced parentheses")


def sites(path):
    """All statements that call a flush function, as (start, end, line number)."""
    text = path.read_text()
    for m in CALL.finditer(text):
        end = statement_end(text, m.end() - 1)
        if text[end] == ";":
            yield m.start(2), end + 1, text.count("\n", 0, m.start(2)) + 1


def build(args, path, start, end, number):
    """Compiles the file without the statement, and answers the tests linked with it."""
    folder = args.build / f"mutant{number}"
    folder.mkdir(parents=True, exist_ok=True)
    text = path.read_text()
    source = folder / path.name
    source.write_text(text[:start] + "(void)0;" + text[end:])
    mutant = folder / "mutant.o"
    subprocess.run([*args.cc.split(), "-w", "-iquote", str(path.parent), "-c", source, "-o", mutant], check=True)
    original = f"{path.with_suffix('.o')}"
    objects = [mutant if o.endswith(original) else o for o in args.objects]
    if mutant not in objects:
        sys.exit(f"{path}: not among the objects")
    for test in args.tests:
        program = folder / pathlib.Path(test).stem
        subprocess.run([*args.link.split(), test, *objects, "-o", program, "-lcmocka"], check=True)
        yield program


def killer(args, site):
    """The name of the first test program that fails without the flush, or None."""
    number, (path, (start, end, _)) = site
    environment = {**os.environ, "OPS": "20000", "LLVM_PROFILE_FILE": "/dev/null"}
    for program in build(args, path, start, end, number):
        try:
            run = subprocess.run([program], env=environment, timeout=SECONDS, check=False,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            continue  # says nothing
        if run.returncode:
            return program.name
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", required=True, help="compiler and flags of an object")
    parser.add_argument("--link", required=True, help="compiler and flags of a program")
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--objects", required=True, nargs="+", help="of every test program")
    parser.add_argument("--tests", required=True, nargs="+", help="objects of the tests, the quick ones first")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    core = sorted(pathlib.Path("servers/vmm/core").glob("*.c"))
    found = list(enumerate((path, site) for path in core for site in sites(path)))
    survivors = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda site: killer(args, site), found)
        for (_, (path, (start, end, line))), name in zip(found, results):
            call = " ".join(path.read_text()[start:end].split())
            print(f"{path}:{line}: {call}: {'red: ' + name if name else 'SURVIVES'}", flush=True)
            survivors += not name
    print(f"{len(found)} flushes removed one at a time, {survivors} of them missed by no test")
    sys.exit(1 if survivors or not found else 0)


if __name__ == "__main__":
    main()
