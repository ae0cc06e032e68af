"""The strips and tiles of a TIFF, before they are unpacked: where they lie, and how long they are.

tifffile takes a missing one for zeros.
"""

from __future__ import annotations

from typing import Any

from softdice_cli.errors import UnreadableError

# Bytes that the packed strip of a few pixels may have.
_PIECE = 2**16


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


def check_strips(pages: list[Any], length: int, name: str) -> None:
    """Look at the strips or tiles of the pages of a file of this length.

    Raises:
        UnreadableError: they are missing, beyond the end, too short, or far longer than the pixels
            that they stand for.
    """
    for page in pages:
        _check_spans(page, length, name)
    held = needed = 0
    for page in pages:
        held += sum(page.databytecounts)
        needed += product(page.shape) * page.dtype.itemsize
    # Pages that name the same strips have more bytes together than the file.
    shared = held > length + needed
    for page in pages:
        most = 2 * product(page.chunks) * page.dtype.itemsize + _PIECE
        packed = page.compression != 1 and max(page.databytecounts) > most
        if shared or packed:
            raise UnreadableError("holds far more than its pixels", path=name)


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
