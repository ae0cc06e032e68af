"""The pages of a TIFF: samples as stored, page by page; other files that it names are never opened."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.source import ReadOptions, Source, check_bytes, check_pixels, type_name
from softdice_cli.readers.tiff.axes import Meaning, meaning
from softdice_cli.readers.tiff.codecs import read_page
from softdice_cli.readers.tiff.directories import check_directories
from softdice_cli.readers.tiff.selection import image_pages
from softdice_cli.readers.tiff.strips import check_strips, product
from softdice_cli.readers.tiff.tags import check_tags

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

# Kinds of TIFF whose metadata can point at other files, or at pages that are not there.
_PLAIN_FILE: dict[str, Any] = dict.fromkeys(("is_ome", "is_lsm", "is_ndpi", "is_scanimage"), False)

_MINISWHITE, _RGB, _PALETTE, _COLOR_MAP, _SEPARATE = 0, 2, 3, 320, 2


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The image: ``(H, W)``, with axes of pages in front, and one of samples where a pixel has several."""
    import tifffile

    length = stream.seek(0, os.SEEK_END)
    check_directories(stream, length, name)
    stream.seek(0)
    short = os.path.basename(name)
    with _errors_raised(name), tifffile.TiffFile(stream, name=short, _multifile=False, **_PLAIN_FILE) as tiff:
        pages = image_pages(list(tiff.pages), name)
        check_tags(pages, name)
        _check_sizes(pages, name, options)
        check_strips(pages, length, name)
        found = meaning(pages, name)
        array = _stack(pages, stream, name).reshape(found.shape)
        palette = _palette(pages, name)
    return _source(name, array, found, pages[0], palette)


def _source(name: str, array: Array, found: Meaning, page: Any, palette: tuple[int, ...] | None) -> Source:
    array, axes, colors = _with_colors_last(array, found, page)
    return Source(
        name=name,
        format="tiff",
        array=array,
        stored=type_name(array.dtype),
        colors=colors,
        samples=1 if found.planes else page.samplesperpixel,
        axes=axes,
        planes=found.planes,
        palette=palette,
        white_is_zero=_is_white_zero(page),
        bits=page.bitspersample if page.bitspersample in (2, 4) else 0,
    )


def _is_white_zero(page: Any) -> bool:
    """Whether libraries differ about the values: some give those that are stored, some turn them round.

    They agree about floats and signed numbers. tifffile marks every bool array so, and stores True
    as 1.
    """
    white = int(page.photometric) == _MINISWHITE and page.dtype.kind in "bu"
    return white and not (page.dtype.kind == "b" and page.is_shaped)


def _with_colors_last(array: Array, found: Meaning, page: Any) -> tuple[Array, str, bool]:
    """The samples with colours in the last axis, their axes, and whether there are colours."""
    # tifffile calls any three or four planes RGB, and floats are not colours.
    if int(page.photometric) != _RGB or array.dtype.kind != "u" or found.planes or page.samplesperpixel < 3:
        return array, found.axes, False
    axes = found.axes
    # Planes of colours, one after the other.
    if page.planarconfig == _SEPARATE:
        array = np.moveaxis(array, -3, -1)
        axes = f"{axes[:-3]}HWC" if axes else ""
    # An opaque alpha channel holds nothing.
    if array.shape[-1] == 4 and (array[..., 3] == np.iinfo(array.dtype).max).all():
        array = array[..., :3]
    return array, axes, True


def _palette(pages: list[Any], name: str) -> tuple[int, ...] | None:
    """The colour of each index, if the pixels are indices.

    Raises:
        UnreadableError: the pages have several palettes, so that one index is several colours.
    """
    values = pages[0].tags.valueof(_COLOR_MAP)
    if int(pages[0].photometric) != _PALETTE or values is None:
        return None
    for number, page in enumerate(pages):
        if not np.array_equal(page.tags.valueof(_COLOR_MAP), values):
            raise UnreadableError(
                "has pages with different palettes, so that one number stands for several colours",
                path=name,
                expected="one palette for all pages",
                found=f"page {number} has another one than page 0",
                hint="save each page in a file of its own, or all as RGB, and name the classes by colour",
            )
    colors = np.asarray(values, np.uint32).reshape(3, -1)
    # 16 bits a colour, of which the first 8 count; some programs write 8 bits.
    if colors.max() > 255:
        colors >>= 8
    red, green, blue = colors
    return tuple((red << 16 | green << 8 | blue).tolist())


def _check_sizes(pages: list[Any], name: str, options: ReadOptions) -> None:
    """What is declared, before anything is allocated."""
    first = pages[0]
    if first.samplesperpixel < 1:
        raise UnreadableError(f"has {first.samplesperpixel} samples a pixel", path=name)
    tiles = [(page.tiledepth, page.tilelength, page.tilewidth) for page in pages if page.is_tiled]
    if any(type(size) is not int or size < 1 for sizes in (first.shape, *tiles) for size in sizes):
        raise UnreadableError("has no pixels", path=name, found=f"{len(pages)} pages of {first.shape}")
    check_pixels(name, len(pages) * first.imagewidth * first.imagelength * first.imagedepth, options)
    for tile in tiles:
        check_pixels(name, product(tile), options)
    check_bytes(name, len(pages) * product(first.shape) * first.dtype.itemsize, options)


def _stack(pages: list[Any], stream: BinaryIO, name: str) -> Array:
    first = read_page(pages[0], stream, name)
    if len(pages) == 1:
        return first
    array = np.empty((len(pages), *first.shape), first.dtype)
    array[0] = first
    for index, page in enumerate(pages[1:], 1):
        array[index] = read_page(page, stream, name)
    return array


@contextmanager
def _errors_raised(name: str) -> Iterator[None]:
    """Tifffile logs what is corrupt and goes on. Here, that ends the reading."""
    logger = logging.getLogger("tifffile")
    records: list[str] = []
    thread = threading.get_ident()

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread and record.levelno >= logging.ERROR:
                records.append(record.getMessage())

    handler = Keep()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    if records:
        raise UnreadableError("is not a valid TIFF", path=name, found=records[0])
