# SPDX-License-Identifier: MIT
"""The command line: boots an image to show what it does, to talk to it, to debug or to draw it."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cadastre import qemu
from cadastre.debug import debug
from cadastre.machine import BootError, Machine
from cadastre.prompt import do_commands, front_end
from cadastre.shell import Shell
from cadastre.show import line_printer
from cadastre.verdict import Verdict


def _add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--iso", required=True, type=Path, help="the boot image")
    parser.add_argument("--memory", default="64M", help="QEMU's -m (default: %(default)s)")
    parser.add_argument("--cpu", default="max", help="QEMU's -cpu (default: %(default)s)")
    parser.add_argument("--firmware", default="bios", choices=qemu.FIRMWARES,
                        help="uefi boots through OVMF (default: %(default)s)")
    parser.add_argument("--cpus", default=1, type=int, help="processors (default: %(default)s)")
    parser.add_argument("--machine", default="pc", help="QEMU's -machine (default: %(default)s)")
    parser.add_argument("--accel", default="tcg", help="QEMU's -accel (default: %(default)s)")
    parser.add_argument("--icount", help="QEMU's -icount: time from instructions executed")
    parser.add_argument("--qemu", action="append", default=[], metavar="ARGUMENT", dest="extra",
                        help="a further argument for QEMU, as it is; may be repeated")


def _config(options: argparse.Namespace, **more: object) -> qemu.Config:
    if not options.iso.exists():
        sys.exit(f"cadastre: no image {options.iso}; make builds it")
    return qemu.Config(options.iso, options.memory, options.cpu, options.firmware, options.cpus,
                       options.machine, options.accel, options.icount,
                       extra=tuple(options.extra), **more)


def _run(options: argparse.Namespace) -> int:
    config = _config(options)
    try:
        with Machine(config, options.timeout, line_printer()) as machine:
            result = machine.run()
    except BootError as error:
        print(f"FAILED: {error}")
        print(_counts(Verdict(problems=[str(error)])))
        return 1
    for problem in result.verdict.problems:
        print(f"FAILED: {problem}")
    print(f"{config}: {result.seconds:.1f} s")
    print(_counts(result.verdict))
    return 0 if result.passed else 1


def _counts(verdict: Verdict) -> str:
    """The closing line. A boot that is no pass for another reason counts as a failed test."""
    failed = verdict.failed_tests or int(not verdict.passed)
    skipped = f", {verdict.skipped_tests} skipped" if verdict.skipped_tests else ""
    return f"{verdict.passed_tests} passed, {failed} failed{skipped}"


def _debug(options: argparse.Namespace) -> int:
    config = _config(options, gdb_port=options.port, paused=True)
    scenario = options.iso.resolve().parent.name
    return debug(config, options.build, scenario, not options.no_gdb, options.build / "serial.log")


def _shell(options: argparse.Namespace) -> int:
    config = vars(_config(options))
    return front_end(Shell(config.pop("iso"), answer_timeout=options.timeout, **config))


def _picture(options: argparse.Namespace) -> int:
    from cadastre.picture import draw, page, shown_spaces
    config = vars(_config(options))
    try:
        with Shell(config.pop("iso"), answer_timeout=options.timeout, **config) as shell:
            refused = do_commands(shell, options.commands)
            dump = shell.dump()
    except BootError as error:
        print(f"cadastre: {error}", file=sys.stderr)
        return 1
    spaces = shown_spaces(dump, options.all)
    for path, text in ((options.out.with_suffix(".svg"), draw(dump, spaces)),
                       (options.out.with_suffix(".html"), page(dump, spaces))):
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    return 1 if refused else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cadastre", description="Boots Cadastre in QEMU.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run", help="boot an image, show its lines, judge its tests",
        description="Boots an image and shows its serial lines as they come. Exit status 0 only "
                    "if the whole test plan was reported, every test is ok, nothing panicked and "
                    "the machine ended itself with success.")
    _add_machine(run)
    run.add_argument("--timeout", type=float, default=120,
                     help="seconds after which the boot is a failure (default: %(default)s)")
    run.set_defaults(command=_run)

    shell = commands.add_parser(
        "shell", help="boot the shell's image and talk to it",
        description="Boots an image of the shell scenario and passes commands on to it: with a "
                    "prompt, history and completion from a terminal; from a pipe it prints the "
                    "answers and nothing else, and the end of the input means quit. Exit status 0 "
                    "only if the machine ended well.")
    _add_machine(shell)
    shell.add_argument("--timeout", type=float, default=60,
                       help="seconds for each answer (default: %(default)s)")
    shell.set_defaults(command=_shell)

    picture = commands.add_parser(
        "picture", help="boot the shell's image, do commands, draw what there is then",
        description="Gives the shell the commands in a file, or on standard input, and then draws "
                    "spaces, tables, frames, grants and accounts from the machine's memory: into "
                    "an SVG file, and a page around it. Exit status 1 if a command was refused.")
    _add_machine(picture)
    picture.add_argument("commands", nargs="?", type=argparse.FileType("rb"),
                         default=sys.stdin.buffer, help="a file of commands (default: stdin)")
    picture.add_argument("--out", type=Path, default=Path("build/picture"),
                         help="where to, without .svg and .html (default: %(default)s)")
    picture.add_argument("--all", action="store_true",
                         help="draw the spaces of init and of the shell too")
    picture.add_argument("--timeout", type=float, default=60,
                         help="seconds for each answer (default: %(default)s)")
    picture.set_defaults(command=_picture)

    debugger = commands.add_parser(
        "debug", help="boot an image stopped, and start gdb on it",
        description="Starts QEMU stopped before its first instruction, and gdb with the symbols "
                    "of the kernel and the VMM. In gdb, `user NAME` changes to the symbols of "
                    "another task. Leaving gdb ends QEMU.")
    _add_machine(debugger)
    debugger.add_argument("--build", type=Path, default=Path("build"),
                          help="where the ELF files are (default: %(default)s)")
    debugger.add_argument("--port", type=int, default=1234,
                          help="QEMU's gdb port on localhost (default: %(default)s)")
    debugger.add_argument("--no-gdb", action="store_true",
                          help="only print the gdb command, for a gdb or an IDE of your own")
    debugger.set_defaults(command=_debug)
    return parser


def main() -> int:
    options = _parser().parse_args()
    try:
        return options.command(options)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
