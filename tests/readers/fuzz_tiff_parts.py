"""TIFFs taken apart into directories, and written again with offsets that are right."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from fuzz_bytes import packed

# How numbers of each type are written.
FORMS = {1: "B", 3: "H", 4: "I", 6: "B", 8: "H", 9: "I", 13: "I", 16: "Q", 17: "Q", 18: "Q"}
_SIZES = {**{kind: struct.calcsize(form) for kind, form in FORMS.items()}, 2: 1, 5: 8, 7: 1, 10: 8, 11: 4, 12: 8}

CHILDREN = 330

# The tags that say where strips and tiles lie, with those that say how long they are.
SPANS = {273: 279, 324: 325}


@dataclass
class Entry:
    """An entry of a directory: a tag, its type, and its values as numbers or, of other types, as bytes."""

    tag: int
    kind: int
    values: list[int] | bytes
    count: int | None = None
    place: int | None = None


@dataclass
class Directory:
    """A directory with what lies below it: the strips or tiles, and directories that are not in the chain."""

    entries: list[Entry]
    segments: list[bytes] = field(default_factory=list)
    children: list[Directory] = field(default_factory=list)
    next: int | None = None

    def entry(self, *tags: int) -> Entry | None:
        """The first entry with one of these tags."""
        return next((entry for entry in self.entries if entry.tag in tags), None)

    def number(self, tag: int, otherwise: int) -> int:
        """The first number of a tag."""
        entry = self.entry(tag)
        return entry.values[0] if entry and isinstance(entry.values, list) and entry.values else otherwise


@dataclass
class Tiff:
    """A file: its order of bytes, whether it is a BigTIFF, and the chain of its directories."""

    order: str
    big: bool
    chain: list[Directory]

    @property
    def offset(self) -> str:
        """How an offset is written."""
        return self.order + ("Q" if self.big else "I")


def parsed(data: bytes) -> Tiff:
    """The parts of a valid TIFF."""
    tiff = Tiff("<" if data[:1] == b"I" else ">", data[2:4] in (b"+\0", b"\0+"), [])
    (at,) = struct.unpack_from(tiff.offset, data, 8 if tiff.big else 4)
    while at and len(tiff.chain) < 20:
        directory, at = _directory(data, at, tiff)
        tiff.chain.append(directory)
    return tiff


def _directory(data: bytes, at: int, tiff: Tiff) -> tuple[Directory, int]:
    form = tiff.order + ("Q" if tiff.big else "H")
    (count,) = struct.unpack_from(form, data, at)
    at += struct.calcsize(form)
    directory, room = Directory([]), struct.calcsize(tiff.offset)
    for _ in range(min(count, 200)):
        tag, kind = struct.unpack_from(f"{tiff.order}HH", data, at)
        (length,) = struct.unpack_from(tiff.offset, data, at + 4)
        place, size = at + 4 + room, _SIZES.get(kind, 1) * length
        if size > room:
            (place,) = struct.unpack_from(tiff.offset, data, place)
        held = data[place : place + min(size, 2**16)]
        values: list[int] | bytes = held
        if kind in FORMS:
            values = [value for (value,) in struct.iter_unpack(tiff.order + FORMS[kind], held)]
        directory.entries.append(Entry(tag, kind, values))
        at += 4 + 2 * room
    _take_below(directory, data, tiff)
    return directory, struct.unpack_from(tiff.offset, data, at)[0]


def _take_below(directory: Directory, data: bytes, tiff: Tiff) -> None:
    offsets, lengths = directory.entry(*SPANS), directory.entry(*SPANS.values())
    if offsets and lengths:
        spans = list(zip(offsets.values, lengths.values, strict=False))[:99]
        directory.segments = [data[start : start + length] for start, length in spans]
    children = directory.entry(CHILDREN)
    if children and isinstance(children.values, list):
        directory.children = [_directory(data, at, tiff)[0] for at in children.values[:5]]


def written(tiff: Tiff) -> bytes:
    """The file of these parts; what says where they lie is right, unless an entry has a place or a count of its own."""
    # The first time shows how long everything is, the second one where it lies.
    places: dict[int, int] = {}
    _laid_out(tiff, places)
    return _laid_out(tiff, places)


def _laid_out(tiff: Tiff, places: dict[int, int]) -> bytes:
    """The file, with the places of directories as they are known; these are noted again."""
    mark = b"+\0" if tiff.big else b"*\0"
    head = (b"II" if tiff.order == "<" else b"MM") + (mark if tiff.order == "<" else mark[::-1])
    if tiff.big:
        head += struct.pack(f"{tiff.order}HH", 8, 0)
    data = bytearray(head + packed(tiff.offset, places.get(id(tiff.chain[0]), 0) if tiff.chain else 0))
    for index, directory in enumerate(tiff.chain):
        after = places.get(id(tiff.chain[index + 1]), 0) if index + 1 < len(tiff.chain) else 0
        _append(tiff, directory, after, data, places)
    return bytes(data)


def _append(tiff: Tiff, directory: Directory, after: int, data: bytearray, places: dict[int, int]) -> None:
    for child in directory.children:
        _append(tiff, child, 0, data, places)
    starts = []
    for segment in directory.segments:
        starts.append(len(data))
        data += segment
    right: dict[int, list[int]] = {CHILDREN: [places.get(id(child), 0) for child in directory.children]}
    for offsets, lengths in SPANS.items():
        right |= {offsets: starts, lengths: [len(segment) for segment in directory.segments]}
    data += bytes(len(data) % 2)
    places[id(directory)] = at = len(data)
    room = struct.calcsize(tiff.offset)
    table = packed(tiff.order + ("Q" if tiff.big else "H"), len(directory.entries))
    beyond = at + len(table) + (4 + 2 * room) * len(directory.entries) + room
    outside = b""
    for entry in directory.entries:
        values = entry.values
        if isinstance(values, list) and not values:
            values = right.get(entry.tag, values)
        held = values
        if isinstance(values, list):
            form = tiff.order + FORMS.get(entry.kind, "I")
            held = b"".join(packed(form, value) for value in values)
        count = len(held) // _SIZES.get(entry.kind, 1) if entry.count is None else entry.count
        table += struct.pack(f"{tiff.order}HH", entry.tag % 2**16, entry.kind % 2**16) + packed(tiff.offset, count)
        if entry.place is not None:
            table += packed(tiff.offset, entry.place)
        elif len(held) <= room:
            table += held.ljust(room, b"\0")
        else:
            table += packed(tiff.offset, beyond + len(outside))
            outside += held
    data += table + packed(tiff.offset, after if directory.next is None else directory.next) + outside
