# SPDX-License-Identifier: MIT
"""`make stats`: lines of code for each folder, without blanks and comments, and the kernel's size.

    /usr/bin/python3 tools/stats.py KERNEL_ELF LIMIT

Exit status 1 if kernel/ and arch/ together have more than LIMIT lines.
"""
import re
import subprocess
import sys
from pathlib import Path

FOLDERS = ("kernel", "arch", "boot", "lib/ipc", "servers/vmm/core", "servers/vmm", "servers/init",
           "test", "tools")
SUFFIXES = (".c", ".h", ".S", ".py", ".sh")
KERNEL_FOLDERS = ("kernel", "arch")

# A string is kept, whatever it holds; a comment leaves its line breaks.
_C_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
_PYTHON_COMMENT = re.compile(r'^[ \t]*(?:#[^\n]*|""".*?"""[ \t]*)$', re.MULTILINE | re.DOTALL)


def code_lines(path):
    """Lines of `path` that hold more than blanks and comments."""
    text = path.read_text()
    if path.suffix in (".py", ".sh"):
        text = _PYTHON_COMMENT.sub("", text)
    else:
        text = _C_TOKEN.sub(lambda m: "" if m[0].startswith("/") else m[0], text)
    return sum(1 for line in text.splitlines() if line.strip())


def folder_of(path):
    """The most particular of FOLDERS that `path` is in."""
    inside = [f for f in FOLDERS if Path(f) in path.parents]
    return max(inside, key=len, default=None)


def count():
    """{folder: [files, lines]}"""
    found = {folder: [0, 0] for folder in FOLDERS}
    for top in sorted({folder.split("/")[0] for folder in FOLDERS}):
        for path in Path(top).rglob("*"):
            if path.suffix in SUFFIXES and (folder := folder_of(path)):
                found[folder][0] += 1
                found[folder][1] += code_lines(path)
    return found


def section_bytes(elf):
    """{section: bytes} of those that are loaded."""
    output = subprocess.run(["llvm-size", "-A", elf], capture_output=True, text=True,
                            check=True).stdout
    return {name: int(size) for name, size, address in
            re.findall(r"^(\.\S+)\s+(\d+)\s+(\d+)", output, re.MULTILINE) if int(address)}


def main():
    kernel_elf, limit = sys.argv[1], int(sys.argv[2])
    print(f"{'folder':<20}{'files':>8}{'lines of code':>16}")
    found = count()
    for folder, (files, lines) in found.items():
        print(f"{folder:<20}{files:>8}{lines:>16}")
    sections = section_bytes(kernel_elf)
    print("\n" + ", ".join(f"{name} {size}" for name, size in sections.items()),
          f"bytes in {kernel_elf}")
    total = sum(found[folder][1] for folder in KERNEL_FOLDERS)
    verdict = "within" if total <= limit else "ABOVE"
    print(f"kernel/ and arch/: {total} lines of code, {verdict} the limit of {limit}")
    return 0 if total <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
