"""A truth with an axis of classes is not a volume: where shapes alone cannot tell, somebody has to say which it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.errors import InputError, LabelError, LayoutError
from softdice_cli.evaluation.seen_labels import VOID
from softdice_cli.layout import SPATIAL, Layout
from softdice_cli.layout.channels import class_axes, likely_lengths, possible_class_axes
from softdice_cli.layout.fits import given
from softdice_cli.readers import Source
from softdice_cli.records import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How far sums over an axis may lie from 1 for the axis to number exclusive classes; those over the
# slices of a volume lie anywhere.
_NEAR = 0.1


def refuse_channels(prediction: Source, truth: Source, fit: Layout, settings: Settings) -> InputError | None:
    """The error for a truth whose axes could as well number classes; ``None`` where they cannot.

    Args:
        prediction: as read.
        truth: as labels, of the same shape but for axes of length 1.
        fit: the reading as one class.
        settings: as asked for.
    """
    if not possible_class_axes(fit) or settings.multilabel:
        return None
    seen = [_along(truth, axis) for axis in class_axes(truth.array.shape)]
    for along in seen:
        if not along.overlap and not along.empty:
            return _one_hot(truth, along)
    maps = settings.prediction == "labels"
    if not maps:
        for along in sorted(seen, key=lambda along: along.overlap):
            if _sums_to_one(prediction, truth, along.axis, settings):
                return _exclusive(truth, along)
    if maps or len(settings.classes) == 1 or _is_volume(prediction) or _is_volume(truth):
        return None
    from softdice_cli.evaluation.value_refusals import refuse_label_map

    return refuse_label_map(prediction) or _either(prediction, truth, seen, settings, fit)


@dataclass(frozen=True, slots=True)
class _Along:
    """What is seen along an axis of a truth.

    Attributes:
        axis: which.
        overlap: some pixel has a label in several places.
        empty: how many pixels have none at all.
        void: how many of these have 255 in all places, beside other labels elsewhere.
    """

    axis: int
    overlap: bool
    empty: int
    void: int

    def name(self, axes: int) -> int:
        """The axis as people name it: the last one is -1."""
        return -1 if self.axis == axes - 1 else self.axis


def _along(truth: Source, axis: int) -> _Along:
    """Look along an axis of a truth, until some pixel has two labels."""
    lines = np.moveaxis(truth.array, axis, 0)
    empty, void, others = 0, 0, False
    for index in range(lines.shape[1]):
        labels = truth.load(lines[:, index])
        places = np.count_nonzero(labels, axis=0)
        left_out = (labels == VOID).all(axis=0)
        void += int(np.count_nonzero(left_out))
        others = others or bool(((labels != 0) & (labels != VOID)).any())
        empty += int(np.count_nonzero(places == 0))
        if (places[~left_out] > 1).any():
            return _Along(axis, True, 0, 0)
    # 255 in all places means something else only where the classes have another label.
    if void and not others:
        return _Along(axis, True, 0, 0)
    return _Along(axis, False, empty + void, void)


def _is_volume(source: Source) -> bool:
    """Whether the format says that the axes are those of space, as the pages of a TIFF are slices."""
    return bool(source.axes) and "C" not in source.axes


def _sums_to_one(prediction: Source, truth: Source, axis: int, settings: Settings) -> bool:
    """Whether the values of a prediction sum to 1 along an axis of the truth, as those of exclusive classes do."""
    if settings.activation == "softmax":
        # Somebody has said that there are exclusive classes, and the truth has them along one of its axes.
        return True
    lengths = [length for length in truth.array.shape[:axis] if length > 1]
    long = [place for place, length in enumerate(prediction.array.shape) if length > 1]
    lines = np.moveaxis(prediction.array, long[len(lengths)], 0)
    rows = (prediction.load(lines[:, index]) for index in range(lines.shape[1]))
    return all(_near_one(values, settings.scale) for values in rows)


def _near_one(values: NDArray[Any], scale: int | None) -> bool:
    sums = values.sum(axis=0, dtype=np.float64) / (scale or 1)
    return bool((np.abs(sums - 1) <= _NEAR).all())


def _one_hot(truth: Source, along: _Along) -> LabelError:
    axis = along.name(truth.array.ndim)
    return LabelError(
        "looks one-hot: along one axis, every pixel has exactly one label",
        path=truth.name,
        expected="one label per pixel",
        found=truth.describe(),
        hint=f"save np.argmax(mask, axis={axis})",
    )


def _exclusive(truth: Source, along: _Along) -> LabelError:
    """The error for a truth with a channel for each class of a prediction whose classes exclude each other."""
    axis = along.name(truth.array.ndim)
    if along.overlap:
        return LabelError(
            f"has pixels of several classes along axis {axis}, and the prediction sums to 1 over its classes there",
            path=truth.name,
            expected="one label per pixel",
            found=truth.describe(),
            hint="save one label per pixel; --multilabel, if each channel is to be compared by itself",
        )
    return LabelError(
        "looks one-hot with pixels that are of no class: along one axis, no pixel has two labels, "
        "and the prediction sums to 1",
        path=truth.name,
        expected="one label per pixel",
        found=f"{truth.describe()}, {along.empty} px of no class",
        hint=f"{_labels_of(along, axis)}, and --ignore 255, if those pixels are to be left out",
    )


def _labels_of(along: _Along, axis: int) -> str:
    """How labels are made of a one-hot truth with pixels of no class."""
    one = f"mask.any(axis={axis})"
    if along.void:
        one = f"(mask.any(axis={axis}) & (mask != 255).any(axis={axis}))"
    return f"save np.where({one}, np.argmax(mask, axis={axis}), 255)"


def _either(prediction: Source, truth: Source, seen: list[_Along], settings: Settings, fit: Layout) -> LayoutError:
    shape = truth.array.shape
    ways = _independent(prediction, truth, [along.axis for along in seen])
    likely = likely_lengths(shape[along.axis] for along in seen)
    for along in seen:
        if not along.overlap and shape[along.axis] in likely:
            made = _labels_of(along, along.name(truth.array.ndim))
            ways.append(f"{made}, and --ignore 255, if the mask is one-hot with pixels to leave out")
    # Whoever has named several classes has not one.
    if not settings.classes:
        ways += _of_one_class(prediction, truth, fit)
    return LayoutError(
        "can be a volume of one class, or hold a channel for each of several classes, as the mask has the same shape",
        path=prediction.name,
        expected="a mask without an axis of classes, or a word about what the axes are",
        found=f"prediction {prediction.array.shape}, mask {truth.name} {shape}",
        hint="; ".join(ways),
    )


def _of_one_class(prediction: Source, truth: Source, fit: Layout) -> list[str]:
    """The layouts of a volume, and of images, of one class; only what can be typed."""
    # An axis of length 1 that is left out has no letter of its own.
    volume = fit.letters.replace("1", "" if "B" in fit.letters else "B")
    images = fit.letters.replace("1", "").replace("D", "B", 1)
    ways = []
    for letters, what in ((volume, "a volume"), (images, "images")):
        if "B" in letters[1:] or (what == "images" and "B" not in letters):
            continue
        if given(prediction.array.shape, truth.array.shape, letters):
            ways.append(f"--layout {letters}, if it is {what} of one class")
    return ways


def _independent(prediction: Source, truth: Source, axes: list[int]) -> list[str]:
    """The options for an axis of independent classes; where several could be that axis, for the shortest of them."""
    shape = truth.array.shape
    likely = likely_lengths(shape[axis] for axis in axes)
    shortest = min(likely)
    possible = [axis for axis in axes if shape[axis] in likely]
    if len(possible) == 1 or 1 in shape or shape != prediction.array.shape:
        return ["--multilabel, if one axis numbers independent classes"]
    ways = []
    for axis in possible:
        if shape[axis] == shortest:
            ways.append(f"--multilabel --layout {_letters(axis, len(shape))}, if C numbers independent classes")
    return ways


def _letters(axis: int, axes: int) -> str:
    """The layout of so many axes, of which one numbers the classes."""
    if 0 < axis < axes - 1:
        return "BC" + SPATIAL[2 - axes :]
    space = SPATIAL[1 - axes :]
    return f"C{space}" if axis == 0 else f"{space}C"
