"""The engine for the CPU: exact sums with NumPy alone.

Everything is a plain pass over rows that lie in a core's cache. What NumPy does slowly (`argmax`
over the first axis, weighted `bincount`, float16 to float32) is written in other ways that give the
same numbers.
"""

from __future__ import annotations

import functools
import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.overlap.confusion import confusion_of
from softdice_cli.overlap.contract import WORD, Facts, Pixels, Sums, Tally
from softdice_cli.overlap.decoding import Decoding
from softdice_cli.overlap.exact import sum_parts, sum_rows
from softdice_cli.overlap.labels import counted, truth_of
from softdice_cli.overlap.sums_to_one import Excess, are_seen, facts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Codes = NDArray[np.integer[Any]]
    Mask = NDArray[np.bool_]

# Values of a tile whose working set stays in a core's cache.
_TILE_VALUES = 2**19

# Other floats by their size in bytes.
_NATIVE = {4: np.float32, 8: np.float64}

# Every float16 is a multiple of this.
_HALF_GRAIN = 2.0**-24


class NumpyEngine:
    """Adds up tiles with NumPy; see `contract.Engine`."""

    name = "numpy"

    def tile_pixels(self, classes: int) -> int:
        """A tile whose working set stays in a core's cache."""
        return max(2**12, min(2**16, _TILE_VALUES // classes))

    def tally(self, values: NDArray[Any], codes: Codes, decoding: Decoding) -> Tally:
        """The tally of one tile; see `contract.Engine.tally`."""
        _keep_freed_memory()
        counts, inside = truth_of(codes, decoding.classes)
        if not counts.pixels:
            return Tally.of(counts, None, Facts(), decoding)
        floats = as_floats(values, decoding.scale)
        grain = _stored_grain(values, decoding)
        labels = _Labels(codes, inside)
        if not counts.ignored and not counts.unknown:
            sums, facts = _measure(floats, labels, decoding, grain)
            return Tally.of(counts, sums, facts, decoding)
        keep = counted(codes, decoding.classes)
        if decoding.activation == "none":
            # Setting what is not kept to 0 is several times faster than taking it out.
            sums, facts = _measure(_blanked(floats, keep), labels, decoding, grain, keep)
            if sums:
                return Tally.of(counts, sums, facts, decoding)
        # An activation would make more than 0 of a 0. And infinity times 0 is NaN, which says
        # nothing about what is kept.
        kept = np.compress(keep, floats, axis=1)
        sums, facts = _measure(kept, labels.kept(keep), decoding, grain)
        return Tally.of(counts, sums, facts, decoding)


@dataclass(frozen=True, slots=True)
class _Labels:
    """The codes of a tile, ``(n,)`` or ``(C, n)``, and the pixels ``(n,)`` of each class that is there."""

    codes: Codes
    inside: dict[int, Mask]

    def kept(self, keep: Mask) -> _Labels:
        """Those of some of the pixels."""
        inside = {channel: mask[keep] for channel, mask in self.inside.items()}
        return _Labels(self.codes[..., keep], inside)


@functools.cache
def _keep_freed_memory() -> None:
    """Allocate and free 16 MB once: glibc then raises its mmap threshold and reuses the memory of smaller arrays.

    Otherwise each array of a tile is mapped anew, and a tile costs a third more, in page faults.
    """
    with suppress(MemoryError):
        np.empty(2**24, np.uint8)


def _stored_grain(values: NDArray[Any], decoding: Decoding) -> float:
    """The grain of the probabilities as their type alone tells it, or 0."""
    if values.dtype == np.float16 and decoding.activation == "none":
        return _HALF_GRAIN
    return 0.0


def as_floats(values: NDArray[Any], scale: int | None) -> Floats:
    """Stored values as float32 or float64 in native byte order and whole rows, exactly; scaled integers as float64."""
    if scale is not None:
        scaled: Floats = np.divide(values, scale, dtype=np.float64)
        return np.ascontiguousarray(scaled)
    if values.dtype.itemsize == 2:
        native = values.astype(values.dtype.newbyteorder("="), copy=False)
        floats: Floats = _every_half().take(native.view(np.uint16))
        return floats
    # Of anything wider, digits would be lost.
    floats = values.astype(_NATIVE[values.dtype.itemsize], copy=False)
    if floats.strides[-1] == floats.itemsize:
        return floats
    return np.ascontiguousarray(floats)


@functools.cache
def _every_half() -> NDArray[np.float32]:
    """Every float16 as float32, in the order of their bits."""
    return np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)


def _blanked(values: Floats, keep: Mask) -> Floats:
    """The values, and 0 where they are not kept."""
    with np.errstate(invalid="ignore"):
        return values * keep.astype(values.dtype)


def _measure(
    values: Floats, labels: _Labels, decoding: Decoding, grain: float, keep: Mask | None = None
) -> tuple[Sums | None, Facts]:
    """The sums of a tile and what was seen.

    Args:
        values: ``(C, n)``; where not `keep`, they are 0.
        labels: of the pixels.
        decoding: what the values mean.
        grain: a power of 2 of which all probabilities are multiples, or 0.
        keep: the pixels ``(n,)`` that count, or ``None`` for all of them.

    Returns:
        No sums where the values are not acceptable.
    """
    best = values.max(axis=0) if decoding.classes > 1 else values[0]
    facts = _range(values, best, keep)
    if not facts.acceptable(decoding):
        return None, facts
    probabilities = _activate(values, decoding)
    if probabilities is not values:
        best = probabilities.max(axis=0)
    if are_seen(decoding, facts):
        # Of a softmax, the sums before it tell whether the values were probabilities already.
        summed = values if decoding.activation == "softmax" else probabilities
        facts += _channel_sums(summed, decoding, keep)
    if not facts.acceptable(decoding):
        return None, facts
    grain = grain or _seen_grain(probabilities, decoding, facts)
    predicted, hits, confusion = _decisions(probabilities, best, labels, decoding, keep)
    sums = Sums(
        probability=sum_rows(probabilities, grain, decoding.words),
        intersection=_sum_inside(probabilities, labels.inside, decoding, grain),
        predicted=predicted,
        true_positives=hits,
        regions=_sum_regions(probabilities, labels.inside, decoding, grain),
        confusion=confusion,
    )
    return sums, facts


def _sum_inside(values: Floats, inside: dict[int, Mask], decoding: Decoding, grain: float) -> tuple[int, ...]:
    """Σp·y of each class."""
    totals = [0] * decoding.classes
    if inside:
        # Taking pixels out by a mask is fast where the mask has runs, as masks of objects have.
        parts = [values[channel][mask] for channel, mask in inside.items()]
        for channel, total in zip(inside, sum_parts(parts, grain, decoding.words), strict=True):
            totals[channel] = total
    return tuple(totals)


def _sum_regions(values: Floats, inside: dict[int, Mask], decoding: Decoding, grain: float) -> tuple[int, ...]:
    """For each region Σp of its classes over the pixels of its classes."""
    totals = []
    for members in decoding.regions:
        masks = [inside[member] for member in members if member in inside]
        if not masks:
            totals.append(0)
            continue
        region = np.logical_or.reduce(masks)
        parts = [values[member][region] for member in members]
        totals.append(sum(sum_parts(parts, grain, decoding.words)))
    return tuple(totals)


def _range(values: Floats, best: Floats, keep: Mask | None) -> Facts:
    """What is seen among values whose greatest of each pixel are `best`; NaN comes through all of this."""
    low = float(values.min()) if keep is None else float(values.min(axis=0)[keep].min())
    high = float(best.max())
    if math.isfinite(low) and math.isfinite(high):
        return Facts(low=low, high=high)
    finite = values[np.isfinite(values)]
    nonfinite = values.size - finite.size
    if not finite.size:
        return Facts(nonfinite=nonfinite)
    return Facts(low=float(finite.min()), high=float(finite.max()), nonfinite=nonfinite)


def _activate(values: Floats, decoding: Decoding) -> Floats:
    """Softmax or sigmoid, in float64; the values themselves without an activation."""
    if decoding.activation == "none":
        return values
    wide = values.astype(np.float64, order="C")
    if decoding.activation == "sigmoid":
        # exp of what is not positive never overflows.
        ratio = np.exp(-np.abs(wide))
        result: Floats = np.where(wide >= 0, 1.0, ratio) / (1.0 + ratio)
        return result
    wide -= wide.max(axis=0)
    np.exp(wide, out=wide)
    # One channel after the other: the order in which NumPy adds along an axis depends on the shape of the tile.
    total = wide[0].copy()
    for channel in wide[1:]:
        total += channel
    wide /= total
    return wide


def _channel_sums(values: Floats, decoding: Decoding, keep: Mask | None) -> Facts:
    """What is seen among the sums over the channels; see `sums_to_one`.

    Float sums tell of nearly all pixels that they are in tolerance, and the exact ones of all others.
    """
    tolerance = decoding.sum_tolerance or 0.0
    sums = values.sum(axis=0)
    if keep is not None:
        sums[~keep] = 1
    # Whatever the order in which C numbers are added, a sum near 1 is off by less than this.
    rounding = (decoding.classes + 2) * float(np.finfo(sums.dtype).eps)
    sure = tolerance - rounding
    if float(sums.min()) >= 1 - sure and float(sums.max()) <= 1 + sure:
        return Facts()
    unsure = np.abs(sums - 1) > sure
    if keep is not None:
        unsure &= keep
    excess = _excess(values[:, unsure])
    off = excess.out_of(tolerance)
    if not off.any():
        return Facts()
    high, low = excess.high[off], excess.low[off]
    least, most = high.min(), high.max()
    return facts_of(
        high.size,
        (int(least), int(low[high == least].min())),
        (int(most), int(low[high == most].max())),
    )


def _excess(values: Floats) -> Excess:
    """How far the sums over the channels ``(C, n)`` lie above 1."""
    scaled = values * values.dtype.type(WORD)
    high = np.rint(scaled)
    low = np.rint((scaled - high) * values.dtype.type(WORD))
    return Excess.of(high.astype(np.int64).sum(axis=0), low.astype(np.int64).sum(axis=0))


def _decisions(
    values: Floats, best: Floats, labels: _Labels, decoding: Decoding, keep: Mask | None
) -> tuple[tuple[int, ...], tuple[int, ...], Pixels]:
    """Predicted pixels and true positives of each class, and what the others were taken for."""
    inside = labels.inside
    chosen = _chosen(values, best, decoding, keep)
    predicted = [int(np.count_nonzero(row)) for row in chosen]
    if decoding.confuses:
        pixels = values.shape[1] if keep is None else int(np.count_nonzero(keep))
        if sum(predicted) > pixels:
            _settle_ties(chosen, predicted)
    hits = [0] * decoding.classes
    for channel, mask in inside.items():
        hits[channel] = int(np.count_nonzero(chosen[channel] & mask))
    confusion: Pixels = {}
    if decoding.confuses:
        confusion = confusion_of(chosen, inside, labels.codes, keep, predicted, hits)
    return tuple(predicted), tuple(hits), confusion


def _chosen(values: Floats, best: Floats, decoding: Decoding, keep: Mask | None) -> Mask:
    """Where each channel is decided for, ``(C, n)``; of several greatest, all, which `_settle_ties` sees to."""
    if decoding.thresholds:
        # Pixels that are not kept are 0, and no threshold is below 0.
        limits = [floor_to(values.dtype, limit) for limit in decoding.thresholds]
        return values > np.array(limits, values.dtype)[:, None]
    chosen: Mask = values == best
    if keep is not None:
        chosen &= keep
    return chosen


def _settle_ties(chosen: Mask, predicted: list[int]) -> None:
    """Take back, from the pixels and their counts, what greatest channels after the first were decided for."""
    tied = np.flatnonzero(np.add.reduce(chosen, axis=0, dtype=np.uint32) > 1)
    rivals = chosen[:, tied]
    # argmax finds the first channel that is True; it keeps its pixel.
    rivals[rivals.argmax(axis=0), np.arange(tied.size)] = False
    chosen[:, tied] &= ~rivals
    for channel, losses in enumerate(rivals):
        predicted[channel] -= int(np.count_nonzero(losses))


def floor_to(dtype: np.dtype[Any], threshold: float) -> np.floating[Any]:
    """The greatest number of this type that is not above the threshold, so that ``p > threshold`` stays exact."""
    rounded: np.floating[Any] = dtype.type(threshold)
    if float(rounded) <= threshold:
        return rounded
    below: np.floating[Any] = np.nextafter(rounded, dtype.type(0))
    return below


def _seen_grain(values: Floats, decoding: Decoding, facts: Facts) -> float:
    """The spacing of the least value, of which all others are multiples; 0 where that is not known."""
    if decoding.activation != "none" or facts.low <= 0:
        return 0.0
    return float(np.spacing(values.dtype.type(facts.low)))
