# SPDX-License-Identifier: MIT
"""C structures in memory, laid out as the compiler says in the DWARF of an ELF file.

    types = Types("build/vmm.elf")
    frame = View(types.struct("frame"), memory.read, address)
    frame.refs, frame.next.n, frame.part_refs[1]      # as C would write it
    types.enum("frame_kind")["FRAME_TABLE"]
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

from cadastre.memory import Read

_STRUCTS = ("DW_TAG_structure_type", "DW_TAG_union_type")
_TRANSPARENT = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_atomic_type")
_SIGNED = (0x05, 0x06, 0x0D)  # DW_ATE_signed, _signed_char
_POINTER_BYTES = 8


def _number(die: DIE, name: str, default: int = 0) -> int:
    attribute = die.attributes.get(name)
    return attribute.value if attribute else default


def _name(die: DIE) -> str:
    attribute = die.attributes.get("DW_AT_name")
    return attribute.value.decode() if attribute else ""


@dataclass(frozen=True)
class Integer:
    """A number, an enumeration or a pointer."""

    n_bytes: int
    is_signed: bool = False

    def at(self, read: Read, address: int) -> int:
        return int.from_bytes(read(address, self.n_bytes), "little", signed=self.is_signed)


@dataclass(frozen=True)
class Array:
    element: "Integer | Array | Struct"
    length: int

    @property
    def n_bytes(self) -> int:
        return self.element.n_bytes * self.length

    def at(self, read: Read, address: int) -> "Elements":
        return Elements(self, read, address)


@dataclass(frozen=True)
class Field:
    offset: int
    type: "Integer | Array | Struct"
    bit: int = 0
    n_bits: int = 0  # of a bit field


class Struct:
    """A struct or union. Its fields are worked out when somebody asks for one."""

    def __init__(self, die: DIE):
        self._die = die
        self.name = _name(die)
        self.n_bytes = _number(die, "DW_AT_byte_size")

    @cached_property
    def fields(self) -> dict[str, Field]:
        return dict(_fields(self._die, 0))

    def at(self, read: Read, address: int) -> "View":
        return View(self, read, address)


def _fields(die: DIE, start: int) -> Iterator[tuple[str, Field]]:
    for member in die.iter_children():
        if member.tag != "DW_TAG_member":
            continue
        offset = start + _number(member, "DW_AT_data_member_location")
        die_of_type = _plain(member.get_DIE_from_attribute("DW_AT_type"))
        if not _name(member):  # an anonymous struct or union
            yield from _fields(die_of_type, offset)
        elif n_bits := _number(member, "DW_AT_bit_size"):
            yield _name(member), Field(offset, _type(die_of_type), _first_bit(member), n_bits)
        else:
            yield _name(member), Field(offset, _type(die_of_type))


def _first_bit(member: DIE) -> int:
    if "DW_AT_bit_offset" not in member.attributes:
        return _number(member, "DW_AT_data_bit_offset")
    # As DWARF 2 says it, and clang still does: how far its top is below that of its storage.
    storage = 8 * _number(member, "DW_AT_byte_size")
    return storage - _number(member, "DW_AT_bit_offset") - _number(member, "DW_AT_bit_size")


def _plain(die: DIE) -> DIE:
    while die.tag in _TRANSPARENT:
        die = die.get_DIE_from_attribute("DW_AT_type")
    return die


def _type(die: DIE) -> Integer | Array | Struct:
    die = _plain(die)
    if die.tag in _STRUCTS:
        return Struct(die)
    if die.tag == "DW_TAG_array_type":
        lengths = [_number(child, "DW_AT_count", _number(child, "DW_AT_upper_bound", -1) + 1)
                   for child in die.iter_children() if child.tag == "DW_TAG_subrange_type"]
        made = _type(die.get_DIE_from_attribute("DW_AT_type"))
        for length in reversed(lengths):
            made = Array(made, length)
        return made
    if die.tag == "DW_TAG_pointer_type":
        return Integer(_POINTER_BYTES)
    return Integer(_number(die, "DW_AT_byte_size"), _number(die, "DW_AT_encoding") in _SIGNED)


class View:
    """A structure at an address: its fields are attributes, read when they are asked for."""

    __slots__ = ("_struct", "_read", "address")

    def __init__(self, struct: Struct, read: Read, address: int):
        self._struct, self._read, self.address = struct, read, address

    def __getattr__(self, name: str):
        field = self._struct.fields.get(name)
        if field is None:
            raise AttributeError(f"struct {self._struct.name} has no field {name}")
        if not field.n_bits:
            return field.type.at(self._read, self.address + field.offset)
        first, last = field.bit // 8, (field.bit + field.n_bits - 1) // 8
        data = self._read(self.address + field.offset + first, last - first + 1)
        return int.from_bytes(data, "little") >> field.bit % 8 & (1 << field.n_bits) - 1


class Elements:
    """An array at an address."""

    def __init__(self, array: Array, read: Read, address: int):
        self._array, self._read, self.address = array, read, address

    def __len__(self) -> int:
        return self._array.length

    def __getitem__(self, i: int):  # and so it can be iterated over
        if not 0 <= i < len(self):
            raise IndexError(i)
        element = self._array.element
        return element.at(self._read, self.address + i * element.n_bytes)

    def text(self) -> str:
        """Characters up to the first NUL."""
        return self._read(self.address, len(self)).split(b"\0")[0].decode("ascii", "replace")


class Types:
    """What an ELF file that was built with -g knows of types, symbols and its own bytes."""

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self._elf = ELFFile(self.path.open("rb"))
        if not self._elf.has_dwarf_info():
            raise ValueError(f"{path}: no DWARF in it")

    @cached_property
    def _named(self) -> dict[tuple[str, str], DIE]:
        found: dict[tuple[str, str], DIE] = {}
        for unit in self._elf.get_dwarf_info().iter_CUs():
            for die in unit.get_top_DIE().iter_children():
                if "DW_AT_name" in die.attributes and "DW_AT_declaration" not in die.attributes:
                    found.setdefault((die.tag, _name(die)), die)
        return found

    def _find(self, tag: str, name: str) -> DIE:
        try:
            return self._named[tag, name]
        except KeyError:
            raise KeyError(f"{self.path} knows no {tag} {name}") from None

    def struct(self, name: str) -> Struct:
        return Struct(self._find("DW_TAG_structure_type", name))

    def enum(self, name: str) -> dict[str, int]:
        die = self._find("DW_TAG_enumeration_type", name)
        return {_name(value): _number(value, "DW_AT_const_value") for value in die.iter_children()}

    def symbol(self, name: str) -> int:
        """The address of a function or variable."""
        symbols = self._elf.get_section_by_name(".symtab").get_symbol_by_name(name)
        if not symbols:
            raise KeyError(f"{self.path} has no symbol {name}")
        return symbols[0]["st_value"]

    @cached_property
    def code(self) -> tuple[int, bytes]:
        """Where the executable segment goes, and its bytes."""
        segment = next(s for s in self._elf.iter_segments("PT_LOAD") if s["p_flags"] & 1)
        return segment["p_vaddr"], segment.data()


def types_of(path: Path) -> Types:
    """The same, read once for each build of the file: it takes a while."""
    return _types_of(path, path.stat().st_mtime_ns)


@cache
def _types_of(path: Path, _built: int) -> Types:
    return Types(path)
