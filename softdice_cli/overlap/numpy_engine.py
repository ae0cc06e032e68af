"""The engine for the CPU: exact sums with NumPy alone.

The two words of a probability are kept as floats that hold integers. A tile is small enough for float64 to hold every
partial sum of them exactly, so NumPy may add in any order it likes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softdice_cli.overlap.contract import WORD, Facts, Rule, Sums, Tally
from softdice_cli.overlap.labels import IGNORED

Floats = NDArray[np.floating[Any]]


class NumpyEngine:
    """Counts tiles with NumPy; see `contract.Engine`."""

    name = "numpy"

    def tile_pixels(self, classes: int) -> int:
        """A tile whose working set stays in a core's cache."""
        return max(2**12, min(2**16, 2**18 // classes))

    def count(self, values: NDArray[Any], codes: NDArray[np.intp], rule: Rule) -> Tally:
        """The tally of one tile; see `contract.Engine.count`."""
        pixels = np.bincount(codes, minlength=rule.classes + 3).tolist()
        if any(pixels[rule.classes + IGNORED :]):
            keep = codes < rule.classes + IGNORED
            values, codes = values[:, keep], codes[keep]
        if not codes.size:
            return Tally.of(pixels, None, Facts())
        floats = as_floats(values, rule.scale)
        facts = _range(floats)
        if facts.acceptable(rule):
            stored, floats = floats, _activate(floats, rule)
            facts += _channel_sums(stored if rule.activation == "softmax" else floats, rule)
        sums = _add(floats, codes, rule) if facts.acceptable(rule) else None
        return Tally.of(pixels, sums, facts)


def as_floats(values: NDArray[Any], scale: int | None) -> Floats:
    """Stored values as contiguous float32 or float64 in native byte order, exactly; scaled integers as float64."""
    if scale is not None:
        scaled: Floats = np.divide(values, scale, dtype=np.float64)
        return scaled
    wide = np.float64 if values.dtype.itemsize > 4 else np.float32
    return np.ascontiguousarray(values, dtype=wide)


def _range(values: Floats) -> Facts:
    if not values.size:  # of a tile without one finite value
        return Facts()
    low, high = float(values.min()), float(values.max())
    if math.isfinite(low) and math.isfinite(high):
        return Facts(low=low, high=high)
    finite = values[np.isfinite(values)]
    nonfinite = values.size - finite.size
    return _range(finite) + Facts(nonfinite=nonfinite)


def _activate(values: Floats, rule: Rule) -> Floats:
    """Softmax or sigmoid, in float64."""
    if rule.activation == "none":
        return values
    wide = values.astype(np.float64)
    if rule.activation == "sigmoid":
        ratio = np.exp(-np.abs(wide))
        result: Floats = np.where(wide >= 0, 1.0, ratio) / (1.0 + ratio)
        return result
    wide -= wide.max(axis=0)
    np.exp(wide, out=wide)
    wide /= wide.sum(axis=0)
    return wide


def _channel_sums(values: Floats, rule: Rule) -> Facts:
    """Facts about the sums over the channels."""
    if rule.sum_tolerance is None:
        return Facts()
    sums = values.sum(axis=0)
    low, high = float(sums.min()), float(sums.max())
    if low >= 1 - rule.sum_tolerance and high <= 1 + rule.sum_tolerance:
        return Facts(sum_low=low, sum_high=high)
    off = int(np.count_nonzero(np.abs(sums - 1) > rule.sum_tolerance))
    return Facts(sum_low=low, sum_high=high, sum_off=off)


def _add(values: Floats, codes: NDArray[np.intp], rule: Rule) -> Sums:
    decided = decide(values, rule)
    inside, own = _own_channel(values, codes, rule)
    return Sums(
        probability=tuple(map(exact_sum, values)),
        intersection=_exact_sums_by_class(own, inside, rule.classes),
        predicted=_pixels_by_class(decided, rule.classes),
        true_positives=_pixels_by_class(codes[decided == codes], rule.classes),
    )


def _pixels_by_class(codes: NDArray[np.intp], classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(codes, minlength=classes)[:classes].tolist())


def decide(values: Floats, rule: Rule) -> NDArray[np.intp]:
    """The hard decision of each pixel, ``(n,)``: the first greatest channel, or class 0 / no class for one channel."""
    if rule.classes == 1:
        return np.where(values[0] > floor_to(values.dtype, rule.threshold), 0, 1)
    best = values.max(axis=0)
    small = np.uint8 if rule.classes <= 256 else np.uint16 if rule.classes <= 2**16 else np.uint32
    top = np.iinfo(small).max
    # a channel that reaches the maximum bids top − channel, and the greatest bid is the first such channel: three plain
    # passes over small integers, where a masked copy would take one slow one
    bids = np.zeros(best.shape, small)
    for channel in range(rule.classes):
        np.maximum(bids, (values[channel] == best) * small(top - channel), out=bids)
    return (top - bids).astype(np.intp)


def floor_to(dtype: np.dtype[Any], threshold: float) -> np.floating[Any]:
    """The greatest number of this type that is not above the threshold, so that ``p > threshold`` stays exact."""
    rounded: np.floating[Any] = dtype.type(threshold)
    return rounded if float(rounded) <= threshold else np.nextafter(rounded, dtype.type(0))


def _own_channel(values: Floats, codes: NDArray[np.intp], rule: Rule) -> tuple[NDArray[np.intp], Floats]:
    """The classes of the pixels that have one, and at each of them the probability of that class."""
    places = np.flatnonzero(codes < rule.classes) if rule.classes == 1 else np.arange(codes.size)
    inside = codes[places]
    return inside, values.reshape(-1).take(inside * values.shape[1] + places)


def exact_sum(values: Floats) -> int:
    """Σ of up to `TILE_PIXELS` probabilities on the 2⁻⁶⁴ grid."""
    high, low = _words(values)
    return int(high.sum(dtype=np.float64)) * WORD + (0 if low is None else int(low.sum(dtype=np.float64)))


def _exact_sums_by_class(values: Floats, classes: NDArray[np.intp], count: int) -> tuple[int, ...]:
    high, low = _words(values)
    highs = np.bincount(classes, weights=high, minlength=count)
    lows = np.bincount(classes, weights=low, minlength=count) if low is not None else np.zeros(count)
    return tuple(int(h) * WORD + int(m) for h, m in zip(highs, lows, strict=True))


def _words(values: Floats) -> tuple[Floats, Floats | None]:
    """The high and the low word of each probability; ``None`` where no value needs a low one."""
    scaled = values * values.dtype.type(WORD)
    high = np.rint(scaled)
    scaled -= high
    if not scaled.any():
        return high, None
    scaled *= values.dtype.type(WORD)
    return high, np.rint(scaled, out=scaled)
