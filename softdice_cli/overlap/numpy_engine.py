"""The engine for the CPU: exact sums with NumPy alone.

The two words of a probability are kept as floats that hold integers. A tile is small enough for float64 to hold every
partial sum of them exactly, so NumPy may add in any order it likes. Everything is a plain pass over rows that lie in a
core's cache; what NumPy does slowly (`argmax` over the first axis, weighted `bincount`, float16 to float32) is said in
other words.
"""

from __future__ import annotations

import functools
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.overlap.contract import Facts, Rule, Sums, Tally
from softdice_cli.overlap.exact import sum_parts, sum_rows
from softdice_cli.overlap.labels import IGNORED, find_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Codes = NDArray[np.integer[Any]]
    Mask = NDArray[np.bool_]

_TILE_VALUES = 2**19
_KEPT = 2**24
_HALF_GRAIN = 2.0**-24
"""Every float16 is a multiple of this."""


class NumpyEngine:
    """Counts tiles with NumPy; see `contract.Engine`."""

    name = "numpy"

    def __init__(self) -> None:
        with suppress(MemoryError):
            np.empty(_KEPT, np.uint8)  # at once freed: from now on, glibc keeps what smaller arrays leave for the next

    def tile_pixels(self, classes: int) -> int:
        """A tile whose working set stays in a core's cache."""
        return max(2**12, min(2**16, _TILE_VALUES // classes))

    def count(self, values: NDArray[Any], codes: Codes, rule: Rule) -> Tally:
        """The tally of one tile; see `contract.Engine.count`."""
        pixels, inside = find_codes(codes, rule.classes)
        if not any(pixels[: rule.classes + IGNORED]):
            return Tally.of(pixels, None, Facts())
        grain = _HALF_GRAIN if values.dtype == np.float16 and rule.activation == "none" else 0.0
        floats = as_floats(values, rule.scale)
        if not any(pixels[rule.classes + IGNORED :]):
            return Tally.of(pixels, *_measure(floats, inside, rule, grain))
        keep = codes < rule.classes + IGNORED
        if rule.activation == "none":
            with np.errstate(invalid="ignore"):  # infinity times 0, which is seen and done again
                blank = floats * keep.astype(floats.dtype)  # several times faster than to take the kept pixels out
            sums, facts = _measure(blank, inside, rule, grain, keep)
            if sums:
                return Tally.of(pixels, sums, facts)
        kept = np.compress(keep, floats, axis=1)
        return Tally.of(pixels, *_measure(kept, {c: mask[keep] for c, mask in inside.items()}, rule, grain))


def as_floats(values: NDArray[Any], scale: int | None) -> Floats:
    """Stored values as float32 or float64 in native byte order and whole rows, exactly; scaled integers as float64."""
    if scale is not None:
        scaled: Floats = np.divide(values, scale, dtype=np.float64)
        return scaled
    if values.dtype.itemsize == 2:
        native = values.astype(values.dtype.newbyteorder("="), copy=False)
        floats: Floats = _halves().take(native.view(np.uint16))
        return floats
    wide = np.float64 if values.dtype.itemsize == 8 else np.float32
    floats = values.astype(wide, copy=False)
    return floats if floats.strides[-1] == floats.itemsize else np.ascontiguousarray(floats)


@functools.cache
def _halves() -> NDArray[np.float32]:
    """Every float16 as float32, in the order of their bits."""
    return np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)


def _measure(
    values: Floats, inside: dict[int, Mask], rule: Rule, grain: float, keep: Mask | None = None
) -> tuple[Sums | None, Facts]:
    """The sums of a tile, or ``None`` where the values are not acceptable; where not `keep`, the values are 0."""
    best = values.max(axis=0) if rule.classes > 1 else values[0]
    facts = _range(values, best, keep)
    if facts.acceptable(rule):
        stored, values = values, _activate(values, rule)
        best = best if stored is values else values.max(axis=0)
        facts += _channel_sums(stored if rule.activation == "softmax" else values, rule, keep)
    if not facts.acceptable(rule):
        return None, facts
    grain = grain or _grain(values, rule, facts)
    predicted, hits = _decisions(values, best, inside, rule, keep)
    own = [0] * rule.classes
    if inside:
        parts = [values[channel][mask] for channel, mask in inside.items()]  # fast where a mask has runs
        for channel, total in zip(inside, sum_parts(parts, grain), strict=True):
            own[channel] = total
    return Sums(sum_rows(values, grain), tuple(own), predicted, hits), facts


def _range(values: Floats, best: Floats, keep: Mask | None) -> Facts:
    """What is seen among values of which `best` are the greatest of each pixel; NaN comes through all of this."""
    low = float(values.min() if keep is None else values.min(axis=0)[keep].min())
    high = float(best.max())
    if math.isfinite(low) and math.isfinite(high):
        return Facts(low=low, high=high)
    finite = values[np.isfinite(values)]
    seen = Facts(nonfinite=values.size - finite.size)
    return seen + Facts(low=float(finite.min()), high=float(finite.max())) if finite.size else seen


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


def _channel_sums(values: Floats, rule: Rule, keep: Mask | None) -> Facts:
    """Facts about the sums over the channels."""
    if rule.sum_tolerance is None:
        return Facts()
    sums = values.sum(axis=0)
    if keep is not None:
        sums[~keep] = 1
    low, high = float(sums.min()), float(sums.max())
    if low >= 1 - rule.sum_tolerance and high <= 1 + rule.sum_tolerance:
        return Facts(sum_low=low, sum_high=high)
    off = int(np.count_nonzero(np.abs(sums - 1) > rule.sum_tolerance))
    return Facts(sum_low=low, sum_high=high, sum_off=off)


def _decisions(
    values: Floats, best: Floats, inside: dict[int, Mask], rule: Rule, keep: Mask | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Predicted pixels and true positives of each class."""
    chosen = _chosen(values, best, rule, keep)
    picks = [int(np.count_nonzero(row)) for row in chosen]
    hits = [0] * rule.classes
    for channel, mask in inside.items():
        hits[channel] = int(np.count_nonzero(chosen[channel] & mask))
    if rule.classes > 1 and sum(picks) > (values.shape[1] if keep is None else np.count_nonzero(keep)):
        _settle_ties(chosen, inside, picks, hits)
    return tuple(picks), tuple(hits)


def _chosen(values: Floats, best: Floats, rule: Rule, keep: Mask | None) -> Mask:
    """Where each channel is decided for, ``(C, n)``: all of several greatest, which `_settle_ties` sees to."""
    if rule.classes == 1:
        return values > floor_to(values.dtype, rule.threshold)  # not where not `keep`: no threshold is below 0
    chosen: Mask = values == best
    if keep is not None:
        chosen &= keep
    return chosen


def _settle_ties(chosen: Mask, inside: dict[int, Mask], picks: list[int], hits: list[int]) -> None:
    """Take back, in both counts, what was counted for greatest channels after the first."""
    tied = np.flatnonzero(np.add.reduce(chosen, axis=0, dtype=np.uint32) > 1)
    rivals = chosen[:, tied]
    rivals[rivals.argmax(axis=0), np.arange(tied.size)] = False  # argmax: the first that is True
    for channel, losses in enumerate(rivals):
        picks[channel] -= int(np.count_nonzero(losses))
        if channel in inside:
            hits[channel] -= int(np.count_nonzero(losses & inside[channel][tied]))


def floor_to(dtype: np.dtype[Any], threshold: float) -> np.floating[Any]:
    """The greatest number of this type that is not above the threshold, so that ``p > threshold`` stays exact."""
    rounded: np.floating[Any] = dtype.type(threshold)
    return rounded if float(rounded) <= threshold else np.nextafter(rounded, dtype.type(0))


def _grain(values: Floats, rule: Rule, facts: Facts) -> float:
    """The spacing of the least value that is not 0: all others are multiples of it."""
    if rule.activation != "none" or facts.low <= 0:
        return 0.0
    return float(np.spacing(values.dtype.type(facts.low)))
