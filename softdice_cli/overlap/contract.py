"""What an engine takes and gives: one contract, so that every engine can be held to the same bits.

Sums are integers on a 2⁻⁶⁴ grid. A probability p becomes ``high = rint(p·2³²)`` and ``low =
rint((p·2³² − high)·2³²)``; both steps are exact in the float type of p but for the last rounding,
and integers add up to the same total in any order. One correctly rounded float64 per sum leaves
here. For a small ε, what is left of p is cut into more words in the same way; see
`decoding.words_for`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
        sum_off: how many pixels have a sum over the channels that is out of tolerance, where several are to sum to 1.
            It is counted where all values of a tile are in range, on the 2⁻⁶⁴ grid, and so without rounding.
        sum_low, sum_high: range of the sums of these pixels.
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
        if decoding.activation != "softmax" or decoding.sum_tolerance is None or self.nonfinite:
            return False
        return not self.sum_off and self._some_seen and self.within(decoding)

    def acceptable(self, decoding: Decoding) -> bool:
        """Whether all values seen are what the decoding says."""
        if self.nonfinite:
            return False
        if self.sum_off and decoding.activation != "softmax":
            return False
        return decoding.activation != "none" or self.within(decoding)

    def within(self, decoding: Decoding) -> bool:
        """Whether the finite values could be probabilities as they stand."""
        return not self._some_seen or (self.low >= 0 and self.high <= decoding.top)

    @property
    def _some_seen(self) -> bool:
        return self.low <= self.high


class Counts(NamedTuple):
    """The pixels of a tile by what their labels say; see `Tally`."""

    truth: tuple[int, ...]
    pixels: int
    ignored: int
    unknown: int


Pixels = Mapping[tuple[int, int], int]
"""Pixels by predicted and true class, of what is not 0."""


class Sums(NamedTuple):
    """What an engine adds up for each class and region; see `Tally`."""

    probability: tuple[int, ...]
    intersection: tuple[int, ...]
    predicted: tuple[int, ...]
    true_positives: tuple[int, ...]
    regions: tuple[int, ...] = ()
    confusion: Pixels = {}  # noqa: RUF012 - never changed

    @staticmethod
    def zero(classes: int, regions: int) -> Sums:
        """The sums of no pixels."""
        none = (0,) * classes
        return Sums(none, none, none, none, (0,) * regions)


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of one or many tiles.

    Attributes:
        probability: Σp of each class, in units of the grid.
        intersection: Σp over the pixels of the class, in the same unit.
        truth, predicted, true_positives: pixels of each class.
        regions: for each region Σp of its classes over the pixels of its classes, in the same unit.
        confusion: pixels of one class that were decided to be of another, by the places of both.
        pixels: how many were counted.
        ignored: how many carry an ignore label.
        unknown: how many carry a label that is neither a class nor ignored.
        facts: what was seen among the values; where they are not acceptable, the sums are
            meaningless.
        grid: how many units a pixel has, which is 2⁶⁴ unless ε is small.
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
    regions: tuple[int, ...] = ()
    confusion: Pixels = field(default_factory=dict)
    grid: int = GRID

    @staticmethod
    def zero(decoding: Decoding) -> Tally:
        """The tally of no pixels."""
        return Tally.of(Counts((0,) * decoding.classes, 0, 0, 0), None, Facts(), decoding)

    @staticmethod
    def of(counts: Counts, sums: Sums | None, facts: Facts, decoding: Decoding) -> Tally:
        """The tally of a tile: what its labels are, and its sums, or ``None`` where the values allow none."""
        if sums is None:
            sums = Sums.zero(decoding.classes, len(decoding.regions))
        return Tally(
            probability=sums.probability,
            intersection=sums.intersection,
            truth=counts.truth,
            predicted=sums.predicted,
            true_positives=sums.true_positives,
            pixels=counts.pixels,
            ignored=counts.ignored,
            unknown=counts.unknown,
            facts=facts,
            regions=sums.regions,
            confusion=sums.confusion,
            grid=decoding.grid,
        )

    def class_sums(self) -> tuple[ClassSums, ...]:
        """The sums of each class, in pixels: one correctly rounded number each."""
        columns = zip(
            [to_pixels(total, self.grid) for total in self.probability],
            [to_pixels(total, self.grid) for total in self.intersection],
            self.truth,
            self.predicted,
            self.true_positives,
            strict=True,
        )
        return tuple(ClassSums(*column, self.pixels) for column in columns)

    def region_sums(self, regions: Sequence[Sequence[int]]) -> tuple[ClassSums, ...]:
        """The sums of each region, given its classes: a pixel is decided to be of a region if it is of one of them."""
        return tuple(map(self._of_region, self.regions, regions))

    def _of_region(self, intersection: int, members: Sequence[int]) -> ClassSums:
        inside = [self.true_positives[member] for member in members]
        for (predicted, true), pixels in self.confusion.items():
            if predicted in members and true in members:
                inside.append(pixels)
        return ClassSums(
            probability=to_pixels(sum(self.probability[member] for member in members), self.grid),
            intersection=to_pixels(intersection, self.grid),
            truth=sum(self.truth[member] for member in members),
            predicted=sum(self.predicted[member] for member in members),
            true_positives=sum(inside),
            pixels=self.pixels,
        )

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
            regions=_add(self.regions, other.regions),
            confusion=_together(self.confusion, other.confusion),
            grid=self.grid,
        )


def _together(one: Pixels, other: Pixels) -> Pixels:
    if not one or not other:
        return one or other
    total = dict(one)
    for key, pixels in other.items():
        total[key] = total.get(key, 0) + pixels
    return total


def _add(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(left, right, strict=True))


def to_pixels(total: int, grid: int = GRID) -> float:
    """A sum on the grid as the nearest float64, in pixels (division of integers is correctly rounded)."""
    return total / grid


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
            codes: ``(n,)`` integer array: the class of each pixel, or one of the codes of `codes`; of
                independent channels ``(C, n)``, where each row holds the codes of a single class.
            decoding: what the values mean.

        Returns:
            A tally whose sums are exact and do not depend on the device or the order of the pixels. It holds the
            intersection of each region of the decoding, and the confusion where `Decoding.confuses`.
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
            codes: ``(B, n)`` or ``(B, C, n)``, as for `tally`.
            decoding: what the values mean.

        Returns:
            A function that waits for the batch and gives the tally of each tile.

        Raises:
            MemoryError: there is too little memory for so many tiles; fewer may fit.
        """
        ...
