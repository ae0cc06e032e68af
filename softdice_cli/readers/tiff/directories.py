"""The directories of a TIFF, walked before a library reads them.

A directory is a few bytes that name others: a chain of them can run in a circle, and thousands of
entries can name the same megabytes. Libraries load what is named; here its size is only added up.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from softdice_cli.errors import UnreadableError

_MAX_PAGES = 100_000

# As many as tifffile reads of one page.
_MAX_TAGS = 4096

# Pages may share the values of their tags, but these may not come to many times what the file
# holds.
_MAX_SHARE = 4

_FORMS = ("I", "H", "2xHI4x")

# What is read of a directory, in a TIFF and in a BigTIFF.
_BIG_FORMS = ("Q", "Q", "2xHQ8x")

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


def _directories(stream: BinaryIO, name: str) -> Iterator[tuple[int, int]]:
    """Where each directory is, and how many bytes its tags name; this never ends where they form a loop."""
    stream.seek(0)
    head = stream.read(4)
    # "I" is for Intel, which is little-endian; "M" was for Motorola.
    order = "<" if head[:1] == b"I" else ">"
    big = head[2:] in (b"+\0", b"\0+")
    # An offset, the number of tags of a directory, and of a tag its type and its number of values.
    forms = _BIG_FORMS if big else _FORMS
    offset, count, tag = [struct.Struct(order + form) for form in forms]
    try:
        (at,) = offset.unpack(_read(stream, 8 if big else 4, offset.size))
        while at:
            (tags,) = count.unpack(_read(stream, at, count.size))
            if tags > _MAX_TAGS:
                raise UnreadableError(f"is not a valid TIFF: a page has {tags} tags", path=name)
            entries = tag.iter_unpack(_read(stream, at + count.size, tags * tag.size))
            yield at, sum(values * _SIZES.get(kind, 0) for kind, values in entries)
            (at,) = offset.unpack(stream.read(offset.size))
    except struct.error as error:
        raise UnreadableError(
            "is truncated or not a valid TIFF: a page is described beyond the end of the file",
            path=name,
            hint="save or copy the file again",
        ) from error


def _read(stream: BinaryIO, at: int, size: int) -> bytes:
    stream.seek(at)
    return stream.read(size)
