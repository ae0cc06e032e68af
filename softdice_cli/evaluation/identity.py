"""Labels of an image → a digest that says which truth it is, so that results of other masks are never compared.

The digest is of plain label numbers, before anything is said of classes; a colour is ``0xRRGGBB``. It depends neither
on the type and the order in which a file stores them, nor on its format, nor on how the image is cut into tiles. It
protects against accidents, such as masks that were turned, flipped or drawn again, and not against somebody who wants
two truths to have one digest. In return it takes a small part of an evaluation.

The labels are cut into boxes of fixed sides. Each box stands in C order, in the least type that holds its labels. One
CRC-32 is of the first halves of all boxes, and another one of the second halves.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from softdice_cli.evaluation.prepared_pair import Image
    from softdice_cli.readers import Source

    Array = NDArray[Any]
    Corner = tuple[int, ...]
    Checks = tuple[str, int, int]

# A box has at most 2**20 labels, and at most 2**11 of them along its last axis, so that files in C order and in Fortran
# order are both read in long runs. Other numbers would give other digests.
_LABELS, _LENGTH = 20, 11

# Bytes that are read at once.
_AT_ONCE = 2**24

# The types of whole numbers, the least first, with the least and the greatest label that each of them holds.
_WHOLE = tuple((name, int(np.iinfo(name).min), int(np.iinfo(name).max)) for name in ("<u1", "<i4", "<i8", "<u8"))

# Up to here, float64 has every whole number.
_EXACT = 2.0**53


def truth_of(truth: Source, image: Image) -> str:
    """The digest of the labels of an image, and of the region in which they are evaluated: 16 hex digits.

    Args:
        truth: that the labels belong to.
        image: with labels ``(*S)``, or ``(C, *S)`` of independent classes; axes of S of length 1 do not count.

    Raises:
        UnreadableError: the file has shrunk.
    """
    # In front stands an axis of channels, which is of length 1 where a pixel has a single label.
    labels = image.labels if image.labels.ndim == image.values.ndim else image.labels[None]
    labels = _squeezed(labels)
    inside = None if image.inside is None else _squeezed(image.inside[None])
    found: dict[Corner, list[Checks]] = {}
    for corner, box in _boxes(truth, labels):
        found[corner] = [_checks(*_canonical(box))]
        if inside is not None:
            found[corner].append(_checks("roi", inside[_from(corner, box.shape)]))
    first = second = crc32(repr(labels.shape).encode())
    # A large file is read in its own order.
    for _, checks in sorted(found.items()):
        for kind, one, other in checks:
            first = crc32(f"{kind}{one:08x}".encode(), first)
            second = crc32(f"{kind}{other:08x}".encode(), second)
    return f"{first:08x}{second:08x}"


def _squeezed(array: Array) -> Array:
    """The array ``(C, *S)`` without the axes of S of length 1."""
    if 1 not in array.shape[1:]:
        return array
    return np.squeeze(array, axis=tuple(axis for axis in range(1, array.ndim) if array.shape[axis] == 1))


def _boxes(truth: Source, labels: Array) -> Iterator[tuple[Corner, Array]]:
    """The boxes of labels ``(C, *S)`` with the places of their first pixels, in the order in which they are read."""
    sides = _sides(labels.shape)
    if all(map(operator.le, labels.shape[1:], sides)):
        yield (0,) * len(sides), truth.load(labels)
        return
    at_once = list(sides)
    fastest = min(range(len(sides)), key=lambda axis: abs(labels.strides[axis + 1]))
    # Neighbours along the axis that changes fastest lie next to each other, and are read together.
    at_once[fastest] *= max(1, _AT_ONCE // (labels.itemsize * labels.shape[0] * math.prod(sides)))
    for corner in _corners(labels.shape[1:], at_once):
        loaded = truth.load(labels[_from(corner, (0, *at_once))])
        for inner in _corners(loaded.shape[1:], sides):
            yield tuple(map(operator.add, corner, inner)), loaded[_from(inner, (0, *sides))]


@functools.lru_cache(maxsize=64)
def _sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sides of a box of labels ``(C, *S)`` along S: powers of two."""
    channels, *space = shape
    left = max(0, _LABELS - (channels - 1).bit_length())
    if len(space) < 2:
        return (2**left,) * len(space)
    last = min(left, _LENGTH)
    return *(2 ** ((left - last) // (len(space) - 1)),) * (len(space) - 1), 2**last


def _corners(shape: tuple[int, ...], sides: Sequence[int]) -> Iterator[Corner]:
    """Where boxes of these sides begin, in C order."""
    return itertools.product(*(range(0, length, side) for length, side in zip(shape, sides, strict=True)))


def _from(corner: Corner, shape: Sequence[int]) -> tuple[slice, ...]:
    """The part of an array ``(C, *S)`` that begins at a corner and has a shape, whose first length does not count."""
    return slice(None), *(slice(start, start + side) for start, side in zip(corner, shape[1:], strict=True))


def _canonical(box: Array) -> tuple[str, Array]:
    """Labels in the least type that holds them, and its name; fractions as float64."""
    if box.dtype == np.uint8:
        return "<u1", box
    low, high = box.min().item(), box.max().item()
    if box.dtype.kind == "f":
        # NaN fails each comparison, and is refused elsewhere.
        if not (abs(low) <= _EXACT and abs(high) <= _EXACT and (box == np.rint(box)).all()):
            # Adding 0.0 turns -0.0 into 0.0.
            return "<f8", box.astype("<f8") + 0.0
        low, high = int(low), int(high)
    kind = next(name for name, least, greatest in _WHOLE if least <= low and high <= greatest)
    return kind, box.astype(kind)


def _checks(kind: str, box: Array) -> Checks:
    """The name of a type, and the CRC-32 of both halves of a box of it in C order."""
    stored = np.ascontiguousarray(box).reshape(-1).view(np.uint8).data
    half = len(stored) // 2
    return kind, crc32(stored[:half]), crc32(stored[half:])
