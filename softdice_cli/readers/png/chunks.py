"""The header and the chunks of a PNG, looked at before Pillow reads them."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.source import MAX_RATIO

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
"""The kinds of pixels, as the header writes them."""

_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
_HEADER = struct.Struct(">8x4x4sIIBBBBB")

_CHUNK = struct.Struct(">I4s")
_FIRST_CHUNK = 8

# Bytes of a chunk beside its data: their length, the kind, and a checksum.
_AROUND_CHUNK = 12

_MAX_CHUNKS = 2**18

# What each chunk ends with.
_CHECKSUM = struct.Struct(">I")

# Bytes of a chunk that are read at once.
_PIECE = 2**20
# A colour profile, and texts: some are packed, and Pillow would unpack every one of them.
_NOT_NEEDED = frozenset({b"iCCP", b"zTXt", b"iTXt", b"tEXt"})


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a PNG declares: `depth` is in bits a sample, `color` is the kind of its pixels."""

    width: int
    height: int
    depth: int
    color: int
    interlaced: bool

    @property
    def nbytes(self) -> int:
        """Size of the unpacked pixels."""
        return self.width * self.height * self.bits // 8

    @property
    def bits(self) -> int:
        """Of a pixel."""
        return _SAMPLES[self.color] * self.depth


def read_header(stream: BinaryIO, name: str) -> Header:
    """The header at the start of a stream."""
    start = stream.read(_HEADER.size)
    if len(start) < _HEADER.size:
        raise _cut_off(name, f"{len(start)} bytes")
    kind, width, height, depth, color, packing, filters, interlacing = _HEADER.unpack(start)
    if kind != b"IHDR" or color not in _SAMPLES or not width or not height:
        raise UnreadableError("is not a valid PNG: its header is broken", path=name)
    # There is one way of packing, one set of filters, and one order of the rows beside the plain one.
    if packing or filters or interlacing > 1:
        raise UnreadableError(
            "is not a valid PNG: its pixels are packed in a way that is not known",
            path=name,
            expected="methods of compression and filters 0, and of interlacing 0 or 1",
            found=f"methods {packing}, {filters} and {interlacing}",
        )
    return Header(width, height, depth, color, bool(interlacing))


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

    The checksums of all chunks are looked at, needed or not: Pillow looks only at those of some. What follows the last
    chunk is not part of the picture.

    Raises:
        UnreadableError: a chunk is not what its checksum says, or is cut off; there is a second header, which Pillow
            would believe; or there are so many chunks that it takes long to go through them.
    """
    hidden = [(at, end) for kind, at, end in _checked_chunks(stream, name) if kind in _NOT_NEEDED]
    if not hidden:
        return stream
    # Most files have none of them, and need no stream of another kind.
    from softdice_cli.readers.png.hiding import Without

    return io.BufferedReader(Without(stream, hidden, stream.seek(0, os.SEEK_END)))


def _checked_chunks(stream: BinaryIO, name: str) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each chunk before the last one, where it begins and where it ends."""
    at = _FIRST_CHUNK
    stream.seek(at)
    for _ in range(_MAX_CHUNKS):
        head = stream.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            raise _cut_off(name, "the end of the file before the last chunk, IEND")
        length, kind = _CHUNK.unpack(head)
        _check_data(stream, kind, length, name)
        if kind == b"IEND":
            return
        if kind == b"IHDR" and at > _FIRST_CHUNK:
            raise UnreadableError("is not a valid PNG: it has two headers", path=name)
        end = at + length + _AROUND_CHUNK
        yield kind, at, end
        at = end
    raise UnreadableError(f"is a PNG of more than {_MAX_CHUNKS} chunks", path=name, hint="save it again")


def _check_data(stream: BinaryIO, kind: bytes, length: int, name: str) -> None:
    """Look at the data of a chunk and at the checksum behind them, which is that of the kind and the data.

    The checksum inside the packed pixels is not looked at: it covers nothing that those of the chunks do not.
    """
    found = zlib.crc32(kind)
    for start in range(0, length, _PIECE):
        found = zlib.crc32(stream.read(min(_PIECE, length - start)), found)
    stored = stream.read(_CHECKSUM.size)
    if len(stored) < _CHECKSUM.size:
        raise _cut_off(name, f"the end of the file in a chunk {_shown(kind)}")
    (expected,) = _CHECKSUM.unpack(stored)
    if found != expected:
        raise UnreadableError(
            f"is damaged: a chunk {_shown(kind)} is not what its checksum says",
            path=name,
            expected=f"CRC-32 {expected:08x}",
            found=f"CRC-32 {found:08x}",
            hint="copy the file again, or save it again from what it was made of",
        )


def pieces_of(stream: BinaryIO, wanted: bytes) -> Iterator[bytes]:
    """The data of all chunks of a kind, piece by piece, in a file whose chunks were checked."""
    at, kind = _FIRST_CHUNK, b""
    while kind != b"IEND":
        stream.seek(at)
        length, kind = _CHUNK.unpack(stream.read(_CHUNK.size))
        at += length + _AROUND_CHUNK
        if kind == wanted:
            for start in range(0, length, _PIECE):
                yield stream.read(min(_PIECE, length - start))


def _cut_off(name: str, found: str) -> UnreadableError:
    return UnreadableError("is truncated", path=name, expected="a whole PNG", found=found, hint="copy the file again")


def _shown(kind: bytes) -> str:
    """The kind of a chunk, of which damage can make any four bytes."""
    return kind.decode("ascii") if kind.isalpha() else repr(kind)
