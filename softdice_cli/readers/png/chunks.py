"""The header and the chunks of a PNG, looked at before Pillow reads them."""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.source import MAX_RATIO

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
"""The kinds of pixels, as the header writes them."""

_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
_HEADER = struct.Struct(">8x4x4sIIBB")

_CHUNK = struct.Struct(">I4s")
_FIRST_CHUNK = 8

# Bytes of a chunk beside its data: their length, the kind, and a checksum.
_AROUND_CHUNK = 12

_MAX_CHUNKS = 2**18

# A colour profile, and texts: some are packed, and Pillow would unpack every one of them.
_NOT_NEEDED = frozenset({b"iCCP", b"zTXt", b"iTXt", b"tEXt"})


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a PNG declares: `depth` is in bits a sample, `color` is the kind of its pixels."""

    width: int
    height: int
    depth: int
    color: int

    @property
    def nbytes(self) -> int:
        """Size of the unpacked pixels."""
        return self.width * self.height * _SAMPLES[self.color] * self.depth // 8


def read_header(stream: BinaryIO, name: str) -> Header:
    """The header at the start of a stream."""
    kind, width, height, depth, color = _HEADER.unpack(stream.read(_HEADER.size))
    if kind != b"IHDR" or color not in _SAMPLES or not width or not height:
        raise UnreadableError("is not a valid PNG: its header is broken", path=name)
    return Header(width, height, depth, color)


def check_plausible(header: Header, present: int, name: str) -> None:
    """Refuses a header that declares more pixels than a file of this length can hold."""
    if header.nbytes > present * MAX_RATIO:
        raise UnreadableError(
            "declares more pixels than its bytes can hold",
            path=name,
            expected=f"at least {header.nbytes // MAX_RATIO} bytes",
            found=f"{present} bytes",
        )


def needed_chunks(stream: BinaryIO, name: str) -> BinaryIO:
    """The stream, without the chunks that are not needed where it has such chunks.

    Raises:
        UnreadableError: there is a second header, which Pillow would believe, or there are so many chunks that it takes
            long to go through them.
    """
    hidden = _not_needed(stream, name)
    if not hidden:
        return stream
    # Most files have none of them, and need no stream of another kind.
    from softdice_cli.readers.png.hiding import Without

    return io.BufferedReader(Without(stream, hidden, stream.seek(0, os.SEEK_END)))


def _not_needed(stream: BinaryIO, name: str) -> list[tuple[int, int]]:
    """Where the chunks lie that are not needed."""
    hidden: list[tuple[int, int]] = []
    at = _FIRST_CHUNK
    for _ in range(_MAX_CHUNKS):
        stream.seek(at)
        head = stream.read(_CHUNK.size)
        # Pillow says what it thinks of a file that ends without its last chunk.
        if len(head) < _CHUNK.size:
            return hidden
        length, kind = _CHUNK.unpack(head)
        if kind == b"IEND":
            return hidden
        if kind == b"IHDR" and at > _FIRST_CHUNK:
            raise UnreadableError("is not a valid PNG: it has two headers", path=name)
        end = at + length + _AROUND_CHUNK
        if kind in _NOT_NEEDED:
            hidden.append((at, end))
        at = end
    raise UnreadableError(f"is a PNG of more than {_MAX_CHUNKS} chunks", path=name, hint="save it again")
