"""Which stored integer means probability 1: what the values of a file suggest about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_USUAL = (1, 255, 65535)

# Steps of percentages and the like, where the greatest value is exactly that.
_DECIMAL = (100, 1000, 10000)

# What the greatest value may not quite reach: the same, and steps of half a percent.
_ROUND = (100, 200, 1000, 10000)

# Labels of equal steps lie no nearer to each other than this.
_NEAREST_LEVELS = 32

# A map whose greatest value is a smaller share of the full scale may well have another one.
_REACHED = 0.8


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


def round_scale(high: int, top: int) -> int | None:
    """The round number that may stand for probability 1 where values stay far below the likely full scale.

    Args:
        high: the greatest value that is there.
        top: the likely full scale.
    """
    if high >= _REACHED * top:
        return None
    return next((number for number in _ROUND if high <= number < top), None)


def nearest_scale(low: int, high: int, rounding: int) -> int:
    """The full scale of whole numbers whose sums over the channels lie between these.

    Args:
        low: the least sum.
        high: the greatest one.
        rounding: how far a sum may be off.
    """
    # Numbers that were rounded or cut off do not all have one sum.
    if low < high:
        for top in sorted({*_USUAL[1:], *_ROUND}):
            if high - rounding <= top <= low + rounding:
                return top
    return round((low + high) / 2)


def are_levels(labels: Sequence[int], *, between: int) -> bool:
    """Whether labels are equal steps from 0 up to 255, as pictures of few classes have that are to be looked at.

    Args:
        labels: in order.
        between: how many of them have to lie between 0 and 255.
    """
    inner = [label for label in labels if label not in (0, 255)]
    if len(inner) < between or inner[:1] < [0] or labels[-1] != 255:
        return False
    for count in range(len(inner) + 1, 255 // _NEAREST_LEVELS + 1):
        steps = {round(label * count / 255) for label in inner}
        near = all(abs(label - round(label * count / 255) * 255 / count) <= 1 for label in inner)
        if near and len(steps) == len(inner) and steps.isdisjoint((0, count)):
            return True
    return False
