# SPDX-License-Identifier: MIT
"""Boots Cadastre in QEMU and drives it over the serial line.

The parts, each of use on its own:

    shell     commands for the shell scenario, and their answers
    qemu      Config and the one place where a QEMU command line is built
    machine   a running QEMU: lines as they come, input, monitor; always killed in the end
    monitor   QEMU's own view of the machine (QMP): `info tlb`, `info mem`, registers
    ktap      incremental parser of the test lines that scenarios print
    verdict   what makes a boot a pass: strict, and every reason for a failure in words
    cmocka    runs a host unit test program and tells what came of each of its tests
    status    the status codes, read from lib/ipc/status.h
    elf       segments and symbols of the kernel and of tasks, for tests that look at memory
    dump      all that the VMM knows, read from the memory of a machine that stood still
    picture   a drawing of it, as SVG and as a page

Boot an image and judge it:

    from cadastre import Config, boot
    result = boot(Config("build/scenarios/default/image.iso", memory="16M"), timeout=60)
    result.check()                      # raises BootFailed, which tells why
    print(len(result.report.tests), "tests in", result.seconds, "seconds")

Talk to the shell:

    from cadastre import Shell
    with Shell(memory="128M") as sh:
        sh.run("create a quota 64")     # the lines of the answer; ShellError if it is an error
        sh.dump().space("a").account    # what the VMM's own records say, as objects

Talk to any machine:

    from cadastre import Config, Machine
    with Machine(Config("build/scenarios/shell/image.iso"), timeout=60) as machine:
        machine.expect(r"^shell: ready") # a line; BootTimeout or MachineEnded show the last lines
        machine.send("list\n")
        print(machine.monitor.human("info mem"))

From a terminal, with tools/ on PYTHONPATH: `/usr/bin/python3 -m cadastre --help`.
"""
from cadastre.ktap import Parser, Report
from cadastre.machine import BootError, BootFailed, BootTimeout, Machine, MachineEnded, Result, boot
from cadastre.qemu import Config
from cadastre.shell import Shell, ShellError
from cadastre.verdict import Verdict, judge

__all__ = ["BootError", "BootFailed", "BootTimeout", "Config", "Machine", "MachineEnded", "Parser",
           "Report", "Result", "Shell", "ShellError", "Verdict", "boot", "judge"]
