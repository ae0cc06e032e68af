"""Cuts an image into tiles that fit the caches and memory, whatever the order of its axes in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def _nothing() -> None:
    """Nothing needs to be checked."""


def tiles(
    values: Array, labels: Array, pixels: int, check: Callable[[], None] = _nothing
) -> Iterator[tuple[Array, Array]]:
    """Tiles of an image with the labels of the same pixels.

    Args:
        values: ``(C, *S)``, in any memory order; only one tile of it is touched at a time.
        labels: ``(*S)``.
        pixels: greatest number of pixels in a tile.
        check: called before each tile is touched.

    Yields:
        ``(C, n)`` and ``(n,)`` with n ≤ `pixels`; every pixel once, in an unspecified order.
    """
    slowest = sorted(range(1, values.ndim), key=lambda axis: -abs(values.strides[axis]))
    values = values.transpose(0, *slowest)
    labels = labels.transpose([axis - 1 for axis in slowest])
    inner = int(np.prod(values.shape[2:], dtype=np.int64))
    if inner > pixels:
        for part in range(values.shape[1]):
            yield from tiles(values[:, part], labels[part], pixels, check)
        return
    rows = max(1, pixels // max(1, inner))
    for start in range(0, values.shape[1], rows):
        stop = start + rows
        check()
        yield values[:, start:stop].reshape(values.shape[0], -1), labels[start:stop].reshape(-1)
