"""The strips or tiles of a TIFF unpacked: as many bytes as their rows need, and no more memory than for those.

Libraries unpack a strip whole, however much that is, cut what is too much, and fill up with zeros what is too little.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from softdice_cli.readers.tiff.strips import DamagedError

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

_DEFLATE, _LZMA, _ZSTD, _PACKBITS, _LZW = (8, 32946, 50013), (34925,), (50000, 34926), 32773, 5

UNPACKED = (1, *_DEFLATE, *_LZMA, *_ZSTD, _PACKBITS, _LZW)
"""The compressions that are unpacked here, as files number them."""

_XZ_MEMORY = 2**28

# An offset in a TIFF that is not a BigTIFF.
_MOST = 2**32 - 2**12

_ENTRY = struct.Struct("<HHII")


def unpacked(compression: int, segments: Sequence[bytes], row: int, heights: Sequence[int]) -> Array:
    """The rows of strips or tiles, one below the other: bytes ``(rows, row)``, in memory that what is there takes.

    Args:
        compression: one of `UNPACKED`.
        segments: the packed bytes of each strip or tile.
        row: bytes of a row.
        heights: rows of each strip or tile; only the last one may be lower, and have as many as the others still.

    Raises:
        DamagedError: one holds fewer or more.
        ImportError: imagecodecs is needed for this compression.
    """
    allowed = heights[0] * row
    if compression in (_PACKBITS, _LZW):
        if compression == _PACKBITS:
            for segment, height in zip(segments, heights, strict=True):
                _check(_count_of_packed_bits(segment, allowed), height * row, allowed)
        # What is behind the rows of a strip is not unpacked, and what they lack is an error.
        return _by_pillow(compression, segments, row, heights)
    rows = np.empty((sum(heights), row), np.uint8)
    at = 0
    for segment, height in zip(segments, heights, strict=True):
        needed = height * row
        found = _unpacked(compression, segment, needed, allowed)
        _check(len(found), needed, allowed)
        rows[at : at + height] = np.frombuffer(found, np.uint8, needed).reshape(height, row)
        at += height
    return rows


def _unpacked(compression: int, data: bytes, needed: int, allowed: int) -> bytes:
    """The bytes of a strip, as far as they are not more than one more than there may be."""
    if compression in _DEFLATE:
        return _inflated(data, allowed + 1)
    if compression in _LZMA:
        return _unpacked_by_lzma(data, allowed + 1)
    if compression in _ZSTD:
        return _unpacked_by_zstd(data, allowed)
    # What lies behind a strip that is not packed takes nothing.
    return data[:needed]


def _check(found: int, needed: int, allowed: int) -> None:
    if found < needed:
        raise DamagedError(f"{found} bytes where {needed} are needed")
    if found > allowed:
        raise DamagedError(f"more than the {allowed} bytes of its rows")


def _inflated(data: bytes, most: int) -> bytes:
    import zlib

    stream = zlib.decompressobj()
    found = stream.decompress(data, most)
    # The checksum of the stream is behind its last byte.
    if len(found) < most and not stream.eof:
        raise DamagedError("a stream without an end")
    return found


def _unpacked_by_lzma(data: bytes, most: int) -> bytes:
    import lzma

    parts: list[bytes] = []
    left = most
    while data and left > 0:
        stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
        part = stream.decompress(data, left)
        left -= len(part)
        parts.append(part)
        if left and not stream.eof:
            raise DamagedError("a stream without an end")
        data = stream.unused_data
    return b"".join(parts)


def _unpacked_by_zstd(data: bytes, most: int) -> bytes:
    # An extra, which need not be there.
    imagecodecs = import_module("imagecodecs")

    try:
        return bytes(imagecodecs.zstd_decode(data, out=most))
    except imagecodecs.ZstdError as error:
        raise DamagedError(f"what does not come out at {most} bytes ({error})") from error


def _count_of_packed_bits(data: bytes, most: int) -> int:
    """How many bytes PackBits makes of these, as far as these are not more than so many."""
    total = at = 0
    while at < len(data) and total <= most:
        run = data[at]
        if run < 128:
            # So many bytes and one more follow as they are.
            total += min(run + 1, len(data) - at - 1)
            at += run + 2
        elif run > 128:
            # The next byte is repeated.
            total += 257 - run if at + 1 < len(data) else 0
            at += 2
        else:
            # 128 stands for nothing.
            at += 1
    return total


def _by_pillow(compression: int, segments: Sequence[bytes], row: int, heights: Sequence[int]) -> Array:
    """Unpacked as the strips of a grey picture of 8 bits, whose pixels are the bytes; no more is unpacked."""
    from PIL.TiffImagePlugin import TiffImageFile

    height = sum(heights)
    try:
        with TiffImageFile(io.BytesIO(_picture(compression, segments, row, heights[0], height))) as image:
            return np.asarray(image)
    except OSError as error:
        raise DamagedError(f"what cannot be unpacked to {row * height} bytes ({error})") from error


def _picture(compression: int, segments: Sequence[bytes], width: int, rows: int, height: int) -> bytes:
    """A TIFF of one grey page of 8 bits with these strips."""
    count = len(segments)
    tags = {256: width, 257: height, 258: 8, 259: compression, 262: 1, 273: 0, 277: 1, 278: rows, 279: 0}
    lists_at = 8 + 2 + len(tags) * _ENTRY.size + 4
    at = lists_at + 8 * count
    offsets: list[int] = []
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    if at > _MOST:
        raise OSError("more bytes than Pillow unpacks at once")
    lengths = [len(segment) for segment in segments]
    # A list of one number stands in the place of its offset.
    tags[273], tags[279] = (lists_at, lists_at + 4 * count) if count > 1 else (offsets[0], lengths[0])
    entries = [_ENTRY.pack(tag, 4, count if tag in (273, 279) else 1, value) for tag, value in tags.items()]
    lists = struct.pack(f"<{2 * count}I", *offsets, *lengths)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    return b"".join([head, *entries, bytes(4), lists, *segments])
