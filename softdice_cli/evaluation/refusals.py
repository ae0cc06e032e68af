"""What was counted → the error that a person needs at that moment, or none."""

from __future__ import annotations

import numpy as np

from softdice_cli.errors import LabelError, ProbabilityError
from softdice_cli.overlap import Facts, Rule
from softdice_cli.readers import Source
from softdice_cli.records import MAX_LABEL, Settings

_LISTED = 12


def refuse_kind(source: Source, settings: Settings) -> ProbabilityError | None:
    """Integers without a scale, or a scale without integers."""
    integers = source.array.dtype.kind in "iub"
    if integers == (settings.scale is not None):
        return None
    if not integers:
        return ProbabilityError(
            "holds floats, and --scale is for integers",
            path=source.name,
            found=source.describe(),
            hint="leave out --scale",
        )
    top = 65535 if source.array.dtype.itemsize == 2 else 255
    kind = (
        "--pred-labels"
        if source.array.dtype.kind == "b"
        else (f"--scale {top} if {top} stands for probability 1, --pred-labels if these are class labels")
    )
    return ProbabilityError(
        "holds integers, not probabilities",
        path=source.name,
        expected="float16, bfloat16, float32 or float64",
        found=f"{source.describe()}, from {source.array.min()} to {source.array.max()}",
        hint=kind,
    )


def refuse_values(facts: Facts, rule: Rule, source: Source) -> ProbabilityError | None:
    """Values that are not probabilities."""
    if facts.acceptable(rule):
        return None
    what = source.describe()
    if facts.nonfinite:
        return ProbabilityError(
            "holds NaN or infinite values",
            path=source.name,
            expected="finite numbers",
            found=f"{what}: {facts.nonfinite} values are not finite",
            hint="find out what produced them; or mark those pixels with an ignored label in the mask",
        )
    if facts.sum_off:
        return ProbabilityError(
            f"the {rule.classes} channels do not sum to 1",
            path=source.name,
            expected=f"sums of 1 ± {rule.sum_tolerance:.2g} in every pixel",
            found=f"{what}: sums from {facts.sum_low:.6g} to {facts.sum_high:.6g}; {facts.sum_off} pixels are off",
            hint="--allow-unnormalized, if the classes are independent (multi-label) maps",
        )
    together = f" that sum to 1 over the {rule.classes} channels" if rule.sum_tolerance is not None else ""
    return ProbabilityError(
        "the values are not probabilities",
        path=source.name,
        expected=f"numbers in [0, 1]{together}",
        found=f"{what}: values from {facts.low:.6g} to {facts.high:.6g}",
        hint=_cure(facts, rule),
    )


def _cure(facts: Facts, rule: Rule) -> str:
    if rule.scale is not None:
        return f"a greater --scale: {rule.scale} must be the stored value of probability 1"
    if facts.low >= 0 and facts.high > 1:
        for top in (100, 255, 65535):
            if 1.5 < facts.high <= top and facts.high > top / 3:
                return f"divide by {top} before you save, if {top} stands for 1; --activation for logits"
    if rule.activation == "none":
        activation = "softmax" if rule.classes > 1 else "sigmoid"
        looks = "log-probabilities or logits" if facts.high <= 0 else "logits"
        return f"--activation {activation}, if these are {looks}"
    return "check what was saved"


def refuse_one_hot(truth: Source) -> LabelError | None:
    """A one-hot truth, which would be read as the volume of a single class."""
    array = truth.array
    for axis in (0, -1):
        if array.ndim > 2 and array.shape[axis] > 1 and (np.count_nonzero(array, axis=axis) == 1).all():
            return LabelError(
                "looks one-hot: along one axis, every pixel has exactly one label",
                path=truth.name,
                expected="one label per pixel",
                found=truth.describe(),
                hint=f"save np.argmax(mask, axis={axis}); or --layout {'DHW'[-array.ndim :]}, if it is one class",
            )
    return None


def refuse_labels(source: Source, settings: Settings, counts: dict[int, int]) -> LabelError:
    """The error for labels that are neither classes nor ignored.

    Args:
        source: the mask or label map.
        settings: with the classes resolved.
        counts: how many pixels carry each label.
    """
    known = {c.value for c in settings.classes if c.value is not None} | set(settings.ignore)
    if len(settings.classes) == 1:
        known.add(0)
    unknown = {label: count for label, count in counts.items() if label not in known}
    plural = "s" if len(unknown) > 1 else ""
    return LabelError(
        f"has {len(unknown)} label{plural} that {'are' if plural else 'is'} no class",
        path=source.name,
        expected=_expected(settings),
        found=_list(unknown, settings),
        hint=_mapping(settings, counts, unknown),
    )


def refuse_many(source: Source, settings: Settings, counts: dict[int, int]) -> LabelError:
    """The error for a mask of several labels against a prediction of one class."""
    others = [label for label in counts if label not in (0, *settings.ignore)]
    what = "label map" if settings.prediction == "labels" else "one-channel map"
    cure = (
        "name every class: " + " ".join(f"--class {label}" for label in range(min(max(others) + 1, _LISTED)))
        if settings.prediction == "labels" and max(others) < 256
        else f"--class NAME={others[0]} --ignore … for the others, or a map with one channel a class"
    )
    return LabelError(
        f"has {len(others)} labels besides 0, and a {what} without named classes is read as one class",
        path=source.name,
        expected="0 and one other label",
        found=_list(counts, settings),
        hint=cure,
    )


def _expected(settings: Settings) -> str:
    values = [settings.label_text(c.value) for c in settings.classes[:_LISTED] if c.value is not None]
    if len(settings.classes) == 1:
        values = ["0", *[value for value in values if value != "0"]]
    more = ", …" if len(settings.classes) > _LISTED else ""
    ignored = ", ".join(map(settings.label_text, settings.ignore))
    return f"labels {', '.join(values)}{more}" + (f" ({ignored} ignored)" if ignored else "")


def _list(counts: dict[int, int], settings: Settings) -> str:
    shown = [f"{settings.label_text(label)} ({count} px)" for label, count in list(counts.items())[:_LISTED]]
    return ", ".join(shown) + (f" and {len(counts) - _LISTED} more labels" if len(counts) > _LISTED else "")


def _mapping(settings: Settings, counts: dict[int, int], unknown: dict[int, int]) -> str:
    """What to type: ignore the labels, or say which class each of them is."""
    classes = settings.classes
    ignore = " ".join(f"--ignore {settings.label_text(label)}" for label in list(unknown)[:4])
    present = [label for label in counts if label not in settings.ignore]
    if len(unknown) > 4 and len(present) != len(classes):
        return "check that this is the right file: most of its labels are no class"
    if 1 < len(present) == len(classes):
        pairs = zip(classes, present, strict=True)
        named = " ".join(f"--class {c.name}={settings.label_text(label)}" for c, label in pairs)
        return f"{named}, if these are the classes in the order of the channels; {ignore}, to leave pixels out"
    if max(map(abs, unknown)) > MAX_LABEL:
        return "check that this is the right file: labels have at most 32 bits"
    if set(counts) <= {0, 255} and len(classes) > 2:
        return (
            f"{ignore}, if 255 marks pixels to leave out; a 0/255 mask holds two classes, "
            f"and the prediction has {len(classes)}"
        )
    return f"{ignore}, if these pixels are to be left out; --class NAME=VALUE, if they are a class"
