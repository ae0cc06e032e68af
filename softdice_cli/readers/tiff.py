"""TIFF: samples as stored, page by page; other files that it names are never opened."""

from __future__ import annotations

import functools
import io
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.directories import check_directories
from softdice_cli.readers.png import decoded
from softdice_cli.readers.source import ReadOptions, Source, check_bytes, check_pixels, type_name
from softdice_cli.readers.strips import check_strips, product

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

    from softdice_cli.readers.source import Array

_PILLOW = {"LZW", "CCITTRLE", "CCITTFAX3", "CCITTFAX4"}
"""Lossless compressions that Pillow can read where tifffile needs its codecs."""

LIBRARY = "tifffile"

_SHAPE = re.compile(r'shape"?[:=] *[\[(]([ \d]+(?:,[ \d]+)*),?[\])]')
"""What tifffile writes to describe several pages: ``{"shape": [3, 4, 5]}``, and once ``shape=(3, 4, 5)``."""

_LOSSY = {"JPEG", "OJPEG", "JPEGXR_NDPI", "WEBP", "JPEG2000", "APERIO_JP2000_RGB", "APERIO_JP2000_YCBC"}

_PLAIN_FILE: dict[str, Any] = dict.fromkeys(("is_ome", "is_lsm", "is_ndpi", "is_scanimage"), False)
"""Kinds that would name other files, or pages that are not there."""

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
        array = _stack(pages, stream, name)
        colors = pages[0].photometric.name == "RGB"
    if colors and pages[0].axes.startswith("S"):
        array = np.moveaxis(array, -3, -1)
    colors = colors and array.dtype.kind == "u"
    if colors and array.shape[-1] == 4 and (array[..., 3] == np.iinfo(array.dtype).max).all():
        array = array[..., :3]
    return Source(
        name=name,
        format="tiff",
        array=array,
        stored=type_name(array.dtype),
        colors=colors,
        samples=pages[0].samplesperpixel,
    )


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
        raise UnreadableError("holds a type that is no probability or label", path=name, found=f"{dtype}")
    return pages


def _check_kind(page: Any, name: str) -> None:
    """Refuses what is no plain image, or would come out turned."""
    orientation = page.tags.valueof(274, 1)
    if orientation != 1:
        raise UnreadableError(
            f"has orientation {orientation}", path=name, expected="1: upright", hint="save it upright, without that tag"
        )
    if page.photometric.name not in _PLAIN:
        raise UnreadableError(
            f"is a {page.photometric.name} picture, which holds no labels and no probabilities",
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
    """How many pages the descriptions of tifffile count, each of which is for those that follow it.

    Not by its series, which follow every directory that a page names, as often as it is named.
    """
    declared = 0
    while declared < len(pages) and pages[declared].shaped_description:
        shape = _SHAPE.search(pages[declared].shaped_description)
        sizes = tuple(map(int, shape[1].split(","))) if shape else ()
        declared += max(1, product(sizes) // product(pages[0].shape))
    return declared


def _stack(pages: list[Any], stream: BinaryIO, name: str) -> Array:
    pillow = functools.cache(functools.partial(_open_by_pillow, stream))
    first = _page(pages[0], pillow, name)
    if len(pages) == 1:
        return first
    array = np.empty((len(pages), *first.shape), first.dtype)
    array[0] = first
    for index, page in enumerate(pages[1:], 1):
        array[index] = _page(page, pillow, name)
    return array


def _page(page: Any, pillow: Callable[[], TiffImageFile], name: str) -> Array:
    """The samples of one page."""
    compression, inverted = page.compression.name, _is_inverted(page)
    if compression in _LOSSY:
        raise UnreadableError(
            f"is compressed with {compression}, which alters labels and probabilities",
            path=name,
            hint="save it with deflate, LZW or no compression",
        )
    try:
        array: Array = page.asarray(maxworkers=1)
    except (ValueError, ImportError) as error:
        if isinstance(error, ValueError) and "imagecodecs" not in str(error):
            raise
        if page.predictor not in (1, 2) and compression not in _PILLOW:
            raise UnreadableError(
                f"has predictor {page.predictor}, which needs a codec",
                path=name,
                hint="pip install 'softdice-cli[codecs]', or save it with predictor 2 or none",
            ) from None
        if compression not in _PILLOW:
            raise UnreadableError(
                f"is compressed with {compression}, which needs a codec",
                path=name,
                hint="pip install 'softdice-cli[codecs]', or save it with deflate",
            ) from None
        array = _by_pillow(page, pillow(), name)
        inverted = False  # Pillow has done it
    if inverted:
        array = ~array if array.dtype == bool else array.dtype.type(2**page.bitspersample - 1) - array
    return array


def _is_inverted(page: Any) -> bool:
    """Whether 0 stands for the greatest value: MinIsWhite of 1 and 8 bits, as Pillow reads and writes it.

    tifffile marks every bool array so and still stores True as 1.
    """
    white = page.photometric.name == "MINISWHITE" and page.dtype.kind in "bu" and page.dtype.itemsize == 1
    return white and not (page.dtype.kind == "b" and page.is_shaped)


def _open_by_pillow(stream: BinaryIO) -> TiffImageFile:
    """The file as Pillow sees it, from memory: its library would map the file, and die where that shrinks."""
    from PIL.TiffImagePlugin import TiffImageFile

    stream.seek(0)
    return TiffImageFile(io.BytesIO(stream.read()))


def _by_pillow(page: Any, image: TiffImageFile, name: str) -> Array:
    image.seek(page.index)
    array = decoded(image) if image.size == (page.imagewidth, page.imagelength) else np.empty(0)
    if array.shape != page.shape or array.dtype.newbyteorder("=") != page.dtype.newbyteorder("="):
        raise UnreadableError(
            f"is compressed with {page.compression.name}, which needs a codec for {page.dtype} {page.shape}",
            path=name,
            hint="pip install 'softdice-cli[codecs]', or save it with deflate",
        )
    return array


@contextmanager
def _errors_raised(name: str) -> Iterator[None]:
    """Tifffile logs what is corrupt and goes on; here that ends the reading."""
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
