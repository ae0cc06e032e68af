"""Damage to the directories of a TIFF, which are written again with offsets that are right.

Strips and tiles are unpacked, changed and packed again, so that their own checksums hold as well.
"""

from __future__ import annotations

import lzma
import random
import struct
import zlib
from collections.abc import Iterator

from fuzz_bytes import NUMBERS, absurd, anywhere, fitted, packed
from fuzz_files import put
from fuzz_tiff_parts import CHILDREN, FORMS, SPANS, Directory, Entry, Tiff, parsed, written

_COMPRESSION, _DESCRIPTION = 259, 270

_TAGS = (
    *(254, 255, 256, 257, 258, 259, 262, 266, 270, 273, 274, 277, 278, 279, 284, 292, 317, 320, 322, 323, 324, 325),
    *(330, 338, 339, 347, 32997, 34412, 33628, 42113, 50838, 50839, 65426),
)

# What a tag may hold that says what the others mean.
_VALUES = {
    254: (0, 1, 2, 4, 5),
    255: (1, 2, 3),
    258: (1, 2, 3, 4, 5, 8, 10, 12, 16, 24, 32, 64, 128),
    259: (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34712, 34887, 34925, 50000, 50001, 50002, 52546),
    262: (0, 1, 2, 3, 4, 5, 6, 8, 32803, 34892),
    266: (1, 2, 3),
    274: (1, 2, 3, 6, 8, 9),
    284: (1, 2, 3),
    292: (0, 1, 2, 4, 5),
    317: (1, 2, 3, 34892, 34893, 34894),
    338: (0, 1, 2),
    339: (1, 2, 3, 4, 5, 6),
}

_NUMBER_TEXTS = (b"0", b"1", b"2", b"3", b"99", b"-1", b"999999999", b"9999999999", b"1e9", b"2147483648", b"")
_TEXTS = (
    *(b'{"shape": [%s, %s, 4]}', b'{"shape": [2, 3, 4], "axes": "CYX"}', b'{"shape": [%s], "axes": "YXS"}'),
    *(b"ImageJ=1.11a\nimages=%s\nchannels=%s\nslices=2\nhyperstack=true\n", b"ImageJ=1.53\nimages=%s\nframes=%s\n"),
    *(b'<OME><Image><Pixels DimensionOrder="XYCZT" SizeC="%s" SizeZ="%s" SizeT="1"/></Image></OME>', b"shape=(%s, 4)"),
    *(b'<OME><Pixels SizeC="2"><TiffData IFD="%s" FirstC="%s"/></Pixels></OME>', b"<OME>" * 50),
    *(b"\xff\xfe", b"", b'{"shape": [' + b"1," * 500 + b"1]}", b"shape=(" + b"9" * 300 + b",)"),
)


def damaged_tiff(rng: random.Random, data: bytes) -> bytes:
    """Other directories, other strips, or another form of the file around them."""
    if rng.random() < 0.25:
        return _poked(rng, data)
    tiff = parsed(data)
    for directory in _all(tiff.chain):
        # Empty means: where the parts are, which is known when they are written.
        for entry in directory.entries:
            if entry.tag in (*SPANS, *SPANS.values(), CHILDREN):
                entry.values = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        directory = rng.choice(list(_all(tiff.chain)))
        change = rng.choice((_other_value, _other_value, _other_entry, _other_strips, _other_strips, _other_spans))
        if rng.random() < 0.2:
            _other_chain(rng, tiff, directory, len(data))
        else:
            change(rng, directory, len(data))
    if rng.random() < 0.05:
        tiff.big = not tiff.big
    return written(tiff)


def _all(chain: list[Directory]) -> Iterator[Directory]:
    for directory in chain:
        yield directory
        yield from _all(directory.children)


def _other_value(rng: random.Random, directory: Directory, length: int) -> None:
    """An absurd number in a tag, or one that turns the meaning of others."""
    entries = [entry for entry in directory.entries if isinstance(entry.values, list) and entry.values]
    if not entries:
        return
    entry = rng.choice(entries)
    at = rng.randrange(len(entry.values))
    if entry.tag in _VALUES and rng.random() < 0.7:
        entry.values = [rng.choice(_VALUES[entry.tag])] * len(entry.values)
    else:
        entry.values[at] = absurd(rng, entry.values[at])
    if rng.random() < 0.2:
        entry.kind = rng.choice((1, 3, 4, 16, 8, 9))


def _other_entry(rng: random.Random, directory: Directory, length: int) -> None:
    """An entry more or less, twice, elsewhere, of another type, count or place; or another description."""
    entries = directory.entries
    if not entries:
        return
    at = rng.randrange(len(entries))
    entry = entries[at]
    match rng.randrange(9):
        case 0:
            del entries[at]
        case 1:
            values = [rng.choice(_VALUES.get(entry.tag, (0, 1, 9)))]
            entries.insert(at + rng.randrange(2), Entry(entry.tag, entry.kind if entry.kind in FORMS else 3, values))
        case 2:
            rng.shuffle(entries)
        case 3:
            entry.kind = rng.randrange(20)
        case 4:
            entry.count = absurd(rng, len(entry.values))
        case 5:
            entry.place = rng.choice((0, 4, 8, length - 1, length, absurd(rng, length)))
        case 6:
            tag = rng.choice(_TAGS)
            values = [rng.choice(_VALUES.get(tag, (0, 1, 2, 16, absurd(rng))))] * rng.choice((1, 1, 1, 3, 4))
            entries.append(Entry(tag, rng.choice((3, 4, 16)), values))
        case _:
            text = rng.choice(_TEXTS)
            while b"%s" in text:
                text = text.replace(b"%s", rng.choice(_NUMBER_TEXTS), 1)
            entries[:] = [other for other in entries if other.tag != _DESCRIPTION or rng.random() < 0.1]
            entries.append(Entry(_DESCRIPTION, 2, text + b"\0"))
            entries.sort(key=lambda other: other.tag)


def _other_strips(rng: random.Random, directory: Directory, length: int) -> None:
    """Strips or tiles with other bytes in them, packed again, or packed in another way."""
    if not directory.segments:
        return
    method = directory.number(_COMPRESSION, 1)
    to = method
    if method in (1, 8, 32946, 34925) and rng.random() < 0.4:
        to = rng.choice((1, 8, 32946, 34925, 32773))
    hit = rng.randrange(len(directory.segments))
    for at, segment in enumerate(directory.segments):
        if at != hit and to == method:
            continue
        try:
            content = _unpacked(segment, method)
        except (zlib.error, lzma.LZMAError, EOFError):
            continue
        if at == hit:
            content = _other_content(rng, content)
        directory.segments[at] = _packed(rng, content, to)
    entry = directory.entry(_COMPRESSION)
    if entry:
        entry.values = [to]


def _other_content(rng: random.Random, content: bytes) -> bytes:
    match rng.randrange(6):
        case 0:
            return content
        case 1:
            return fitted(rng, content, max(0, len(content) + rng.choice((-1, 1, -8, 64, -len(content)))))
        case 2:
            return content + bytes(rng.choice((2**12, 2**20)))
        case _:
            return anywhere(rng, content, "tiff")


def _unpacked(data: bytes, method: int) -> bytes:
    if method in (8, 32946):
        return zlib.decompress(data)
    return lzma.decompress(data) if method == 34925 else data


def _packed(rng: random.Random, data: bytes, method: int) -> bytes:
    if method in (8, 32946):
        return zlib.compress(data, rng.choice((0, 6, 9))) + rng.choice((b"", b"", b"", b"\0", bytes(99)))
    if method == 34925:
        return lzma.compress(data) * rng.choice((1, 1, 1, 2))
    if method == 32773:
        runs = [data[at : at + 128] for at in range(0, len(data), 128)]
        return b"".join(bytes([len(run) - 1]) + run for run in runs)
    return data


def _other_spans(rng: random.Random, directory: Directory, length: int) -> None:
    """Strips or tiles that are more, fewer, empty, shared, or elsewhere."""
    parts = directory.segments
    at = rng.randrange(len(parts) + 1)
    match rng.randrange(7):
        case 0 if parts:
            del parts[at:]
        case 1 if parts:
            parts.insert(at, parts[at - 1])
        case 2:
            parts.insert(at, b"")
        case 3:
            rng.shuffle(parts)
        case _:
            entry = directory.entry(*rng.choice((tuple(SPANS), tuple(SPANS.values()))))
            if entry:
                few = [rng.choice((8, 0, length // 2, absurd(rng, length))) for _ in parts]
                entry.values = few if rng.random() < 0.7 else few[:1] * len(few)


def _other_chain(rng: random.Random, tiff: Tiff, directory: Directory, length: int) -> None:
    """Directories that are doubled, moved, left out, nested, or that name each other."""
    at = rng.randrange(len(tiff.chain))
    match rng.randrange(6):
        case 0:
            tiff.chain.insert(at, Directory(list(directory.entries), directory.segments, directory.children))
        case 1 if len(tiff.chain) > 1:
            del tiff.chain[at]
        case 2:
            directory.next = rng.choice((0, 8, length, 2, absurd(rng, length)))
        case 3:
            places = [rng.choice((8, 0, length // 2, length)) for _ in range(rng.choice((1, 2, 99)))]
            directory.entries.append(Entry(CHILDREN, rng.choice((4, 13)), places))
        case 4:
            child = Directory(list(directory.entries), directory.segments)
            directory.children.append(child)
            directory.entries.append(Entry(CHILDREN, 4, []))
        case _:
            tiff.chain += [
                Directory(list(directory.entries), directory.segments) for _ in range(rng.choice((1, 3, 40)))
            ]


def _poked(rng: random.Random, data: bytes) -> bytes:
    """An entry of a directory with another tag, type, count or value, or another next directory, where they are."""
    big = data[2:4] in (b"+\0", b"\0+")
    order = "<" if data[:1] == b"I" else ">"
    offset, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    directories, at = [], struct.unpack_from(order + offset, data, 8 if big else 4)[0]
    while at and len(directories) < 9:
        (entries,) = struct.unpack_from(order + count, data, at)
        directories.append((at, at + struct.calcsize(count), entries))
        (at,) = struct.unpack_from(order + offset, data, directories[-1][1] + entries * entry)
    for _ in range(rng.choice((1, 1, 2, 3))):
        directory, start, entries = rng.choice(directories)
        where = start + rng.randrange(max(1, entries)) * entry
        value = rng.choice((*NUMBERS, *(known for known, _, _ in directories), rng.randrange(len(data))))
        part = rng.choice(("tag", "type", "count", "value", "value", "value", "next", "entries"))
        place, form, value = {
            "tag": (where, "H", rng.choice(_TAGS)),
            "type": (where + 2, "H", rng.randrange(20)),
            "count": (where + 4, offset, value),
            "value": (where + 4 + struct.calcsize(offset), rng.choice(("H", offset)), value),
            "next": (start + entries * entry, offset, value),
            "entries": (directory, count, value),
        }[part]
        data = put(data, place, packed(order + form, value))
    return data
