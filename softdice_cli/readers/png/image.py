"""PNG: samples as stored. Palettes give indices, 2- and 4-bit grey gives its small numbers, colours stay colours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.pillow import decoded
from softdice_cli.readers.png.chunks import (
    GREY,
    GREY_ALPHA,
    RGB,
    RGBA,
    Header,
    check_chunks,
    check_plausible,
    read_header,
)
from softdice_cli.readers.source import ReadOptions, Source, check_pixels, type_name

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The pixels: ``(H, W)``, or ``(H, W, 3)`` for colours."""
    header = read_header(stream, name)
    check_pixels(name, header.width * header.height, options)
    check_plausible(header, stream.seek(0, os.SEEK_END), name)
    if header.color in (RGB, RGBA, GREY_ALPHA) and header.depth == 16:
        raise UnreadableError(
            "has 16 bits per colour, which is neither a label nor a single channel",
            path=name,
            hint="save one channel: 8- or 16-bit grey",
        )
    check_chunks(stream, name)
    array = _pixels(stream, header, name)
    # Pillow spreads small samples over 0 to 255.
    if header.color == GREY and header.depth in (2, 4):
        array = array // np.uint8(255 // (2**header.depth - 1))
    if header.color in (GREY_ALPHA, RGBA):
        array = _without_alpha(array, name)
    stored = type_name(array.dtype)
    return Source(name=name, format="png", array=array, stored=stored, colors=array.ndim == 3)


def _pixels(stream: BinaryIO, header: Header, name: str) -> Array:
    from PIL.PngImagePlugin import PngImageFile

    whole = (0, 0, header.width, header.height)
    stream.seek(0)
    # Not Image.open: this is one format, and it has a limit of its own.
    with PngImageFile(stream) as image:
        if image.n_frames > 1 or any(tile.extents != whole for tile in image.tile):
            raise UnreadableError("is animated", path=name, expected="one image")
        return decoded(image)


def _without_alpha(array: Array, name: str) -> Array:
    """An opaque alpha channel holds nothing and is dropped; any other is refused."""
    if not (array[..., -1] == 255).all():
        raise UnreadableError(
            "has transparent pixels", path=name, expected="an opaque image", hint="save it without an alpha channel"
        )
    if array.shape[-1] == 2:
        return array[..., 0]
    return array[..., :3]
