# SPDX-License-Identifier: MIT
"""Boots Debian's kernel with a program of ours as its init, on the machine that measures Cadastre.

The package is fetched with apt into build/linux/ once, and unpacked there; nothing is installed.
"""
from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from cadastre import bench_ours
from cadastre.bench_rows import Measured, check_counter, parse

# What makes Linux leanest: no mitigations, no page zeroed twice, no accounting.
ARGUMENTS = ("console=ttyS0 quiet nokaslr norandmaps transparent_hugepage=never mitigations=off "
             "init_on_alloc=0 randomize_kstack_offset=off cgroup_disable=memory psi=0 apparmor=0 "
             "audit=0")
TIMEOUT = 600.0
FETCH_TIMEOUT = 300.0


class NoLinux(Exception):
    """The kernel cannot be had here; the text says why."""


def _run(*command: str, folder: Path) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                              timeout=FETCH_TIMEOUT, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoLinux(f"{command[0]}: {error}") from None
    if done.returncode:
        last = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise NoLinux(f"{' '.join(command)}: {last}")
    return done.stdout


def _package(folder: Path) -> str:
    """The package that the metapackage for this architecture's kernel stands for today."""
    depends = _run("apt-cache", "depends", "linux-image-amd64", folder=folder)
    match = re.search(r"Depends: (linux-image-[0-9][\w.+-]*)", depends)
    if not match:
        raise NoLinux("apt knows no linux-image-amd64: `apt-get update` may help")
    return match[1]


def kernel(folder: Path) -> Path:
    """The kernel image under `folder`; fetched if it is not there. Raises NoLinux."""
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / "vmlinuz"
    if not image.exists():
        _run("apt-get", "download", _package(folder), folder=folder)
        package = max(folder.glob("linux-image-*.deb"), key=lambda path: path.stat().st_mtime)
        _run("dpkg-deb", "-x", package.name, "unpacked", folder=folder)
        found = list((folder / "unpacked/boot").glob("vmlinuz-*"))
        if len(found) != 1:
            raise NoLinux(f"{package.name} has {len(found)} kernels, not one")
        (folder / "name").write_text(found[0].name.removeprefix("vmlinuz-") + "\n")
        found[0].rename(image)
        _run("rm", "-rf", "unpacked", package.name, folder=folder)
    return image


def version(folder: Path) -> str:
    """Of the kernel that kernel() has put there."""
    return (folder / "name").read_text().strip()


def _entry(name: str, mode: int, data: bytes = b"") -> bytes:
    """A file of a cpio archive, in its format newc."""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def write_initramfs(init: Path, out: Path) -> None:
    """An archive with `init` as /init, and folders for what it mounts."""
    folders = b"".join(_entry(name, 0o40755) for name in ("dev", "proc", "sys"))
    out.write_bytes(folders + _entry("init", 0o100755, init.read_bytes()) +
                    _entry("TRAILER!!!", 0))


def _lines(image: Path, initramfs: Path) -> Iterator[str]:
    """What the machine says, until it ends itself."""
    command = ["timeout", str(TIMEOUT), "qemu-system-x86_64", "-accel", "tcg,thread=single",
               "-icount", bench_ours.ICOUNT, "-cpu", bench_ours.CPU[4], "-m", bench_ours.MEMORY,
               *bench_ours.ALIKE, "-kernel", str(image), "-initrd", str(initramfs), "-append",
               ARGUMENTS, "-nodefaults", "-nographic", "-serial", "stdio", "-monitor", "none",
               "-no-reboot"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        for line in process.stdout:
            yield line.rstrip()


def measure(build: Path, on_row: Callable[[str], None] = lambda name: None) -> dict[str, Measured]:
    """Boots it and answers what its rows cost. Raises NoLinux, or ValueError if it did not finish."""
    folder = build / "linux"
    image, initramfs = kernel(folder), folder / "initramfs"
    write_initramfs(build / "bench/linux-init", initramfs)
    lines = []
    for line in _lines(image, initramfs):
        lines.append(line)
        if match := re.match(r"# bench: (\w+)", line):
            on_row(match[1])
    if "# bench done" not in lines:
        said = "\n".join(f"    | {line}" for line in lines[-10:])
        raise ValueError(f"Linux did not finish its rows; it last said:\n{said}")
    measured = parse(lines)
    check_counter(measured)
    return measured
