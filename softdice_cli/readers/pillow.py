"""What a Pillow image holds, as an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

    from softdice_cli.readers.source import Array

LARGE = 2**24
"""An image that has no fewer pixels than this is copied in bands of about this size."""


def decoded(image: Image) -> Array:
    """The samples of a Pillow image; a large one is copied band by band, as Pillow copies twice."""
    if image.width * image.height < LARGE:
        return _plain(np.asarray(image))
    first = np.asarray(image.crop((0, 0, image.width, 1)))
    array = np.empty((image.height, *first.shape[1:]), first.dtype)
    step = max(1, LARGE // image.width)
    for top in range(0, image.height, step):
        bottom = min(top + step, image.height)
        array[top:bottom] = _plain(np.asarray(image.crop((0, top, image.width, bottom))))
    return array


def _plain(array: Array) -> Array:
    """The samples, with bits as NumPy stores them."""
    if array.dtype != bool:
        return array
    # Pillow stores True as 255.
    bits: Array = array.view(np.uint8) != 0
    return bits
