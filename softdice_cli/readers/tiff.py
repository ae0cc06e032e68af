"""TIFF: samples as stored, page by page; other files that it names are never opened."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.png import decoded
from softdice_cli.readers.source import ReadOptions, Source, check_bytes, check_pixels, type_name

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

_PILLOW = {"LZW", "CCITTRLE", "CCITTFAX3", "CCITTFAX4"}
"""Lossless compressions that Pillow can read where tifffile needs its codecs."""

LIBRARY = "tifffile"

_LOSSY = {"JPEG", "OJPEG", "JPEGXR_NDPI", "WEBP", "JPEG2000", "APERIO_JP2000_RGB", "APERIO_JP2000_YCBC"}

_PLAIN = {"MINISWHITE", "MINISBLACK", "RGB", "PALETTE", "MASK", "CFA"}

_MAX_PAGES = 100_000


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """All pages: ``(H, W)``, ``(pages, H, W)``, and an axis of samples where a page has several."""
    import tifffile

    with (
        _errors_raised(name),
        tifffile.TiffFile(stream, name=os.path.basename(name), is_ome=False, _multifile=False) as tiff,
    ):
        pages = _pages(tiff, name)
        _check_sizes(pages, stream, name, options)
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
    pages: list[Any] = []
    offsets: set[int] = set()
    for page in tiff.pages:
        if page.offset in offsets:
            raise UnreadableError("is not a valid TIFF: its pages form a loop", path=name)
        offsets.add(page.offset)
        pages.append(page)
        if len(pages) > _MAX_PAGES:
            raise UnreadableError(f"has more than {_MAX_PAGES} pages", path=name)
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


def _check_sizes(pages: list[Any], stream: BinaryIO, name: str, options: ReadOptions) -> None:
    """Everything is checked against the length of the file before anything is allocated."""
    length = stream.seek(0, os.SEEK_END)
    size = sum(_product(page.shape) for page in pages)
    if not size:
        raise UnreadableError("has no pixels", path=name, found=f"{len(pages)} pages of {pages[0].shape}")
    check_pixels(name, sum(page.imagewidth * page.imagelength * page.imagedepth for page in pages), options)
    check_bytes(name, size * pages[0].dtype.itemsize, options)
    for page in pages:
        spans = zip(page.dataoffsets, page.databytecounts, strict=True)
        if any(offset < 0 or count < 0 or offset + count > length for offset, count in spans):
            raise UnreadableError(
                "is truncated: a page lies beyond the end of the file",
                path=name,
                found=f"{length} bytes",
                hint="save or copy the file again",
            )
        raw = _product(page.shape) * page.bitspersample // 8
        if page.compression == 1 and sum(page.databytecounts) < raw:
            raise UnreadableError(
                "declares more pixels than it holds",
                path=name,
                expected=f"{raw} bytes a page",
                found=f"{sum(page.databytecounts)} bytes",
            )


def _check_declared(tiff: Any, pages: list[Any], name: str) -> None:
    """Refuses stacks whose first page stands for many: the rest would be lost."""
    declared = len(pages)
    if tiff.is_imagej:
        declared = int((tiff.imagej_metadata or {}).get("images", declared))
    elif tiff.is_shaped:
        shapes = [tuple(entry.get("shape", ())) for entry in tiff.shaped_metadata or ()]
        declared = sum(map(_product, shapes)) // _product(pages[0].shape) or declared
    if declared > len(pages):
        raise UnreadableError(
            "declares more images than it has pages",
            path=name,
            expected=f"{declared} pages",
            found=f"{len(pages)}",
            hint="save it again with one page an image",
        )


def _stack(pages: list[Any], stream: BinaryIO, name: str) -> Array:
    first = _page(pages[0], stream, name)
    if len(pages) == 1:
        return first
    array = np.empty((len(pages), *first.shape), first.dtype)
    for index, page in enumerate(pages):
        array[index] = _page(page, stream, name)
    return array


def _page(page: Any, stream: BinaryIO, name: str) -> Array:
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
        array = _by_pillow(page, stream, name)
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


def _by_pillow(page: Any, stream: BinaryIO, name: str) -> Array:
    from PIL.TiffImagePlugin import TiffImageFile

    stream.seek(0)
    with TiffImageFile(stream) as image:
        image.seek(page.index)
        array = decoded(image)
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


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for length in shape:
        total *= int(length)
    return total
