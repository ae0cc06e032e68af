"""The directories of a TIFF, walked before a library reads them.

A directory is a few bytes that name others: a chain of them can run in a circle, and thousands of
entries can name the same megabytes. Libraries load what is named; here its size is only added up.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from softdice_cli.errors import UnreadableError

_MAX_PAGES = 100_000

# As many as tifffile reads of one page.
_MAX_TAGS = 4096

# Pages may share the values of their tags, and even directories, but all of them together may not come to
# many times what the file holds: every tag takes a library time and memory.
_MAX_SHARE = 5

_FORMS = ("I", "H", "HHI4s")

# What is read of a directory, in a TIFF and in a BigTIFF.
_BIG_FORMS = ("Q", "Q", "HHQ8s")

# Tags whose value is the place of a directory that libraries read with that of the page: of a camera, of its place
# on the earth, and of interoperability.
_INNER = frozenset({34665, 34853, 40965})

# Bytes that a value of each type takes.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def check_directories(stream: BinaryIO, length: int, name: str) -> None:
    """Go through the directories of a file of this length.

    Raises:
        UnreadableError: they form a loop, are cut off, or name far more than the file has.
    """
    seen: set[int] = set()
    named = 0
    for at, size in _directories(stream, name):
        if at in seen:
            raise UnreadableError("is not a valid TIFF: its pages form a loop", path=name)
        seen.add(at)
        if len(seen) > _MAX_PAGES:
            raise UnreadableError(f"has more than {_MAX_PAGES} pages", path=name)
        named += size
        if named > _MAX_SHARE * length:
            raise UnreadableError(
                "is not a valid TIFF: its tags declare more than the file holds",
                path=name,
                expected=f"at most {_MAX_SHARE * length} bytes",
                found=f"{named} bytes",
            )


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a TIFF or a BigTIFF writes an offset, the number of tags of a directory, and a tag."""

    offset: struct.Struct
    count: struct.Struct
    tag: struct.Struct


def _directories(stream: BinaryIO, name: str) -> Iterator[tuple[int, int]]:
    """Where each directory is, and how many bytes it and its tags take; this never ends where they form a loop."""
    stream.seek(0)
    head = stream.read(4)
    # "I" is for Intel, which is little-endian; "M" was for Motorola.
    order = "<" if head[:1] == b"I" else ">"
    big = head[2:] in (b"+\0", b"\0+")
    layout = _Layout(*(struct.Struct(order + form) for form in (_BIG_FORMS if big else _FORMS)))
    try:
        (at,) = layout.offset.unpack(_read(stream, 8 if big else 4, layout.offset.size))
        while at:
            size, inner = _directory(stream, at, layout, name)
            behind = stream.read(layout.offset.size)
            # Of what lies in a page no more is read than one directory each.
            yield at, size + sum(_directory(stream, place, layout, name)[0] for place in inner)
            (at,) = layout.offset.unpack(behind)
    except struct.error as error:
        raise UnreadableError(
            "is truncated or not a valid TIFF: a page is described beyond the end of the file",
            path=name,
            hint="save or copy the file again",
        ) from error


def _directory(stream: BinaryIO, at: int, layout: _Layout, name: str) -> tuple[int, list[int]]:
    """How many bytes a directory and the values of its tags take, and where those are that it names."""
    (tags,) = layout.count.unpack(_read(stream, at, layout.count.size))
    if tags > _MAX_TAGS:
        raise UnreadableError(f"is not a valid TIFF: a page has {tags} tags", path=name)
    size = layout.count.size + tags * layout.tag.size
    inner: list[int] = []
    for code, kind, values, value in layout.tag.iter_unpack(stream.read(tags * layout.tag.size)):
        size += values * _SIZES.get(kind, 0)
        if code in _INNER:
            inner += layout.offset.unpack(value)
    return size, inner


def _read(stream: BinaryIO, at: int, size: int) -> bytes:
    stream.seek(at)
    return stream.read(size)
