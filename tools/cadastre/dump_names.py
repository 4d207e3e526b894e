# SPDX-License-Identifier: MIT
"""The names of what a dump shows: the VMM knows numbers only, but tasks have names for them.

A space is called after the task that runs in it, whose code is that of an ELF file; what the shell
made is called as the shell's own table of names says, by way of its capability slots.
"""
from __future__ import annotations

from pathlib import Path

from cadastre.dump import Dump
from cadastre.dump_parts import Space, Task
from cadastre.header import constants
from cadastre.layout import Types, View, types_of
from cadastre.memory import PAGE, Memory, Read, Unmapped

_NUMBERS = constants("kernel/slot.h", "lib/ipc/syscalls.h", "arch/x86_64/include/arch/layout.h")


def named_dump(memory: Memory, scenario: Path) -> Dump:
    """A dump of a machine that ran the scenario whose image was built in that folder."""
    build = scenario.parents[1]
    dump = Dump(memory, types_of(build / "vmm.elf"))
    for path in (build / "init.elf", *sorted(scenario.glob("*.elf"))):
        program = types_of(path)
        for space in dump.spaces.values():
            if space.tasks and _runs(dump, space, program):
                space.name = path.stem
                if path.stem == "shell":
                    _name_by_shell(dump, space, program, types_of(build / "kernel.elf"))
    _name_the_rest(dump, types_of(build / "init.elf"))
    return dump


def _name_the_rest(dump: Dump, init: Types) -> None:
    for space in dump.spaces.values():
        if space.name:
            pass
        elif any(leaf.entry.kind == "device" for leaf in dump.leaves(space)):
            space.name = "devices"
        elif _holds_modules(dump, space, init):
            space.name = "modules"
        else:
            space.name = f"space {space.id:#x}"
        if space.has_own_account:
            space.account.name = space.name
    for account in dump.accounts.values():
        account.name = account.name or f"account {account.id:#x}"


def _holds_modules(dump: Dump, space: Space, init: Types) -> bool:
    """Whether its first page is the directory of boot's modules, and all of it is there."""
    pages = [leaf.entry.pfn for leaf in dump.leaves(space)]
    if not pages or not pages[0]:
        return False
    directory = View(init.struct("module_directory"), dump.memory.read, pages[0] * PAGE)
    return 0 < directory.n_modules <= len(directory.modules) and directory.n_pages == len(pages)


def _runs(dump: Dump, space: Space, program: Types) -> bool:
    va, code = program.code
    try:
        return dump.memory.virtual(space.root.pfn, dump.levels)(va, len(code)) == code
    except Unmapped:
        return False


def _slot(dump: Dump, kernel: Types, task: Task, number: int) -> View:
    """As slot_at() of kernel/slot.c finds it."""
    read = _kernel_reads(dump)
    struct = kernel.struct("task")
    first, in_frame = _NUMBERS["TASK_SLOTS_FIRST"], _NUMBERS["SLOTS_PER_FRAME"]
    record = View(struct, dump.memory.read, task.object * PAGE)
    if number < first:
        return record.slots[number]
    frame = View(kernel.struct("slots"), read, record.slot_frames[(number - first) // in_frame])
    return frame.slot[(number - first) % in_frame]


def _kernel_reads(dump: Dump) -> Read:
    """Reads by the kernel's addresses."""
    return dump.memory.virtual(dump.state.boot_root.n, dump.levels)


def _portal_number(kernel: Types, portal: View) -> int:
    """As portal_number() of kernel/portal.c tells it, from where the portal lies."""
    index, offset = divmod(portal.address - _NUMBERS["OBJECT_WINDOW"], PAGE)
    place = offset - kernel.struct("portals").fields["place"].offset
    return index * _NUMBERS["PORTALS_PER_FRAME"] + place // kernel.struct("portal").n_bytes


def _name_by_shell(dump: Dump, space: Space, program: Types, kernel: Types) -> None:
    kinds, slot_types = program.enum("name_kind"), kernel.enum("slot_type")
    read = dump.memory.virtual(space.root.pfn, dump.levels)
    names = View(program.struct("shell"), read, program.symbol("shell")).names
    for i, name in enumerate(names.at):
        if name.kind == kinds["NAME_FREE"]:
            continue
        slot = _slot(dump, kernel, space.tasks[0], names.first_slot + i)
        if slot.type != slot_types["SLOT_PORTAL"]:
            continue
        portal = View(kernel.struct("portal"), _kernel_reads(dump), slot.portal)
        grant = dump.grants.get(_portal_number(kernel, portal)) if portal.endpoint else None
        text = name.text.text()
        dump.names[text] = grant
        if grant:
            grant.name = text
            if name.kind != kinds["NAME_GRANT"]:
                grant.space.name = text
