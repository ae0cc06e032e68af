"""Whether the channels of a pixel sum to 1: one definition, which every engine follows to the last bit.

A sum of floats depends on the order of its terms, and near the tolerance that would decide whether a file passes. So
the values of a pixel are added as integers on the 2⁻⁶⁴ grid, like those of a class. What stands here works on arrays
of NumPy and on tensors alike.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from softdice_cli.overlap.contract import GRID, WORD, Facts
from softdice_cli.overlap.decoding import Decoding

Words = tuple[int, int]
"""The high and the low word of an integer."""


class Excess(NamedTuple):
    """How far sums over the channels lie above 1, in units of 2⁻⁶⁴: ``high·2³² + low``, with 0 ≤ low < 2³².

    Attributes:
        high, low: int64 of any shape.
    """

    high: Any
    low: Any

    @staticmethod
    def of(high: Any, low: Any) -> Excess:
        """That of the sums of the high and the low words of the values, of which the low ones can be negative."""
        return Excess(high - WORD + (low >> 32), low & (WORD - 1))

    def out_of(self, tolerance: float) -> Any:
        """Which sums lie further from 1 than the tolerance, as bools of the same shape."""
        # The product with a power of 2 is exact.
        limit = math.floor(tolerance * GRID)
        most, least = divmod(limit, WORD), divmod(-limit, WORD)
        above = (self.high > most[0]) | ((self.high == most[0]) & (self.low > most[1]))
        below = (self.high < least[0]) | ((self.high == least[0]) & (self.low < least[1]))
        return above | below


def facts_of(pixels: int, least: Words, greatest: Words) -> Facts:
    """What was seen, given how many sums are out of tolerance, and the least and the greatest `Excess` among them."""
    if not pixels:
        return Facts()
    return Facts(sum_low=_sum(least), sum_high=_sum(greatest), sum_off=pixels)


def _sum(excess: Words) -> float:
    high, low = excess
    return (GRID + high * WORD + low) / GRID


def are_seen(decoding: Decoding, facts: Facts) -> bool:
    """Whether the sums over the channels matter, given the range of the values of a tile."""
    # Before a softmax, they tell whether values in range are probabilities already.
    return decoding.sum_tolerance is not None and (decoding.activation != "softmax" or facts.within(decoding))
