"""PNG: samples as stored. Palettes give indices, 2- and 4-bit grey gives its small numbers, colours stay colours."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.pillow import decoded
from softdice_cli.readers.png.chunks import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    Header,
    check_plausible,
    needed_chunks,
    read_header,
)
from softdice_cli.readers.png.rows import check_rows
from softdice_cli.readers.source import ReadOptions, Source, check_pixels, type_name

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngImageFile

    from softdice_cli.readers.source import Array


# How Pillow calls the samples of a pixel, where it can read them in both orders of bytes.
_WIDE = {RGB: "RGB", RGBA: "RGBA"}

# The tag of EXIF.
_ORIENTATION = 274


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The pixels: ``(H, W)``, or ``(H, W, 3)`` for colours."""
    header = read_header(stream, name)
    check_pixels(name, header.width * header.height, options)
    check_plausible(header, stream.seek(0, os.SEEK_END), name)
    needed = needed_chunks(stream, name)
    array, found = _pixels(needed, header, name)
    # Rows that are not there are zeros. Of an image that is not interlaced, the last row tells mostly.
    if header.interlaced or not array[-1].any():
        check_rows(needed, header, name)
    # Pillow spreads small samples over 0 to 255.
    if header.color == GREY and header.depth in (2, 4):
        array = array // np.uint8(255 // (2**header.depth - 1))
    if header.color in (GREY_ALPHA, RGBA):
        array = _without_alpha(array, name)
    colors = array.ndim == 3
    return Source(
        name=name,
        format="png",
        array=array,
        stored=type_name(array.dtype),
        colors=colors,
        axes="HWC" if colors else "HW",
        palette=found.palette,
        bits=header.depth if header.color == GREY and header.depth in (2, 4) else 0,
        orientation=found.orientation,
    )


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a PNG has beside its pixels: the colours of its palette, and how it is to be turned."""

    palette: tuple[int, ...] | None
    orientation: int


def _pixels(stream: BinaryIO, header: Header, name: str) -> tuple[Array, _Beside]:
    if header.depth == 16 and header.color != GREY:
        return _wide_pixels(stream, header, name)
    with _opened(stream, header, name) as image:
        array = decoded(image)
        return array, _beside(image, header)


def _wide_pixels(stream: BinaryIO, header: Header, name: str) -> tuple[Array, _Beside]:
    """Samples of 16 bits, of which Pillow gives the high bytes of a colour, or the low ones."""
    if header.color not in _WIDE:
        raise UnreadableError(
            "has 16 bits of grey and 16 of transparency, which Pillow does not read",
            path=name,
            expected="8- or 16-bit grey, 8-bit colours, or a palette",
            hint="save one channel: 8- or 16-bit grey",
        )
    halves: list[Array] = []
    for order in ("B", "L"):
        with _opened(stream, header, name) as image:
            image.tile = [tile._replace(args=f"{_WIDE[header.color]};16{order}") for tile in image.tile]
            halves.append(decoded(image))
            beside = _beside(image, header)
    high, low = halves
    return high.astype(np.uint16) << 8 | low, beside


def _opened(stream: BinaryIO, header: Header, name: str) -> PngImageFile:
    from PIL.PngImagePlugin import PngImageFile

    whole = (0, 0, header.width, header.height)
    stream.seek(0)
    # Not Image.open: this is one format, and it has a limit of its own.
    image = PngImageFile(stream)
    if image.n_frames > 1 or any(tile.extents != whole for tile in image.tile):
        raise UnreadableError("is animated", path=name, expected="one image", hint="save each image as a file")
    return image


def _beside(image: PngImageFile, header: Header) -> _Beside:
    """What was found beside the pixels of a decoded image."""
    palette = None
    if header.color == PALETTE and image.palette is not None:
        values = np.frombuffer(bytes(image.palette.palette), np.uint8).reshape(-1, 3).astype(np.uint32)
        palette = tuple((values[:, 0] << 16 | values[:, 1] << 8 | values[:, 2]).tolist())
    orientation = 1
    # What cannot be parsed turns nothing, in any program.
    with suppress(Exception):
        if "exif" in image.info:
            orientation = int(image.getexif().get(_ORIENTATION, 1))
    return _Beside(palette, orientation)


def _without_alpha(array: Array, name: str) -> Array:
    """An opaque alpha channel holds nothing and is dropped; any other is refused."""
    if not (array[..., -1] == np.iinfo(array.dtype).max).all():
        hint = "save it without an alpha channel"
        first = array[(0,) * (array.ndim - 1)]
        if (array[..., :-1] == first[:-1]).all():
            channel = array.shape[-1] - 1
            hint = f"the object is in the alpha channel: save np.asarray(Image.open(path))[..., {channel}]"
        raise UnreadableError("has transparent pixels", path=name, expected="an opaque image", hint=hint)
    if array.shape[-1] == 2:
        return array[..., 0]
    return array[..., :3]
