"""What an engine takes and gives: one contract, so that every engine can be held to the same bits.

Sums are integers on a 2⁻⁶⁴ grid. A probability p becomes ``high = rint(p·2³²)`` and ``low = rint((p·2³² − high)·2³²)``;
both steps are exact in the float type of p but for the last rounding, and integers add up to the same total in any
order. One correctly rounded float64 per sum leaves here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from softdice_cli.records import Activation, ClassSums, Settings

WORD = 2**32
GRID = 2**64

_MOST_QUANTIZED = 0.1
"""However many channels are stored in steps, their sum may not lie further from 1 than this."""

TILE_PIXELS = 2**19
"""No engine is given more pixels at once: float64 then holds every partial sum of words exactly (2³² · 2¹⁹ < 2⁵³)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How stored values become probabilities and decisions.

    Attributes:
        classes: how many channels there are.
        scale: the stored integer that means 1, or ``None``.
        activation: softmax over the channels, sigmoid, or none.
        threshold: one channel is foreground where p is greater.
        sum_tolerance: how far the sum over several channels may lie from 1, or ``None`` not to ask; before a softmax,
            how near to 1 it has to be for the values to be probabilities already.
        top: the greatest probability that passes: 1 and the rounding of the stored type.
    """

    classes: int
    scale: int | None
    activation: Activation
    threshold: float
    sum_tolerance: float | None
    top: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen among the values of counted pixels, for the judgement whether they are probabilities.

    Attributes:
        low, high: range of the finite values as given to the rule (before an activation).
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

    def already(self, rule: Rule) -> bool:
        """Whether values that a softmax was asked for are probabilities as they stand."""
        ones = rule.activation == "softmax" and not self.sum_off and self.sum_low <= self.sum_high
        return ones and self.low >= 0 and self.high <= rule.top

    def acceptable(self, rule: Rule) -> bool:
        """Whether all values seen are probabilities under the rule."""
        if self.nonfinite or (self.sum_off and rule.activation != "softmax"):
            return False
        return rule.activation != "none" or (self.low >= 0 and self.high <= rule.top) or self.low > self.high


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
        facts: what was seen among the values; where they are not acceptable, the sums mean nothing.
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
    """Counts tiles on one device."""

    @property
    def name(self) -> str:
        """For messages, e.g. ``numpy`` or ``torch on cuda:0``."""
        ...

    def tile_pixels(self, classes: int) -> int:
        """How many pixels of so many classes it likes to be given at once, at most `TILE_PIXELS`."""
        ...

    def count(self, values: Any, codes: Any, rule: Rule) -> Tally:
        """The tally of one tile.

        Args:
            values: ``(C, n)`` array as stored: floats, or integers with a scale; n ≤ `TILE_PIXELS`.
            codes: ``(n,)`` integer array: the class of each pixel, or one of the codes of `labels`.
            rule: what to do with the values.

        Returns:
            A tally whose sums are exact and do not depend on the device or the order of the pixels.
        """
        ...


@runtime_checkable
class BatchEngine(Engine, Protocol):
    """Counts many images of one shape at once, on a device that works while the program goes on."""

    def batch_size(self, classes: int, pixels: int) -> int:
        """How many images of so many classes and pixels it likes to be given at once."""
        ...

    def submit(self, values: Any, codes: Any, rule: Rule) -> Callable[[], list[Tally]]:
        """Start counting a batch.

        Args:
            values: ``(B, C, n)`` array as stored.
            codes: ``(B, n)``, as for `count`.
            rule: what to do with the values.

        Returns:
            A function that waits for the batch and gives the tally of each image.

        Raises:
            MemoryError: the device has too little for so many; fewer may fit.
        """
        ...


def tolerance(epsilon: float) -> float:
    """How far sums of probabilities may lie from 1: four units of rounding (half an epsilon), and 0.001 at least.

    That is 0.001 for float32 and float64, 0.002 for float16 and 0.016 for bfloat16: rounding passes, another scale or
    logits do not.
    """
    return max(1e-3, 2 * epsilon)


def rule_for(settings: Settings, epsilon: float) -> Rule:
    """The rule that the settings mean for values stored with this rounding.

    Args:
        settings: with the classes resolved.
        epsilon: spacing above 1 of the stored float type; for integers with a scale, the size of one step.
    """
    classes = len(settings.classes)
    steps = settings.scale is not None
    wide = min(classes * epsilon + 1e-6, _MOST_QUANTIZED) if steps else tolerance(epsilon)
    asked = classes > 1 and (settings.normalized or settings.activation == "softmax")
    return Rule(
        classes=classes,
        scale=settings.scale,
        activation=settings.activation,
        threshold=settings.threshold,
        sum_tolerance=wide if asked else None,
        top=1.0 if steps else 1 + max(1e-6, epsilon),
    )
