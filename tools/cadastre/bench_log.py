# SPDX-License-Identifier: MIT
"""QEMU's log of one sample, instruction by instruction, and what can be counted in it.

The machine ran with `log in_asm,exec,nochain` and one instruction a translation block: a block is
shown once, when it is translated, and then each time that it runs, by its address in QEMU.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_CODE = re.compile(r"^0x([0-9a-f]+):  ((?:[0-9a-f]{2} )+) *(.*?)\s*$")
_RAN = "Trace 0: "
_INTERRUPT = re.compile(r"pushq? +\$0x[2-9a-f][0-9a-f]$")  # a vector, second in its stub
_UNDONE = "Stopped execution of TB chain"
KERNEL_START = 1 << 63

# A kernel entry, a load of CR3 and an invalidation cost caches and TLB what no count shows.
WEIGHTS = (100, 200, 100)


@dataclass(frozen=True, eq=False)
class Instruction:
    """Of one program: another one at the same address is another instruction."""

    va: int
    code: bytes
    text: str  # as QEMU disassembles it

    @property
    def in_kernel(self) -> bool:
        return self.va >= KERNEL_START

    def names(self, word: str) -> bool:
        return self.text.startswith(word)


@dataclass(frozen=True)
class Counts:
    """Of one sample."""

    instructions: int
    kernel_entries: int
    cr3_loads: int
    invalidations: int
    entries: int  # of page tables that are others than before
    zeroing_steps: int  # of `rep stosq`
    copying_steps: int  # of `rep movsq`

    def weight(self) -> int:
        """What is added to the instructions."""
        events = (self.kernel_entries, self.cr3_loads, self.invalidations)
        return sum(n * each for n, each in zip(events, WEIGHTS))


def read(lines: Iterable[str]) -> list[Instruction]:
    """Every instruction that ran, in order."""
    blocks: dict[str, Instruction] = {}
    fresh: Instruction | None = None
    ran: list[Instruction] = []
    for line in lines:
        if line.startswith(_RAN):
            block = line[len(_RAN):line.index(" ", len(_RAN))]
            if fresh:
                blocks[block], fresh = fresh, None
            ran.append(blocks[block])
        elif line.startswith(_UNDONE):
            ran.pop()
        elif match := _CODE.match(line):
            fresh = Instruction(int(match[1], 16), bytes.fromhex(match[2]), match[3])
    return ran


def sample(ran: list[Instruction]) -> list[Instruction]:
    """What lies between the first and the last rdtsc of user mode, the first of them included, but
    for interrupts: on a machine that is stopped again and again the timer's come at any rate."""
    at = [i for i, one in enumerate(ran) if one.names("rdtsc") and not one.in_kernel]
    if len(at) < 2:
        raise ValueError("a sample that was traced has no counter around it")
    return _without_interrupts(ran[at[0]:at[-1]])


def _without_interrupts(ran: list[Instruction]) -> list[Instruction]:
    kept, is_interrupt = [], False
    for before, one, after in zip([ran[0], *ran], ran, [*ran[1:], ran[-1]]):
        if not (one.in_kernel and before.in_kernel):
            is_interrupt = one.in_kernel and bool(_INTERRUPT.match(after.text))
        if not is_interrupt:
            kept.append(one)
    return kept


def _faults(ran: list[Instruction]) -> int:
    """Instructions that faulted and ran again: the log has them twice, the machine counts one."""
    count, pending = 0, set()
    for before, one in zip(ran, ran[1:]):
        if one.in_kernel and not before.in_kernel and not before.names("syscall"):
            pending.add(before)
        elif before.in_kernel and one in pending:
            pending.discard(one)
            count += 1
    return count


def count(ran: list[Instruction], entries: int, bracket: int) -> Counts:
    """`ran` is a sample that changed `entries`; `bracket` is what its two counters cost."""
    return Counts(
        instructions=len(ran) - _faults(ran) - bracket,
        kernel_entries=sum(one.in_kernel and not before.in_kernel
                           for before, one in zip(ran, ran[1:])),
        cr3_loads=sum(one.text.endswith("%cr3") for one in ran),
        invalidations=sum(one.names("inv") for one in ran),
        entries=entries,
        zeroing_steps=sum(one.names("rep stosq") for one in ran),
        copying_steps=sum(one.names("rep movsq") for one in ran))
