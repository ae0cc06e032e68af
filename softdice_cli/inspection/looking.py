"""What is in a file, and how it could be read: facts first, then what they suggest.

This is what a person asks before the first evaluation, or after a refusal. So nothing here is
refused as long as the file can be read, and what is suggested can be typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from softdice_cli.inspection.notes import float_notes, label_notes, picture_notes
from softdice_cli.overlap import tolerance
from softdice_cli.overlap.labels import count_labels
from softdice_cli.readers import Blob, Entry, ReadOptions, Source, list_arrays, read_array
from softdice_cli.readers.labels import as_labels, inverted

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

# Values that are looked at together.
_CHUNK = 2**22

# Labels that are listed; more of them are hardly labels.
_FEW = 256

# An axis that is longer is not taken for one of classes.
_MOST_CHANNELS = 1024


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
class Inverted:
    """What a picture in which 0 is white holds for programs that turn its values round.

    Attributes:
        low: least value.
        high: greatest value.
        labels: how many pixels carry each label; ``None`` if there are more than 256 labels.
    """

    low: float
    high: float
    labels: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Contents:
    """The arrays in a file that holds several.

    Attributes:
        path: the file.
        format: e.g. ``"npz"``.
        arrays: the key, the element type and the shape of each of them.
    """

    path: str
    format: str
    arrays: tuple[Entry, ...]


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
        axes: a letter for each axis where the format says what all of them are, and ``""``
            otherwise.
        palette: for indices of a palette, the colour of each label that occurs.
        inverted: for a picture in which 0 is white, what other programs make of it.
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
    axes: str
    palette: dict[str, str] | None
    inverted: Inverted | None
    notes: tuple[str, ...]


def inspect(path: str, options: ReadOptions) -> Inspection | Contents:
    """Look into a file, or list the arrays of one that holds several and was given without a key.

    Args:
        path: the file.
        options: which array of it, and how large it may be.

    Raises:
        UnreadableError: it cannot be read, or changed while it was.
    """
    if options.key is None:
        form, arrays = list_arrays(Blob(path))
        if len(arrays) > 1:
            return Contents(path, form, tuple(arrays))
        # The one tensor in a dict in a dict.
        if arrays:
            options = replace(options, key=arrays[0].key)
    source = read_array(Blob(path), replace(options, verify=True))
    found = _look(source, path)
    source.check()
    return found


def _look(source: Source, path: str) -> Inspection:
    low, high, nonfinite = _range(source)
    sums: list[ChannelSums] = []
    labels: dict[str, int] | None = None
    if source.array.dtype.kind == "f":
        # NaN and infinity have no sums that say anything.
        axes = [] if nonfinite else _class_axes(source.array.shape)
        sums = [_sums(source, axis) for axis in axes]
        notes = float_notes(source, low, high, [along.axis for along in sums if along.one])
        of_picture: list[str] = []
    else:
        labels = _labels(source)
        notes = label_notes(source, labels)
        of_picture = picture_notes(source)
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
        axes=source.axes,
        palette=_palette(source, labels),
        inverted=_inverted(source),
        notes=(*of_picture, *notes),
    )


def _inverted(source: Source) -> Inverted | None:
    if not source.white_is_zero:
        return None
    turned = inverted(source)
    low, high = turned.span()
    return Inverted(low, high, _labels(turned))


def _palette(source: Source, labels: dict[str, int] | None) -> dict[str, str] | None:
    """The colours of the labels that occur; an index that the palette lacks has none."""
    if source.palette is None or labels is None:
        return None
    colors = source.palette
    return {label: f"#{colors[int(label)]:06x}" for label in labels if int(label) < len(colors)}


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
    # Colours of more than 8 bits, or with transparency, are not packed into one number, and their
    # samples are counted.
    if source.colors and array.dtype == np.uint8 and array.shape[-1] == 3:
        packed = as_labels(source, colors=True).chunks()
        counts = {f"#{value:06x}": count for value, count in count_labels(packed).items()}
    else:
        chunks = (chunk.view(np.uint8) if chunk.dtype.kind == "b" else chunk for chunk in source.chunks())
        counts = {str(value): count for value, count in count_labels(chunks).items()}
    if len(counts) > _FEW:
        return None
    return counts
