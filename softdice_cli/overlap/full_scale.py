"""Which stored integer means probability 1: what the values of a file suggest about it."""

from __future__ import annotations

from typing import Any

import numpy as np

_USUAL = (1, 255, 65535)

# Steps of percentages and the like, where the greatest value is exactly that.
_DECIMAL = (100, 1000, 10000)


def greatest_of(dtype: np.dtype[Any]) -> int:
    """The greatest integer that a type holds; 1 for booleans."""
    if dtype.kind == "b":
        return 1
    return int(np.iinfo(dtype).max)


def full_scale(high: int, reach: int) -> int:
    """The likely stored value of probability 1.

    Args:
        high: the greatest value that is there.
        reach: the greatest value that the type holds.
    """
    if high in _DECIMAL:
        return high
    for top in _USUAL:
        if high <= top <= reach:
            return top
    # A narrow type is mostly used to its end; of a wide one, only what is there tells.
    return reach if reach < 2**16 else high
