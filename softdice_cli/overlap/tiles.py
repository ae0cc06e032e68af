"""Cuts an image into tiles that fit the caches and memory, whatever the order of its axes in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def tiles(values: Array, labels: Array, pixels: int) -> Iterator[tuple[Array, Array]]:
    """Tiles of an image with the labels of the same pixels, as views; no value is looked at.

    Args:
        values: ``(C, *S)``, in any memory order.
        labels: ``(*S)``.
        pixels: greatest number of pixels in a tile.

    Yields:
        ``(C, *T)`` and ``(*T)`` of at most `pixels` pixels; every pixel once, in an unspecified
        order.
    """
    slowest = sorted(range(1, values.ndim), key=lambda axis: -abs(values.strides[axis]))
    values = values.transpose(0, *slowest)
    labels = labels.transpose([axis - 1 for axis in slowest])
    inner = math.prod(values.shape[2:])
    if inner > pixels:
        for part in range(values.shape[1]):
            yield from tiles(values[:, part], labels[part], pixels)
        return
    rows = max(1, pixels // max(1, inner))
    for start in range(0, values.shape[1], rows):
        yield values[:, start : start + rows], labels[start : start + rows]
