"""How many bytes the packed pixels of a PNG unpack to, as Pillow takes rows that are not there for zeros."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.png.chunks import Header, pieces_of

# Bytes that are unpacked at once.
_AT_ONCE = 2**18

# The first column and row, and the steps to the next ones, of the pixels of each pass of an interlaced image.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def check_rows(stream: BinaryIO, header: Header, name: str) -> None:
    """Refuses pixels that end before the last row; what follows it is not part of the picture."""
    expected = _unpacked(header)
    unpacker = zlib.decompressobj()
    found = 0
    for piece in pieces_of(stream, b"IDAT"):
        packed = piece
        while packed and found < expected and not unpacker.eof:
            found += len(unpacker.decompress(packed, _AT_ONCE))
            packed = unpacker.unconsumed_tail
    # What is held back inside comes once there is no more to unpack.
    if found < expected:
        found += len(unpacker.flush())
    if found < expected:
        raise UnreadableError(
            "is not a valid PNG: its pixels end before the last row",
            path=name,
            expected=f"{expected} bytes for {header.height} rows of {header.width} pixels",
            found=f"{found} bytes",
            hint="copy the file again, or save it again from what it was made of",
        )


def _unpacked(header: Header) -> int:
    """Bytes of all rows, each of which begins with the number of its filter."""
    if not header.interlaced:
        return header.height * _row(header, header.width)
    total = 0
    for left, top, across, down in _PASSES:
        columns = -(-(header.width - left) // across)
        rows = -(-(header.height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * _row(header, columns)
    return total


def _row(header: Header, columns: int) -> int:
    return 1 + (columns * header.bits + 7) // 8
