"""PNG: samples as stored. Palettes give indices, 2- and 4-bit grey gives its small numbers, colours stay colours."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.source import MAX_RATIO, ReadOptions, Source, check_pixels, type_name

if TYPE_CHECKING:
    from PIL.Image import Image

    from softdice_cli.readers.source import Array

LIBRARY = "PIL.PngImagePlugin"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_SAMPLES = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGBA: 4}
_HEADER = struct.Struct(">8x4x4sIIBB")

_CHUNK = struct.Struct(">I4s")
_FIRST_CHUNK = 8
_AROUND_CHUNK = 12
"""Bytes of a chunk beside its data: their length, the kind, and a checksum."""

_MAX_CHUNKS = 2**18
_LARGE = 2**24


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The pixels: ``(H, W)``, or ``(H, W, 3)`` for colours."""
    from PIL.PngImagePlugin import PngImageFile

    width, height, depth, color = _header(stream.read(_HEADER.size), name)
    check_pixels(name, width * height, options)
    _check_plausible(width * height * _SAMPLES[color] * depth // 8, stream.seek(0, os.SEEK_END), name)
    if color in (_RGB, _RGBA, _GREY_ALPHA) and depth == 16:
        raise UnreadableError(
            "has 16 bits per colour, which is no label and no single channel",
            path=name,
            hint="save one channel: 8- or 16-bit grey",
        )
    _check_chunks(stream, name)
    stream.seek(0)
    with PngImageFile(stream) as image:  # not Image.open: one format, and our own limit
        if image.n_frames > 1 or any(tile.extents != (0, 0, width, height) for tile in image.tile):
            raise UnreadableError("is animated", path=name, expected="one image")
        array = decoded(image)
    if color == _GREY and depth in (2, 4):
        array = array // np.uint8(255 // (2**depth - 1))  # Pillow spreads the samples over 0 to 255
    if color in (_GREY_ALPHA, _RGBA):
        array = _without_alpha(array, name)
    stored = type_name(array.dtype)
    return Source(name=name, format="png", array=array, stored=stored, colors=array.ndim == 3)


def decoded(image: Image) -> Array:
    """The samples of a Pillow image; a large one is copied band by band, as Pillow copies twice."""
    if image.width * image.height < _LARGE:
        return _plain(np.asarray(image))
    first = np.asarray(image.crop((0, 0, image.width, 1)))
    array = np.empty((image.height, *first.shape[1:]), first.dtype)
    step = max(1, _LARGE // image.width)
    for top in range(0, image.height, step):
        bottom = min(top + step, image.height)
        array[top:bottom] = _plain(np.asarray(image.crop((0, top, image.width, bottom))))
    return array


def _plain(array: Array) -> Array:
    """Pillow stores True as 255."""
    return array.view(np.uint8) != 0 if array.dtype == bool else array


def _header(head: bytes, name: str) -> tuple[int, int, int, int]:
    kind, width, height, depth, color = _HEADER.unpack(head)
    if kind != b"IHDR" or color not in _SAMPLES or not width or not height:
        raise UnreadableError("is not a valid PNG: its header is broken", path=name)
    return width, height, depth, color


def _check_chunks(stream: BinaryIO, name: str) -> None:
    """Refuses a second header, which Pillow would believe, and chunks so many that going through them takes long."""
    at = _FIRST_CHUNK
    for _ in range(_MAX_CHUNKS):
        stream.seek(at)
        head = stream.read(_CHUNK.size)
        length, kind = _CHUNK.unpack(head) if len(head) == _CHUNK.size else (0, b"IEND")
        if kind == b"IEND":
            return
        if kind == b"IHDR" and at > _FIRST_CHUNK:
            raise UnreadableError("is not a valid PNG: it has two headers", path=name)
        at += length + _AROUND_CHUNK
    raise UnreadableError(f"is a PNG of more than {_MAX_CHUNKS} chunks", path=name, hint="save it again")


def _check_plausible(needed: int, present: int, name: str) -> None:
    if needed > present * MAX_RATIO:
        raise UnreadableError(
            "declares more pixels than its bytes can hold",
            path=name,
            expected=f"at least {needed // MAX_RATIO} bytes",
            found=f"{present} bytes",
        )


def _without_alpha(array: Array, name: str) -> Array:
    """An opaque alpha channel holds nothing and is dropped; any other is refused."""
    if not (array[..., -1] == 255).all():
        raise UnreadableError(
            "has transparent pixels", path=name, expected="an opaque image", hint="save it without an alpha channel"
        )
    return array[..., 0] if array.shape[-1] == 2 else array[..., :3]
