"""The pages of a TIFF: samples as stored, page by page; other files that it names are never opened."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.source import ReadOptions, Source, check_bytes, check_pixels, type_name
from softdice_cli.readers.tiff.codecs import PageReader
from softdice_cli.readers.tiff.directories import check_directories
from softdice_cli.readers.tiff.strips import check_strips, product

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

# What tifffile writes to describe several pages: `{"shape": [3, 4, 5]}`, and once `shape=(3, 4,
# 5)`.
_SHAPE = re.compile(r'shape"?[:=] *[\[(]([ \d]+(?:,[ \d]+)*),?[\])]')

# Kinds of TIFF whose metadata can point at other files, or at pages that are not there.
_PLAIN_FILE: dict[str, Any] = dict.fromkeys(("is_ome", "is_lsm", "is_ndpi", "is_scanimage"), False)

_PLAIN = {"MINISWHITE", "MINISBLACK", "RGB", "PALETTE", "MASK", "CFA"}


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """All pages: ``(H, W)``, ``(pages, H, W)``, and an axis of samples where a page has several."""
    import tifffile

    length = stream.seek(0, os.SEEK_END)
    check_directories(stream, length, name)
    stream.seek(0)
    short = os.path.basename(name)
    with _errors_raised(name), tifffile.TiffFile(stream, name=short, _multifile=False, **_PLAIN_FILE) as tiff:
        pages = _pages(tiff, name)
        _check_sizes(pages, name, options)
        check_strips(pages, stream, length, name)
        _check_declared(tiff, pages, name)
        array = _stack(pages, PageReader(stream, name))
    array, colors = _with_colors_last(array, pages[0])
    return Source(
        name=name,
        format="tiff",
        array=array,
        stored=type_name(array.dtype),
        colors=colors,
        samples=pages[0].samplesperpixel,
    )


def _with_colors_last(array: Array, page: Any) -> tuple[Array, bool]:
    """The samples with colours in the last axis, and whether there are colours."""
    if page.photometric.name != "RGB":
        return array, False
    # Planes of colours, one after the other.
    if page.axes.startswith("S"):
        array = np.moveaxis(array, -3, -1)
    # tifffile calls any three or four planes RGB, and floats are not colours.
    if array.dtype.kind != "u":
        return array, False
    # An opaque alpha channel holds nothing.
    if array.shape[-1] == 4 and (array[..., 3] == np.iinfo(array.dtype).max).all():
        array = array[..., :3]
    return array, True


def _pages(tiff: Any, name: str) -> list[Any]:
    """The pages, all of one shape and type."""
    pages = list(tiff.pages)
    kinds = {(page.shape, str(page.dtype), int(page.photometric)) for page in pages}
    if len(kinds) != 1:
        found = ", ".join(sorted(f"{dtype} {shape}" for shape, dtype, _ in kinds)) or "no page"
        raise UnreadableError(
            "has pages that do not belong together",
            path=name,
            expected="one page, or pages of one shape and type",
            found=found,
        )
    for page in pages:
        _check_kind(page, name)
    dtype = pages[0].dtype
    if dtype is None or dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise UnreadableError("holds a type that is neither a probability nor a label", path=name, found=f"{dtype}")
    return pages


def _check_kind(page: Any, name: str) -> None:
    """Refuses what is not a plain image, or would come out turned."""
    orientation = page.tags.valueof(274, 1)
    if orientation != 1:
        raise UnreadableError(
            f"has orientation {orientation}", path=name, expected="1: upright", hint="save it upright, without that tag"
        )
    if page.photometric.name not in _PLAIN:
        raise UnreadableError(
            f"is a {page.photometric.name} picture, which holds neither labels nor probabilities",
            path=name,
            expected="grey, a palette or RGB",
        )
    if page.subfiletype & 1:
        raise UnreadableError("has a page of reduced size beside the image", path=name, hint="save the image alone")


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


def _check_declared(tiff: Any, pages: list[Any], name: str) -> None:
    """Refuses stacks whose first page stands for many: the rest would be lost."""
    declared = len(pages)
    if tiff.is_imagej:
        declared = int((tiff.imagej_metadata or {}).get("images", declared))
    elif tiff.is_shaped:
        declared = _shaped(pages)
    if declared > len(pages):
        raise UnreadableError(
            "declares more images than it has pages",
            path=name,
            expected=f"{declared} pages",
            found=f"{len(pages)}",
            hint="save it again with one page an image",
        )


def _shaped(pages: list[Any]) -> int:
    """How many pages the descriptions that tifffile wrote count; each is for the pages that follow it.

    The series of tifffile would say the same, but follow every directory that a page names, as
    often as it is named.
    """
    declared = 0
    while declared < len(pages) and pages[declared].shaped_description:
        shape = _SHAPE.search(pages[declared].shaped_description)
        sizes = tuple(map(int, shape[1].split(","))) if shape else ()
        declared += max(1, product(sizes) // product(pages[0].shape))
    return declared


def _stack(pages: list[Any], reader: PageReader) -> Array:
    first = reader.read(pages[0])
    if len(pages) == 1:
        return first
    array = np.empty((len(pages), *first.shape), first.dtype)
    array[0] = first
    for index, page in enumerate(pages[1:], 1):
        array[index] = reader.read(page)
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
