"""The strips and tiles of a TIFF, before they are unpacked: where they lie, and how much comes out of them.

tifffile unpacks a strip whole, however much that is, and takes a missing one for zeros.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from softdice_cli.errors import UnreadableError

# Bytes that the strips of a file may unpack to without being looked at.
_SMALL = 2**26

_PIECE = 2**16
_STEP = 2**20
_XZ_MEMORY = 2**28


class DamagedError(Exception):
    """What a packed strip or tile holds where it is not what its compression writes."""


def product(shape: tuple[int, ...]) -> int:
    """The product in plain Python integers: a forged shape cannot overflow it."""
    total = 1
    for length in shape:
        total *= int(length)
    return total


def compression_of(page: Any) -> str:
    """The name of the compression of a page; its number where it has no name."""
    number = int(page.compression)
    # Old files of ImageJ lack the tag, and tifffile has a bare number for them.
    return "NONE" if number == 1 else getattr(page.compression, "name", str(number))


def check_strips(pages: list[Any], stream: BinaryIO, length: int, name: str) -> None:
    """Look at the strips or tiles of the pages of a file of this length.

    Raises:
        UnreadableError: they are missing, beyond the end, too short, or far longer than the pixels
            they stand for.
    """
    for page in pages:
        _check_spans(page, length, name)
    held = needed = unpacked = 0
    for page in pages:
        in_strips = sum(page.databytecounts)
        held += in_strips
        needed += product(page.shape) * page.dtype.itemsize
        unpacked += in_strips * _RATIO.get(compression_of(page), 0)
    # Pages that name the same strips have more bytes together than the file.
    shared = held > length + needed
    # Only where much could come out of the strips is it worth while to unpack them twice.
    large = unpacked > _SMALL
    for page in pages:
        most = 2 * product(page.chunks) * page.dtype.itemsize + _PIECE
        packed = page.compression != 1 and max(page.databytecounts) > most
        if shared or packed or (large and _swells(page, stream, most)):
            raise UnreadableError("holds or unpacks to far more than its pixels", path=name)


def _check_spans(page: Any, length: int, name: str) -> None:
    spans = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if any(offset + count > length for offset, count in spans):
        raise UnreadableError(
            "is truncated: a page lies beyond the end of the file",
            path=name,
            found=f"{length} bytes",
            hint="save or copy the file again",
        )
    if len(spans) != product(page.chunked) or any(offset < 8 or count < 1 for offset, count in spans):
        raise UnreadableError("lacks some of its strips or tiles", path=name, hint="save it again with all its pixels")
    held, raw = sum(page.databytecounts), product(page.shape) * page.bitspersample // 8
    if page.compression == 1 and held < raw:
        raise UnreadableError(
            "declares more pixels than it holds", path=name, expected=f"{raw} bytes a page", found=f"{held} bytes"
        )


def _swells(page: Any, stream: BinaryIO, most: int) -> bool:
    """Whether a strip unpacks to more than so many bytes."""
    compression = compression_of(page)
    unpacked = _UNPACKED.get(compression)
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        if unpacked and count * _RATIO[compression] > most:
            stream.seek(offset)
            if unpacked(stream.read(count), most) > most:
                return True
    return False


def _inflated(data: bytes, most: int) -> int:
    """How many bytes deflate makes of these; no more of them than needed are made."""
    import zlib

    unpack, total = zlib.decompressobj(), 0
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        while piece and total <= most:
            total += len(unpack.decompress(piece, _STEP))
            piece = unpack.unconsumed_tail
    return total


def _unpacked_by_lzma(data: bytes, most: int) -> int:
    """How many bytes LZMA makes of these, stream by stream."""
    import lzma

    total = 0
    while data and total <= most:
        unpack = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
        total += len(unpack.decompress(data, _STEP))
        while not unpack.eof and not unpack.needs_input and total <= most:
            total += len(unpack.decompress(b"", _STEP))
        data = unpack.unused_data
    return total


def _unpacked_bits(data: bytes, most: int) -> int:
    """How many bytes PackBits makes of these."""
    total = at = 0
    while at < len(data) and total <= most:
        run = data[at]
        if run < 128:
            # So many bytes and one more follow as they are.
            total += run + 1
            at += run + 2
        elif run > 128:
            # The next byte is repeated.
            total += 257 - run
            at += 2
        else:
            # 128 stands for nothing.
            at += 1
    return total


_UNPACKED = {
    "ADOBE_DEFLATE": _inflated,
    "DEFLATE": _inflated,
    "PIXTIFF": _inflated,
    "LZMA": _unpacked_by_lzma,
    "PACKBITS": _unpacked_bits,
}

# How many times longer each compression makes a strip at most.
_RATIO = {"ADOBE_DEFLATE": 1032, "DEFLATE": 1032, "PIXTIFF": 1032, "LZMA": 2**14, "PACKBITS": 64}
