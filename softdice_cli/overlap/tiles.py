"""Cuts an image into tiles that fit the caches and memory, whatever the order of its axes in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def tiles(values: Array, beside: Sequence[Array], pixels: int) -> Iterator[tuple[Array, ...]]:
    """Tiles of an image with what belongs to the same pixels, as views; no value is looked at.

    Args:
        values: ``(C, *S)``, in any memory order.
        beside: arrays ``(*S)``, or ``(C, *S)``, such as labels.
        pixels: greatest number of pixels in a tile.

    Yields:
        ``(C, *T)`` of the values, and the same of each array beside them, of at most `pixels` pixels; every pixel
        once, in an unspecified order.
    """
    slowest = sorted(range(1, values.ndim), key=lambda axis: -abs(values.strides[axis]))
    parts = [values.transpose(0, *slowest)]
    for array in beside:
        front = array.ndim - len(slowest)
        parts.append(array.transpose(*range(front), *(axis - 1 + front for axis in slowest)))
    shape = parts[0].shape
    inner = math.prod(shape[2:])
    if inner > pixels:
        for place in range(shape[1]):
            first, *others = (_at(part, place, len(slowest)) for part in parts)
            yield from tiles(first, others, pixels)
        return
    rows = max(1, pixels // max(1, inner))
    for start in range(0, shape[1], rows):
        yield tuple(_at(part, slice(start, start + rows), len(slowest)) for part in parts)


def _at(array: Array, place: int | slice, spatial: int) -> Array:
    """A part of an array along the first of its axes of space."""
    front = array.ndim - spatial
    part: Array = array[(slice(None),) * front + (place,)]
    return part
