"""What the values of predictions look like, and what to type where they are not probabilities.

A hint is drawn from all values that were seen, in one file or in all of a run, and an activation is proposed only for
values that look like what it is for: the softmax of probabilities is a plausible wrong number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from softdice_cli.overlap.full_scale import full_scale, nearest_scale, round_scale
from softdice_cli.records import MAX_LABEL, Activation

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How far below 0 rounding errors may have pushed a probability, or a tenth of how far above 1: logits go further.
_SLIP = 1e-3

# How far sums over the channels may differ, relative to them, and still be one number.
_SAME = 2e-3

# How far the sum of probabilities may lie from 1 in a few pixels whose values are wrong.
_NEAR = 0.02

# Of more labels than this, only numbers very near to 0 are certainly no probabilities.
_FEW_LABELS = 64

# Labels that reach this share of a round number may be the steps of a probability.
_NEARLY_ALL = 0.8

_CHECK = "check what was saved"
_INDEPENDENT = "--multilabel, if the classes are independent"
_UNNORMALIZED = "--allow-unnormalized, if they are exclusive and need not sum to 1"


@dataclass(frozen=True, slots=True)
class SumsSeen:
    """Sums over the channels.

    Attributes:
        low, high: the least and the greatest.
        pixels: how many there are.
        near: how many are nearly 1, or of a single channel, how many values lie in [0, 1].
    """

    low: float = float("-inf")
    high: float = float("inf")
    pixels: int = 0
    near: int = 0

    def joined(self, other: SumsSeen) -> SumsSeen:
        """Those of both."""
        return SumsSeen(
            min(self.low, other.low), max(self.high, other.high), self.pixels + other.pixels, self.near + other.near
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesSeen:
    """What one prediction, or several together, show of their values; see `errors.Evidence`.

    Attributes:
        problem: what is wrong with them.
        classes: how many channels there are.
        activation: what was asked for.
        scale: the stored integer that was said to mean 1.
        reach: the greatest number that the stored type holds; 0 for floats.
        low, high: least and greatest value, after the scale if there is one.
        whole: all are whole numbers.
        like_labels: all integers look like those of a label map.
        sums: of the channels, before a scale or an activation.
    """

    problem: Literal["range", "sums", "integers"]
    classes: int
    activation: Activation = "none"
    scale: int | None = None
    reach: int = 0
    low: float
    high: float
    whole: bool = False
    like_labels: bool = False
    sums: SumsSeen = field(default_factory=SumsSeen)

    @property
    def kind(self) -> object:
        """Equal for what has one cure."""
        return self.problem, self.classes

    def joined(self, other: ValuesSeen) -> ValuesSeen:
        """What both show together."""
        return replace(
            self,
            reach=max(self.reach, other.reach),
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            whole=self.whole and other.whole,
            like_labels=self.like_labels and other.like_labels,
            sums=self.sums.joined(other.sums),
        )

    def hint(self) -> str:
        """What to type."""
        if self.problem == "integers":
            return _of_integers(self)
        if self.problem == "sums":
            return _of_sums(self)
        return _of_range(self)

    @property
    def sum(self) -> float | None:
        """The number that the channels of every pixel sum to, where it is one number."""
        low, high = self.sums.low, self.sums.high
        # Each of so many whole numbers was rounded.
        rounding = self.classes if self.whole else 0
        if not 0 < high < np.inf or high - low > max(_SAME * high, rounding):
            return None
        if self.whole:
            return float(nearest_scale(int(low), int(high), rounding))
        middle = (low + high) / 2
        if abs(middle - round(middle)) < _SAME * middle:
            return float(round(middle))
        return middle


def look_at(chunks: Iterable[NDArray[Any]]) -> tuple[bool, SumsSeen]:
    """Whether all values ``(C, n)`` are whole numbers, and what their sums over the channels are."""
    whole, seen = True, SumsSeen(np.inf, -np.inf)
    for values in chunks:
        if not values.size:
            continue
        whole = whole and bool((values == np.rint(values)).all())
        # One channel after the other, so that the order of the values in memory changes no digit.
        sums = np.zeros(values.shape[1])
        for channel in values:
            sums += channel
        near = np.abs(sums - 1) <= _NEAR
        if len(values) == 1:
            near = (sums >= 0) & (sums <= 1)
        seen = seen.joined(SumsSeen(float(sums.min()), float(sums.max()), sums.size, int(np.count_nonzero(near))))
    return whole, seen


def like_labels(counts: dict[int, int], reach: int) -> bool:
    """Whether integers look like labels: besides the end of their type, few of them, and those near 0."""
    if min(counts) < 0:
        return True
    top = full_scale(max(counts), reach)
    others = [value for value in counts if value != top]
    if len(others) < 2:
        return False
    return max(others) < (top / 2 if len(others) <= _FEW_LABELS else top / 16)


# --- integers ---


def _of_integers(seen: ValuesSeen) -> str:
    labels = "--pred-labels if these are class labels"
    total = seen.sum
    if total is not None and total > 1 and seen.low >= 0:
        return f"{_scale_of_sums(total)}; {labels}"
    top = full_scale(int(seen.high), seen.reach)
    if seen.low < 0 or top > MAX_LABEL:
        return labels
    rounded = round_scale(int(seen.high), top)
    if seen.like_labels and top > 1:
        # Nearly all of a hundred or a thousand steps.
        if rounded is None or seen.high < _NEARLY_ALL * rounded:
            return labels
        return f"{labels}, --scale {rounded} if {rounded} stands for probability 1"
    meaning = "it is one-hot" if top == 1 else f"{top} stands for probability 1"
    ways = [f"--scale {top} if {meaning}"]
    # The greatest value of a map of few sure pixels can be a round number by chance, or lie below one.
    usual = full_scale(int(seen.high) + 1, seen.reach)
    for other in (usual, rounded):
        if other not in (None, top) and top > 1:
            ways.append(f"--scale {other} if {other} does")
    return ", ".join([*ways, labels])


def _scale_of_sums(total: float) -> str:
    return f"--scale {total:.0f}, as the channels sum to {total:.0f} in every pixel"


# --- sums ---


def _of_sums(seen: ValuesSeen) -> str:
    if seen.activation == "sigmoid":
        return f"--activation softmax, if these are logits of exclusive classes; {_INDEPENDENT}; {_UNNORMALIZED}"
    total = seen.sum
    if seen.scale is not None:
        if total is not None and total not in (1, seen.scale):
            return f"{_scale_of_sums(total)}; {_INDEPENDENT}"
        top = full_scale(round(seen.high * seen.scale), seen.reach)
        if top < seen.scale:
            return f"--scale {top}, if {top} stands for probability 1; {_INDEPENDENT}"
    if total is not None and seen.scale is None:
        return f"divide by {total:g} before you save, if {total:g} stands for 1; {_UNNORMALIZED}"
    ways = [_INDEPENDENT, _UNNORMALIZED]
    if seen.sums.high <= (1 + _SLIP) * (seen.scale or 1):
        ways.append("save 1 - p.sum() over the channels as one more channel, in front, if the background has none")
    return "; ".join(ways)


# --- range ---


def _of_range(seen: ValuesSeen) -> str:
    if seen.scale is not None:
        return _of_scaled(seen)
    if seen.low >= -_SLIP and seen.high <= 1 + 10 * _SLIP:
        return "clip before you save: np.clip(p, 0, 1)"
    if seen.activation != "none":
        return _CHECK
    if seen.low < -_SLIP:
        return _of_negative(seen)
    top = _likely_divisor(seen)
    ways = []
    if seen.whole and seen.classes == 1:
        ways.append("--pred-labels, if this is a label map that was saved as floats")
    if top is not None:
        ways.append(f"divide by {top:g} before you save, if {top:g} stands for 1")
    return "; ".join(ways) or f"{_CHECK}: probabilities are at most 1, and of logits some are below 0"


def _of_scaled(seen: ValuesSeen) -> str:
    if seen.low < 0:
        return f"{_CHECK}: no probability is below 0"
    total = seen.sum
    if seen.classes > 1 and total is not None and total <= seen.reach and total != seen.scale:
        return _scale_of_sums(total)
    top = full_scale(round(seen.high * (seen.scale or 1)), seen.reach)
    return f"--scale {top}: it must be the stored value of probability 1"


def _of_negative(seen: ValuesSeen) -> str:
    one = seen.classes == 1
    # Mostly probabilities: their softmax would be a plausible wrong number.
    if seen.sums.near > (0.9 if one else 0.5) * seen.sums.pixels:
        return f"{_CHECK}: most of it looks like probabilities, and no probability is below 0"
    if one and seen.whole:
        return "--pred-labels, if this is a label map that was saved as floats"
    if one and seen.high <= 0:
        return "save np.exp(p), if these are log-probabilities; --activation sigmoid, if these are logits"
    if one:
        return "--activation sigmoid, if these are logits"
    if seen.high <= 0:
        return "--activation softmax, if these are log-probabilities or logits"
    independent = "--multilabel --activation sigmoid, if they are of independent classes"
    return f"--activation softmax, if these are logits; {independent}"


def _likely_divisor(seen: ValuesSeen) -> float | None:
    """What floats were multiplied by, if they look like percentages or like integers that were saved as floats."""
    if seen.classes > 1 and seen.sum is not None:
        return seen.sum
    # Of few whole numbers, these are labels.
    if seen.whole and seen.classes == 1 and seen.high < 100:
        return None
    for top in (100, 255, 65535):
        if top / 3 < seen.high <= top:
            return top
    return None
