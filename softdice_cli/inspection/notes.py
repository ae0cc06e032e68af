"""What the content of a file suggests, a sentence each, with the options that it suggests."""

from __future__ import annotations

import numpy as np

from softdice_cli.overlap.full_scale import full_scale, greatest_of
from softdice_cli.readers import Source

# With more values than this, a file holds probabilities in whole steps rather than labels.
_MANY_LABELS = 64


def picture_notes(source: Source) -> list[str]:
    """What a picture says besides its pixels."""
    notes: list[str] = []
    if source.white_is_zero:
        notes.append(
            "0 is white in this TIFF, and programs differ about its values: --white-is-zero stored, or inverted"
        )
    if source.orientation != 1:
        notes.append(
            f"to be turned before it is shown (EXIF orientation {source.orientation}): other programs may turn it, "
            "and softdice reads it as it is stored"
        )
    if source.palette is not None:
        notes.append("indices of a palette: name the classes by number, or by colour, --class NAME=#rrggbb")
    if source.planes:
        notes.append("planes that are slices or channels, or red, green and blue where the classes are named by colour")
    return notes


def float_notes(source: Source, low: float | None, high: float | None, axes: list[int]) -> list[str]:
    """What the values of floats suggest; along `axes` they sum to 1."""
    if low is None or high is None:
        return ["holds no finite value"]
    if low < 0 or high > 1 + max(1e-6, source.epsilon):
        if low >= 0 and float(low).is_integer() and float(high).is_integer() and high < 2**16:
            return [
                "whole numbers: labels saved as floats (a prediction with --pred-labels), "
                "or probabilities in steps that have to be divided first"
            ]
        # No probability is above 1, so no logarithm of one is above 0.
        kind = "log-probabilities or logits" if high <= 0 else "logits"
        return [f"looks like {kind}: --activation softmax over several channels, sigmoid for one"]
    if axes:
        along = ", ".join(f"axis {axis} ({source.array.shape[axis]} classes)" for axis in axes)
        return [f"probabilities that sum to 1 along {along}"]
    if set(np.unique(next(source.chunks()))) <= {0.0, 1.0}:
        return ["only 0 and 1: a mask saved as floats, or a decided map"]
    return ["probabilities of one class, or of independent ones (--multilabel)"]


def _many_values(source: Source) -> list[str]:
    _, high = map(int, source.span())
    reach = greatest_of(source.array.dtype)
    top = full_scale(high, reach)
    notes = [f"many values: as a prediction, probabilities with --scale {top}, rather than labels"]
    if source.array.dtype.kind == "u" and source.array.ndim == 2:
        notes.append(
            f"as a truth, --foreground '>{full_scale(high + 1, reach) // 2}' for grey levels of one mask, "
            "--foreground nonzero for objects of one class"
        )
    return notes


def label_notes(source: Source, labels: dict[str, int] | None) -> list[str]:
    """What integers suggest, given how many pixels carry each of them."""
    if source.colors:
        notes = ["colours: name each class by its colour, --class NAME=#rrggbb"]
        array = source.load(source.array)
        if (array[..., :1] == array[..., 1:]).all():
            notes.insert(0, "equal channels: a label map of the numbers in each of them")
        return notes
    if labels is None or len(labels) > _MANY_LABELS:
        return _many_values(source)
    values = [int(value) for value in labels]
    if len(values) == 2 and values[0] == 0:
        notes = [f"a mask of one class (0 and {values[1]}), or a label map with --pred-labels"]
        if source.array.ndim > 2:
            notes.append("or a channel for each class along one of its axes: --multilabel, or one-hot")
        return notes
    notes = ["labels: a truth, or a prediction with --pred-labels"]
    if 255 in values and len(values) > 2 and values[-2] < 250:
        notes.append("255 may mark pixels to leave out: --ignore 255")
    return notes
