"""Batches whose images lie between each other in the file, as in Fortran's order: sorted as they are read.

Every image of such a batch is spread over the whole file. To read them one by one would read the file once for each, or
take a read for each value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from softdice_cli.readers.source import ReadOptions, Source, in_memory

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

# So few images are read one by one, as the file is read so many times quickly, and takes no memory.
_FEW = 8

# Bytes of an image that follow each other, and are worth a read of their own.
_WORTH_A_READ = 2**12

# Values that are sorted together: they stay in a core's cache.
_PIECE = 2**18


def images_apart(source: Source, batch: int, options: ReadOptions) -> Source:
    """A source whose images lie one behind the other, in memory if they do not in the file.

    Where they take more memory than is allowed, the source is given back as it is, and takes long to read.

    Args:
        source: as read.
        batch: the axis that numbers the images.
        options: how large an array in memory may be.

    Raises:
        UnreadableError: the file has shrunk.
    """
    array = source.array
    if source.load is in_memory or not _is_interleaved(array, batch) or array.nbytes > options.max_bytes:
        return source
    others = [axis for axis in range(array.ndim) if axis != batch]
    others.sort(key=lambda axis: -array.strides[axis])
    order = [batch, *others]
    view = array.transpose(order)
    apart: Array = np.empty(view.shape, view.dtype)
    _sort(view, apart, source.load)
    return replace(source, array=apart.transpose(np.argsort(order)), load=in_memory)


def _is_interleaved(array: Array, batch: int) -> bool:
    """Whether many images have only a few bytes before those of the next image follow."""
    step = array.strides[batch]
    slower = any(length > 1 and stride > step for length, stride in zip(array.shape, array.strides, strict=True))
    return array.shape[batch] > _FEW and slower and step < _WORTH_A_READ


def _sort(view: Array, apart: Array, load: Callable[[Array], Array]) -> None:
    """Copy a part of a file image by image, both ``(B, *S)``; the axes S are in their order in the file."""
    if view.size <= _PIECE or view.ndim == 1:
        apart[...] = load(view)
        return
    rows = max(1, _PIECE // (view.size // view.shape[1]))
    for start in range(0, view.shape[1], rows):
        part = slice(start, start + rows)
        if rows > 1:
            apart[:, part] = load(view[:, part])
        else:
            # One row can still be too large.
            _sort(view[:, start], apart[:, start], load)
