# SPDX-License-Identifier: MIT
"""The one place where a QEMU command line is built.

Every machine has a serial port on QEMU's standard input and output, a QMP socket in its private
folder, no display, no network, and (unless asked otherwise) the debug-exit device at port 0xf4: a
guest that writes `code` there ends QEMU with exit status 2 * code + 1.
"""
from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

DEBUG_EXIT_PORT = 0xF4
EXIT_SUCCESS = 33  # POWER_SUCCESS of arch/power.h, through the debug-exit device
EXIT_FAILURE = 35  # POWER_FAILURE

OVMF_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
OVMF_VARS = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")

FIRMWARES = ("bios", "uefi")


@dataclass(frozen=True)
class Config:
    """A machine to boot. Only the image is needed; everything else has a default.

    iso           the boot image
    memory, cpu   QEMU's -m and -cpu: "16M", "8G"; "qemu64", "max,-smep"
    firmware      "bios" (SeaBIOS) or "uefi" (OVMF, with variables of its own for each boot)
    cpus          number of processors
    machine       QEMU's -machine: "pc" or "q35"
    accel         "tcg", the default: it is the same everywhere; "kvm" where it can be trusted
    icount        None, or QEMU's -icount ("shift=3"): time from instructions executed
    gdb_port      None, or a TCP port on localhost on which QEMU serves gdb
    paused        wait for gdb or the monitor before the first instruction
    debug_exit    False: no debug-exit device, so a machine that powers off stays there, halted,
                  for the monitor to look at
    extra         further arguments, as they are
    program       the QEMU to run; tests name a fake here
    """

    iso: Path | str
    memory: str = "64M"
    cpu: str = "max"
    firmware: str = "bios"
    cpus: int = 1
    machine: str = "pc"
    accel: str = "tcg"
    icount: str | None = None
    gdb_port: int | None = None
    paused: bool = False
    debug_exit: bool = True
    extra: tuple[str, ...] = ()
    program: tuple[str, ...] = ("qemu-system-x86_64",)

    def __post_init__(self) -> None:
        if self.firmware not in FIRMWARES:
            raise ValueError(f"firmware {self.firmware!r}: one of {', '.join(FIRMWARES)}")

    def __str__(self) -> str:
        return f"{self.iso} on -m {self.memory} -cpu {self.cpu}, {self.firmware}"


def qmp_socket(workdir: Path) -> Path:
    """Where the machine whose private folder is `workdir` has its monitor."""
    return workdir / "qmp"


def _firmware(config: Config, workdir: Path) -> list[str]:
    if config.firmware == "bios":
        return []
    variables = workdir / "vars.fd"
    shutil.copyfile(OVMF_VARS, variables)
    return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF_CODE}",
            "-drive", f"if=pflash,format=raw,unit=1,file={variables}"]


def _optional(config: Config) -> list[str]:
    arguments = []
    if config.debug_exit:
        arguments += ["-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT:#x},iosize=0x4"]
    if config.icount is not None:
        arguments += ["-icount", config.icount]
    if config.gdb_port is not None:
        arguments += ["-gdb", f"tcp:localhost:{config.gdb_port}"]
    if config.paused:
        arguments += ["-S"]
    return arguments


def command_line(config: Config, workdir: Path) -> list[str]:
    """The command that boots `config`.

    `workdir` is a folder of this machine's own: OVMF's variables are copied into it, and the
    monitor's socket comes there.
    """
    return [
        *config.program,
        "-machine", config.machine,
        "-accel", config.accel,
        "-cpu", config.cpu,
        "-smp", str(config.cpus),
        "-m", config.memory,
        *_firmware(config, workdir),
        "-drive", f"file={config.iso},format=raw,media=cdrom,readonly=on",
        "-boot", "d",
        "-display", "none",
        "-nic", "none",
        "-no-reboot",
        "-chardev", "stdio,id=serial,signal=off",
        "-serial", "chardev:serial",
        "-parallel", "none",
        "-chardev", f"socket,id=qmp,path={qmp_socket(workdir)},server=on,wait=off",
        "-mon", "chardev=qmp,mode=control",
        *_optional(config),
        *config.extra,
    ]
