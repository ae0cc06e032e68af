"""A truth with an axis of classes is not a volume: where shapes alone cannot tell, somebody has to say which it is."""

from __future__ import annotations

import numpy as np

from softdice_cli.errors import LabelError, LayoutError, SoftdiceError
from softdice_cli.layout import SPATIAL, Layout
from softdice_cli.layout.channels import outer_axes, possible_class_axes
from softdice_cli.overlap import tolerance
from softdice_cli.readers import Source
from softdice_cli.records import Settings


def refuse_channels(prediction: Source, truth: Source, fit: Layout, settings: Settings) -> SoftdiceError | None:
    """The error for a truth whose axes could as well number classes; ``None`` where they cannot.

    Args:
        prediction: as read.
        truth: as labels, of the same shape but for axes of length 1.
        fit: the reading as one class.
        settings: as asked for.
    """
    if not possible_class_axes(fit) or settings.multilabel:
        return None
    lines = _axis_of_truth(truth)
    if lines and lines[1].exact:
        return _one_hot(truth, lines[0])
    named = settings.prediction == "labels" or len(settings.classes) == 1
    if named or _is_volume(prediction) or _is_volume(truth):
        return None
    if lines and truth.array.shape == prediction.array.shape and _sums_to_one(prediction, lines[0]):
        return _one_hot_with_void(truth, *lines)
    return _either(prediction, truth, settings)


class _Lines:
    """What is seen along an axis of a truth.

    Attributes:
        exact: each pixel has a label in exactly one place.
        overlap: some pixel has one in several places.
        empty: how many pixels have none at all.
    """

    def __init__(self, truth: Source, axis: int) -> None:
        self.empty, self.overlap = 0, False
        lines = np.moveaxis(truth.array, axis, 0)
        for index in range(lines.shape[1]):
            labels_in_lines = np.count_nonzero(truth.load(lines[:, index]), axis=0)
            self.overlap = bool((labels_in_lines > 1).any())
            if self.overlap:
                break
            self.empty += int(np.count_nonzero(labels_in_lines == 0))

    @property
    def exact(self) -> bool:
        return not self.overlap and not self.empty


def _axis_of_truth(truth: Source) -> tuple[int, _Lines] | None:
    """The first axis of a truth along which no pixel has two labels, and what is seen there."""
    found = None
    for axis in outer_axes(truth.array.shape):
        seen = _Lines(truth, axis)
        # The last axis is named as people name it.
        axis = -1 if axis == truth.array.ndim - 1 else axis
        if seen.exact:
            return axis, seen
        # One label along an axis is little to go by where most pixels have none.
        if found is None and not seen.overlap:
            found = axis, seen
    return found


def _is_volume(source: Source) -> bool:
    """Whether the format says that the axes are those of space, as the pages of a TIFF are slices."""
    return bool(source.axes) and "C" not in source.axes


def _sums_to_one(prediction: Source, axis: int) -> bool:
    """Whether the values of a prediction sum to 1 along an axis, as those of exclusive classes do."""
    if prediction.array.dtype.kind != "f":
        return False
    lines = np.moveaxis(prediction.array, axis, 0)
    margin = tolerance(prediction.epsilon)
    for index in range(lines.shape[1]):
        sums = prediction.load(lines[:, index]).sum(axis=0, dtype=np.float64)
        if not (np.abs(sums - 1) <= margin).all():
            return False
    return True


def _one_hot(truth: Source, axis: int) -> LabelError:
    layout = SPATIAL[-truth.array.ndim :]
    return LabelError(
        "looks one-hot: along one axis, every pixel has exactly one label",
        path=truth.name,
        expected="one label per pixel",
        found=truth.describe(),
        hint=f"save np.argmax(mask, axis={axis}); or --layout {layout}, if it is one class",
    )


def _one_hot_with_void(truth: Source, axis: int, seen: _Lines) -> LabelError:
    return LabelError(
        f"looks one-hot with {seen.empty} pixels that are of no class: along one axis, no pixel has two labels, "
        "and the prediction sums to 1",
        path=truth.name,
        expected="one label per pixel",
        found=truth.describe(),
        hint=f"save np.where(mask.any(axis={axis}), np.argmax(mask, axis={axis}), 255), and --ignore 255, "
        "if those pixels are to be left out",
    )


def _either(prediction: Source, truth: Source, settings: Settings) -> LayoutError:
    shape = truth.array.shape
    letters = SPATIAL[-len(prediction.array.shape) :]
    ways = ["--multilabel, if one axis numbers independent classes"]
    # Whoever has named several classes has not one.
    if not settings.classes:
        ways.insert(0, f"--layout {letters}, if it is a volume of one class")
        if len(shape) == 3:
            ways.append("--layout BHW, if it is images of one class")
    return LayoutError(
        "can be a volume of one class, or hold a channel for each of several classes, as the mask has the same shape",
        path=prediction.name,
        expected="a mask without an axis of classes, or a word about what the axes are",
        found=f"prediction {prediction.array.shape}, mask {truth.name} {shape}",
        hint="; ".join(ways),
    )
