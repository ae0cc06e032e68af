"""What an engine takes and gives: one contract, so that every engine can be held to the same bits.

Sums are integers on a 2⁻⁶⁴ grid. A probability p becomes ``high = rint(p·2³²)`` and ``low =
rint((p·2³² − high)·2³²)``; both steps are exact in the float type of p but for the last rounding,
and integers add up to the same total in any order. One correctly rounded float64 per sum leaves
here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from softdice_cli.overlap.decoding import Decoding
from softdice_cli.records import ClassSums

WORD = 2**32
GRID = 2**64

TILE_PIXELS = 2**19
"""No engine is given more pixels at once: float64 then holds every partial sum of words exactly (2³² · 2¹⁹ < 2⁵³)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen among the values of counted pixels, for the judgement whether they are probabilities.

    Attributes:
        low, high: range of the finite values (before an activation).
        nonfinite: how many are NaN or infinite.
        sum_low, sum_high: range of the sums over the channels, where several are to sum to 1.
        sum_off: how many pixels have a sum out of tolerance.
    """

    low: float = float("inf")
    high: float = float("-inf")
    nonfinite: int = 0
    sum_low: float = float("inf")
    sum_high: float = float("-inf")
    sum_off: int = 0

    def __add__(self, other: Facts) -> Facts:
        return Facts(
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            nonfinite=self.nonfinite + other.nonfinite,
            sum_low=min(self.sum_low, other.sum_low),
            sum_high=max(self.sum_high, other.sum_high),
            sum_off=self.sum_off + other.sum_off,
        )

    def already(self, decoding: Decoding) -> bool:
        """Whether values that a softmax was asked for are probabilities as they stand."""
        if decoding.activation != "softmax":
            return False
        some_sums_seen = self.sum_low <= self.sum_high
        return some_sums_seen and not self.sum_off and self._within(decoding)

    def acceptable(self, decoding: Decoding) -> bool:
        """Whether all values seen are what the decoding says."""
        if self.nonfinite:
            return False
        if self.sum_off and decoding.activation != "softmax":
            return False
        nothing_seen = self.low > self.high
        return decoding.activation != "none" or nothing_seen or self._within(decoding)

    def _within(self, decoding: Decoding) -> bool:
        return self.low >= 0 and self.high <= decoding.top


class Sums(NamedTuple):
    """What an engine adds up for each class; see `Tally`."""

    probability: tuple[int, ...]
    intersection: tuple[int, ...]
    predicted: tuple[int, ...]
    true_positives: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of one or many tiles.

    Attributes:
        probability: Σp of each class, in units of 2⁻⁶⁴ pixels.
        intersection: Σp over the pixels of the class, in the same unit.
        truth, predicted, true_positives: pixels of each class.
        pixels: how many were counted.
        ignored: how many carry an ignore label.
        unknown: how many carry a label that is neither a class nor ignored.
        facts: what was seen among the values; where they are not acceptable, the sums are
            meaningless.
    """

    probability: tuple[int, ...]
    intersection: tuple[int, ...]
    truth: tuple[int, ...]
    predicted: tuple[int, ...]
    true_positives: tuple[int, ...]
    pixels: int = 0
    ignored: int = 0
    unknown: int = 0
    facts: Facts = Facts()

    @staticmethod
    def zero(classes: int) -> Tally:
        """The tally of no pixels."""
        none = (0,) * classes
        return Tally(none, none, none, none, none)

    @staticmethod
    def of(codes: list[int], sums: Sums | None, facts: Facts) -> Tally:
        """The tally of a tile: pixels of each code, and the sums, or ``None`` where the values allow none."""
        classes = len(codes) - 3
        none = (0,) * classes
        sums = sums or Sums(none, none, none, none)
        return Tally(
            probability=sums.probability,
            intersection=sums.intersection,
            truth=tuple(codes[:classes]),
            predicted=sums.predicted,
            true_positives=sums.true_positives,
            pixels=sum(codes[: classes + 1]),
            ignored=codes[classes + 1],
            unknown=codes[classes + 2],
            facts=facts,
        )

    def class_sums(self) -> tuple[ClassSums, ...]:
        """The sums of each class, in pixels: one correctly rounded number each."""
        columns = zip(
            map(to_pixels, self.probability),
            map(to_pixels, self.intersection),
            self.truth,
            self.predicted,
            self.true_positives,
            strict=True,
        )
        return tuple(ClassSums(*column, self.pixels) for column in columns)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            probability=_add(self.probability, other.probability),
            intersection=_add(self.intersection, other.intersection),
            truth=_add(self.truth, other.truth),
            predicted=_add(self.predicted, other.predicted),
            true_positives=_add(self.true_positives, other.true_positives),
            pixels=self.pixels + other.pixels,
            ignored=self.ignored + other.ignored,
            unknown=self.unknown + other.unknown,
            facts=self.facts + other.facts,
        )


def _add(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(left, right, strict=True))


def to_pixels(total: int) -> float:
    """A sum on the grid as the nearest float64, in pixels (division of integers is correctly rounded)."""
    return total / GRID


class Engine(Protocol):
    """Adds up the pixels of tiles on one device."""

    @property
    def name(self) -> str:
        """For messages, e.g. ``numpy`` or ``torch on cuda:0``."""
        ...

    def tile_pixels(self, classes: int) -> int:
        """How many pixels of so many classes make a good tile, at most `TILE_PIXELS`."""
        ...

    def tally(self, values: Any, codes: Any, decoding: Decoding) -> Tally:
        """The tally of one tile.

        Args:
            values: ``(C, n)`` array as stored: floats, or integers with a scale; n ≤ `TILE_PIXELS`.
            codes: ``(n,)`` integer array: the class of each pixel, or one of the codes of `labels`.
            decoding: what the values mean.

        Returns:
            A tally whose sums are exact and do not depend on the device or the order of the pixels.
        """
        ...


@runtime_checkable
class BatchEngine(Engine, Protocol):
    """Adds up many tiles of one shape at once, on a device that works while the program goes on."""

    def batch_size(self, classes: int, pixels: int) -> int:
        """How many tiles of so many classes and pixels make a good batch."""
        ...

    def submit(self, values: Any, codes: Any, decoding: Decoding) -> Callable[[], list[Tally]]:
        """Start adding up a batch of B tiles.

        Args:
            values: ``(B, C, n)`` array as stored.
            codes: ``(B, n)``, as for `tally`.
            decoding: what the values mean.

        Returns:
            A function that waits for the batch and gives the tally of each tile.

        Raises:
            MemoryError: there is too little memory for so many tiles; fewer may fit.
        """
        ...
