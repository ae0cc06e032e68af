"""What is in a file, and how it could be read: facts first, then what they suggest.

This is what a person asks before the first evaluation, or after a refusal. So nothing here is
refused as long as the file can be read, and what is suggested can be typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from softdice_cli.overlap import tolerance
from softdice_cli.overlap.labels import count_labels
from softdice_cli.readers import Blob, ReadOptions, Source, read_array
from softdice_cli.readers.labels import as_labels

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

# Values that are looked at together.
_CHUNK = 2**22

# Labels that are listed; more of them are hardly labels.
_FEW = 256

# An axis that is longer is not taken for one of classes.
_MOST_CHANNELS = 1024

# With more values than this, a file holds probabilities in whole steps rather than labels.
_MANY_LABELS = 64


@dataclass(frozen=True, slots=True)
class ChannelSums:
    """Sums along an axis that could hold the classes.

    Attributes:
        axis: which axis of the array.
        low: least sum.
        high: greatest sum.
        one: whether all sums are 1, as far as the rounding of the stored type allows.
    """

    axis: int
    low: float
    high: float
    one: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is in a file.

    Attributes:
        path: the file.
        format: e.g. ``"npy"``.
        shape: as stored.
        dtype: element type as stored.
        low: least finite value, or ``None`` if there is none.
        high: greatest finite value.
        nonfinite: how many values are NaN or infinite.
        sums: for floats, the sums along each axis that could hold classes.
        labels: for integers, how many pixels carry each label; ``None`` if there are more than 256
            labels.
        notes: what this suggests, a sentence each.
    """

    path: str
    format: str
    shape: tuple[int, ...]
    dtype: str
    low: float | None
    high: float | None
    nonfinite: int
    sums: tuple[ChannelSums, ...]
    labels: dict[str, int] | None
    notes: tuple[str, ...]


def inspect(path: str, options: ReadOptions) -> Inspection:
    """Look into a file.

    Args:
        path: the file.
        options: which array of it, and how large it may be.

    Raises:
        UnreadableError: it cannot be read.
    """
    source = read_array(Blob(path), options)
    low, high, nonfinite = _range(source)
    sums: list[ChannelSums] = []
    labels: dict[str, int] | None = None
    if source.array.dtype.kind == "f":
        # NaN and infinity have no sums that say anything.
        axes = [] if nonfinite else _class_axes(source.array.shape)
        sums = [_sums(source, axis) for axis in axes]
        notes = _float_notes(source, low, high, sums)
    else:
        labels = _labels(source)
        notes = _label_notes(source, labels)
    return Inspection(
        path=path,
        format=source.format,
        shape=source.array.shape,
        dtype=source.stored,
        low=low,
        high=high,
        nonfinite=nonfinite,
        sums=tuple(sums),
        labels=labels,
        notes=tuple(notes),
    )


def _range(source: Source) -> tuple[float | None, float | None, int]:
    low, high, nonfinite = np.inf, -np.inf, 0
    for part in source.chunks():
        finite = part[np.isfinite(part)]
        nonfinite += part.size - finite.size
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    # Not one value was finite.
    if low > high:
        return None, None, nonfinite
    return low, high, nonfinite


def _class_axes(shape: tuple[int, ...]) -> list[int]:
    """The axes that could hold classes: first, last, and second of a batch."""
    if len(shape) < 3:
        return []
    candidates = [0, len(shape) - 1]
    # Behind the axis of a batch.
    if len(shape) > 3:
        candidates.insert(1, 1)
    return [axis for axis in candidates if 1 < shape[axis] <= _MOST_CHANNELS]


def _sums(source: Source, axis: int) -> ChannelSums:
    low, high = np.inf, -np.inf
    for part in _parts(np.moveaxis(source.array, axis, 0)):
        sums = source.load(part).sum(axis=0, dtype=np.float64)
        low, high = min(low, float(sums.min())), max(high, float(sums.max()))
    margin = tolerance(source.epsilon)
    return ChannelSums(axis, low, high, abs(low - 1) <= margin and abs(high - 1) <= margin)


def _parts(array: Array) -> Iterator[Array]:
    """Views that together are an array, none of which is large; the first axis stays whole."""
    longest = max(range(1, array.ndim), key=lambda axis: array.shape[axis])
    if array.size <= _CHUNK or array.shape[longest] == 1:
        yield array
        return
    for half in np.array_split(array, 2, axis=longest):
        yield from _parts(half)


def _labels(source: Source) -> dict[str, int] | None:
    array = source.array
    # Colours of more than 8 bits are not packed into one number, and their samples are counted.
    if source.colors and array.dtype == np.uint8:
        packed = as_labels(source, colors=True).chunks()
        counts = {f"#{value:06x}": count for value, count in count_labels(packed).items()}
    else:
        chunks = (chunk.view(np.uint8) if chunk.dtype.kind == "b" else chunk for chunk in source.chunks())
        counts = {str(value): count for value, count in count_labels(chunks).items()}
    if len(counts) > _FEW:
        return None
    return counts


def _float_notes(source: Source, low: float | None, high: float | None, sums: list[ChannelSums]) -> list[str]:
    if low is None or high is None:
        return ["holds no finite value"]
    if low < 0 or high > 1 + max(1e-6, source.epsilon):
        if low >= 0 and float(low).is_integer() and float(high).is_integer() and high < 2**16:
            return ["whole numbers: labels saved as floats, or probabilities in steps that have to be divided first"]
        # No probability is above 1, so no logarithm of one is above 0.
        kind = "log-probabilities or logits" if high <= 0 else "logits"
        return [f"looks like {kind}: --activation softmax over several channels, sigmoid for one"]
    axes = [f"axis {s.axis} ({source.array.shape[s.axis]} classes)" for s in sums if s.one]
    if axes:
        return [f"probabilities that sum to 1 along {', '.join(axes)}"]
    if set(np.unique(next(source.chunks()))) <= {0.0, 1.0}:
        return ["only 0 and 1: a mask saved as floats, or a decided map"]
    return ["probabilities of one class, or of independent ones (--allow-unnormalized)"]


def _label_notes(source: Source, labels: dict[str, int] | None) -> list[str]:
    top = 65535 if source.array.dtype.itemsize == 2 else 255
    if source.colors:
        return ["colours: name each class by its colour, --class NAME=#rrggbb"]
    if labels is None or len(labels) > _MANY_LABELS:
        return [f"many values: probabilities with --scale {top}, rather than labels"]
    values = [int(value) for value in labels]
    if len(values) == 2 and values[0] == 0:
        return [f"a mask of one class (0 and {values[1]}), or a label map with --pred-labels"]
    notes = ["labels: a truth, or a prediction with --pred-labels"]
    if 255 in values and len(values) > 2 and values[-2] < 250:
        notes.append("255 may mark pixels to leave out: --ignore 255")
    return notes
