"""Which axis is which, where a TIFF says so: pages are one list in the file, and slices, channels or both in fact.

ImageJ, OME and tifffile write into the description of the first page what its pages are. It is
taken at its word only where it counts as many pages as there are. Nothing else in it is looked at,
and no other file that it names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.tiff.strips import product

Axes = list[tuple[str, int]]

# The letters of layouts for those of TIFF programs. Samples of a pixel are channels.
_LETTERS = {"X": "W", "Y": "H", "Z": "D", "T": "T", "C": "C", "S": "C"}

# What tifffile writes: `{"shape": [3, 4, 5], "axes": "CYX"}`, and once `shape=(3, 4, 5)`.
_SHAPE = re.compile(r'shape"?[:=] *[\[(]([ \d]+(?:,[ \d]+)*),?[\])]')
_AXES = re.compile(r'"axes": *"([A-Z]+)"')

_IMAGEJ = re.compile(r"^(images|channels|slices|frames)=(\d{1,9})\b", re.MULTILINE)
_IMAGEJ_ORDER = re.compile(r"^order=([cztCZT]{3})\b", re.MULTILINE)

# The numbers of ImageJ, by the letters of its order.
_COUNTS = {"C": "channels", "Z": "slices", "T": "frames"}

_OME = re.compile(r"<(?:\w+:)?OME[\s>]")
_PIXELS = re.compile(r"<(?:\w+:)?Pixels\s([^>]*)>")
_PLANES = re.compile(r"<(?:\w+:)?TiffData\b([^>]*)>")
# The orders of the axes behind X and Y, the one that changes fastest first.
_ORDERS = ("CZT", "CTZ", "ZCT", "ZTC", "TCZ", "TZC")
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*["']([^"']*)["']""")

# These programs call an axis that nobody named channels.
_NAMED_BY_DEFAULT = ("ImageJ=1.11a\n", 'Creator="tifffile.py')

# Values of the tags PhotometricInterpretation and PlanarConfiguration.
_RGB, _SEPARATE = 2, 2


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the pages of a file are together.

    Attributes:
        shape: of the array that they make.
        axes: a letter for each axis, or ``""`` where the file does not say all of them.
        planes: tifffile was given the array without being told what it is, and calls its planes
            red, green and blue because there are three or four of them.
    """

    shape: tuple[int, ...]
    axes: str
    planes: bool = False


def meaning(pages: list[Any], name: str) -> Meaning:
    """What the pages are, by the description of the first one, or by what pages usually are.

    Raises:
        UnreadableError: the description declares other pages than there are.
    """
    page = pages[0]
    if page.shaped_description:
        _check_count(_shaped(pages), len(pages), name)
        if whole := _whole(pages):
            return whole
    if _OME.search(page.description):
        return _stacked(pages, _ome(page.description, pages, name), page.description)
    if page.imagej_description:
        return _stacked(pages, _imagej(page.imagej_description, pages, name), page.imagej_description)
    # Maps are saved with a page for each class, or for each slice.
    outer = None if page.dtype.kind == "f" else [("D", len(pages))]
    return _stacked(pages, outer)


def _stacked(pages: list[Any], outer: Axes | None, text: str = "") -> Meaning:
    """The pages along axes of these letters and lengths; along one without a letter, where these are not known."""
    page = pages[0]
    # Axes of length 1 carry nothing.
    long = [(letter, length) for letter, length in outer or [("?", len(pages))] if length > 1]
    letters = "".join(letter for letter, _ in long)
    by_default = letters == "C" and any(mark in text for mark in _NAMED_BY_DEFAULT)
    if by_default:
        letters = "?"
    return Meaning((*(length for _, length in long), *page.shape), _known(letters + _inner(page)))


def _inner(page: Any) -> str:
    """The letters of the axes of a page."""
    return "".join(_LETTERS.get(letter, "?") for letter in page.axes)


def _known(letters: str) -> str:
    """The letters, if each of them is known and there is one of it."""
    if "?" in letters or len(set(letters)) < len(letters):
        return ""
    return letters


def _sizes(page: Any) -> tuple[int, ...]:
    """The shape that tifffile wrote into the description of a page."""
    found = _SHAPE.search(page.shaped_description or "")
    return tuple(map(int, found[1].split(","))) if found else ()


def _shaped(pages: list[Any]) -> int:
    """How many pages the descriptions that tifffile wrote count; each is for the pages that follow it.

    The series of tifffile would say the same, but follow every directory that a page names, as
    often as it is named.
    """
    declared = 0
    while declared < len(pages) and pages[declared].shaped_description:
        declared += max(1, product(_sizes(pages[declared])) // product(pages[0].shape))
    return declared


def _whole(pages: list[Any]) -> Meaning | None:
    """The one array that tifffile wrote, if it is one: its shape, and its axes where they were named."""
    page = pages[0]
    shape = _sizes(page)
    if product(shape) != len(pages) * product(page.shape):
        return None
    planes = page.photometric == _RGB and page.planarconfig == _SEPARATE
    axes = ""
    if named := _AXES.search(page.shaped_description):
        axes = _known("".join(_LETTERS.get(letter, "?") for letter in named[1]))
    elif shape == page.shape and not planes:
        axes = _known(_inner(page))
    if len(axes) != len(shape):
        axes = ""
    return Meaning(shape, axes, planes and page.dtype.kind == "u")


def _imagej(text: str, pages: list[Any], name: str) -> Axes | None:
    """The axes of a stack of ImageJ: channels, slices and frames, of which the first change fastest."""
    numbers = {key: int(number) for key, number in _IMAGEJ.findall(text)}
    counts = {letter: numbers.get(key, 1) for letter, key in _COUNTS.items()}
    order = _IMAGEJ_ORDER.search(text)
    letters = order[1].upper() if order else "CZT"
    _check_count(max(numbers.get("images", 1), 1), len(pages), name)
    if sorted(letters) != sorted(counts):
        return None
    total = product(tuple(counts.values()))
    # A stack that nobody gave dimensions.
    if total == 1:
        return [("D", len(pages))]
    if total != len(pages):
        return None
    return [(_LETTERS[letter], counts[letter]) for letter in reversed(letters)]


def _ome(text: str, pages: list[Any], name: str) -> Axes | None:
    """The axes of the one image of an OME-TIFF.

    Raises:
        UnreadableError: it holds several images, or its planes are others than its pages.
    """
    images = _PIXELS.findall(text)
    if len(images) > 1:
        raise UnreadableError(
            f"holds {len(images)} images of OME",
            path=name,
            expected="one image, of any number of channels, slices and frames",
            hint="save each image as a file of its own",
        )
    # A file that only names the one that has the description.
    if not images:
        return None
    attributes = dict(_ATTRIBUTE.findall(images[0]))
    order = attributes.get("DimensionOrder", "XYCZT")[2:]
    counts = {letter: int(attributes.get(f"Size{letter}", "1")) for letter in "CZT"}
    # Samples of a pixel are counted as channels.
    counts["C"] = max(1, counts["C"] // pages[0].samplesperpixel)
    total = product(tuple(counts.values()))
    _check_count(total, len(pages), name)
    if order not in _ORDERS or total != len(pages) or not _in_order(text, order, counts):
        raise UnreadableError(
            "has other pages than its OME header says",
            path=name,
            expected=f"{total} pages in the order {attributes.get('DimensionOrder')}",
            found=f"{len(pages)} pages",
            hint="save it again: tifffile.imwrite(path, array, metadata={'axes': …})",
        )
    return [(_LETTERS[letter], counts[letter]) for letter in reversed(order)]


def _in_order(text: str, order: str, counts: dict[str, int]) -> bool:
    """Whether the planes that the header places one by one are where its order has them."""
    for element in _PLANES.findall(text):
        attributes = dict(_ATTRIBUTE.findall(element))
        place, step = 0, 1
        for letter in order:
            place += step * int(attributes.get(f"First{letter}", "0"))
            step *= counts[letter]
        if place != int(attributes.get("IFD", "0")):
            return False
    return True


def _check_count(declared: int, pages: int, name: str) -> None:
    """Refuses stacks whose first page stands for many, and one file of several: the rest would be lost."""
    if declared > pages:
        raise UnreadableError(
            "declares more images than it has pages",
            path=name,
            expected=f"{declared} pages",
            found=f"{pages}",
            hint="save it again with one page an image, all of them in this file",
        )
