"""What was counted → the error that a person needs at that moment, or none."""

from __future__ import annotations

import shlex

import numpy as np

from softdice_cli.errors import LabelError, ProbabilityError
from softdice_cli.overlap import Facts, Rule
from softdice_cli.readers import Source
from softdice_cli.records import MAX_LABEL, Settings

_LISTED = 12

_WIDE = "check that this is the right file: labels have at most 32 bits"

_SLIP = 1e-3
"""How far below 0 arithmetic may have pushed a probability, or a tenth of how far above 1: logits go further."""


def refuse_kind(source: Source, settings: Settings) -> ProbabilityError | None:
    """Integers without a scale, a scale without integers, or one that no stored value reaches."""
    integers = source.array.dtype.kind in "iub"
    if not integers and settings.scale is None:
        return None
    if not integers:
        return ProbabilityError(
            "holds floats, and a scale is for integers",
            path=source.name,
            found=source.describe(),
            hint="leave out --scale",
        )
    reach = 1 if source.array.dtype.kind == "b" else int(np.iinfo(source.array.dtype).max)
    if settings.scale is not None:
        return None if settings.scale <= reach else _refuse_reach(source, settings.scale, reach)
    low, high = map(int, source.span())
    top = _top(high, reach)
    one = f"--scale {top} if {'it is one-hot' if top == 1 else f'{top} stands for probability 1'}, "
    return ProbabilityError(
        "holds integers, not probabilities",
        path=source.name,
        expected="float16, bfloat16, float32 or float64",
        found=f"{source.describe()}, from {low} to {high}",
        hint=f"{one if low >= 0 and top <= MAX_LABEL else ''}--pred-labels if these are class labels",
    )


def _refuse_reach(source: Source, scale: int, reach: int) -> ProbabilityError:
    high = int(source.span()[1])
    return ProbabilityError(
        f"{source.stored} holds at most {reach}, so a scale of {scale} would make every probability too small",
        path=source.name,
        expected=f"a scale of at most {reach}",
        found=f"{source.describe()}, up to {high}",
        hint=f"--scale {_top(high, reach)}",
    )


def _top(high: int, reach: int) -> int:
    """The likely stored value of probability 1, where the greatest that is there is `high` and could be `reach`."""
    usual = (top for top in (1, 255, 65535) if high <= top <= reach)
    return next(usual, reach if reach < 2**16 else high)


def refuse_values(facts: Facts, rule: Rule, source: Source) -> ProbabilityError:
    """The error for values that are not acceptable, or are already what an activation would make of them."""
    what = source.describe()
    if facts.already(rule):
        return ProbabilityError(
            "holds probabilities already: they lie in [0, 1] and sum to 1",
            path=source.name,
            expected="logits, as softmax was asked for",
            found=f"{what}: values from {facts.low:.6g} to {facts.high:.6g}",
            hint="leave out --activation",
        )
    if facts.nonfinite:
        return ProbabilityError(
            "holds NaN or infinite values",
            path=source.name,
            expected="finite numbers",
            found=f"{what}: {_many(facts.nonfinite, 'value')} not finite",
            hint="find out what produced them; or mark those pixels with an ignored label in the mask",
        )
    if facts.sum_off:
        return ProbabilityError(
            f"the {rule.classes} channels do not sum to 1",
            path=source.name,
            expected=f"sums of 1 ± {rule.sum_tolerance:.2g} in every pixel",
            found=f"{what}: sums from {facts.sum_low:.6g} to {facts.sum_high:.6g}; {_many(facts.sum_off, 'pixel')} off",
            hint=_cure_of_sums(facts, rule, source),
        )
    together = f" that sum to 1 over the {rule.classes} channels" if rule.sum_tolerance is not None else ""
    return ProbabilityError(
        "the values are not probabilities",
        path=source.name,
        expected=f"numbers in [0, 1]{together}",
        found=f"{what}: values from {facts.low:.6g} to {facts.high:.6g}",
        hint=_cure(facts, rule, source),
    )


def _many(count: int, what: str) -> str:
    return f"1 {what} is" if count == 1 else f"{count} {what}s are"


def _cure_of_sums(facts: Facts, rule: Rule, source: Source) -> str:
    independent = "--allow-unnormalized, if the classes are independent (multi-label) maps"
    if rule.activation == "sigmoid":
        return f"--activation softmax, if these are logits of exclusive classes; {independent}"
    if rule.scale is not None and (top := _likely_scale(facts, rule.scale, source)) < rule.scale:
        return f"--scale {top}, if {top} stands for probability 1; {independent}"
    return independent


def _likely_scale(facts: Facts, scale: int, source: Source) -> int:
    reach = 1 if source.array.dtype.kind == "b" else int(np.iinfo(source.array.dtype).max)
    return _top(round(facts.high * scale), reach)


def _cure(facts: Facts, rule: Rule, source: Source) -> str:
    if rule.scale is not None and facts.low < 0:
        return "check what was saved: no probability is below 0"
    if rule.scale is not None:
        return f"--scale {_likely_scale(facts, rule.scale, source)}: it must be the stored value of probability 1"
    if facts.low >= -_SLIP and facts.high <= 1 + 10 * _SLIP:
        return "clip before you save: np.clip(p, 0, 1)"
    if facts.low >= 0 and facts.high > 1:
        for top in (100, 255, 65535):
            if 1.5 < facts.high <= top and facts.high > top / 3:
                activation = "softmax" if rule.classes > 1 else "sigmoid"
                return f"divide by {top} before you save, if {top} stands for 1; --activation {activation} for logits"
    if rule.activation == "none":
        activation = "softmax" if rule.classes > 1 else "sigmoid"
        looks = "log-probabilities or logits" if facts.high <= 0 else "logits"
        return f"--activation {activation}, if these are {looks}"
    return "check what was saved"


def refuse_one_hot(truth: Source) -> LabelError | None:
    """A one-hot truth, which would be read as the volume of a single class."""
    array = truth.array
    layout = "BHW" if array.ndim == 4 and array.shape[1] == 1 else "TDHW"[-array.ndim :]
    for axis in (0, -1):
        if array.ndim > 2 and array.shape[axis] > 1 and _one_label_along(truth, axis):
            return LabelError(
                "looks one-hot: along one axis, every pixel has exactly one label",
                path=truth.name,
                expected="one label per pixel",
                found=truth.describe(),
                hint=f"save np.argmax(mask, axis={axis}); or --layout {layout}, if it is one class",
            )
    return None


def _one_label_along(truth: Source, axis: int) -> bool:
    """Whether every line along an axis has one label; looks slice by slice, and no further than the first other one."""
    lines = np.moveaxis(truth.array, axis, 0)
    slices = (truth.load(lines[:, index]) for index in range(lines.shape[1]))
    return all((np.count_nonzero(part, axis=0) == 1).all() for part in slices)


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
    if not unknown:  # only a label map is not free to ignore
        return LabelError(
            "holds an ignored label where the mask does not",
            path=source.name,
            expected=_expected(settings),
            found=_list({label: count for label, count in counts.items() if label in settings.ignore}, settings),
            hint="save one of the classes wherever the mask is not ignored",
        )
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
    is_map = settings.prediction == "labels"
    what = "label map" if is_map else "one-channel map"
    return LabelError(
        f"has {len(others)} labels besides 0, and a {what} without named classes is read as one class",
        path=source.name,
        expected="0 and one other label, besides those that are ignored",
        found=_list(counts, settings),
        hint=_naming(source, settings, counts) if is_map else _binary(settings, others[0]),
    )


def _binary(settings: Settings, label: int) -> str:
    """What to do about a mask of several labels where the prediction has one channel."""
    binary = f"mask == {label}" if not settings.colors else f"a mask of {settings.label_text(label)} alone"
    return f"save a binary mask for this prediction ({binary}), or a prediction with a channel for each class"


def _naming(source: Source, settings: Settings, counts: dict[int, int]) -> str:
    """What to type so that every label of a label map is a class."""
    labels = [label for label in counts if label not in settings.ignore]
    if max(map(abs, labels)) > MAX_LABEL:
        return _WIDE
    if len(labels) > _LISTED and labels[0] < 0:
        return "check that this is the right file: so many labels, some below 0, look like neither"
    if len(labels) > _LISTED:
        top = _top(labels[-1], int(np.iinfo(source.array.dtype).max))
        integers = not source.stored.startswith(("float", "bfloat"))
        way = f"--scale {top}" if integers else f"divide by {top} before you save it"
        return f"so many labels look like probabilities: if this is the prediction, {way}, and leave out --pred-labels"
    every = range(labels[-1] + 1)
    if labels[0] >= 0 and labels[-1] < _LISTED and not settings.colors and not {*every} & {*settings.ignore}:
        return "name every class: " + " ".join(f"--class {label}" for label in every)
    return "name every class: " + _classes(settings, {str(index): label for index, label in enumerate(labels)})


def _classes(settings: Settings, labels: dict[str, int]) -> str:
    """The options that give each name its label, to be typed as they are."""
    return " ".join(f"--class {shlex.quote(name)}={settings.label_text(label)}" for name, label in labels.items())


def _expected(settings: Settings) -> str:
    values = [settings.label_text(c.value) for c in settings.classes[:_LISTED] if c.value is not None]
    if len(settings.classes) == 1:
        values = ["0", *[value for value in values if value != "0"]]
    more = ", …" if len(settings.classes) > _LISTED else ""
    ignored = ", ".join(map(settings.label_text, settings.ignore))
    return f"labels {', '.join(values)}{more}" + (f" ({ignored} ignored)" if ignored else "")


def _list(counts: dict[int, int], settings: Settings) -> str:
    more = len(counts) - _LISTED
    shown = [f"{settings.label_text(label)} ({count} px)" for label, count in list(counts.items())[:_LISTED]]
    return ", ".join(shown) + (f" and {more} more label{'s' * (more > 1)}" if more > 0 else "")


def _mapping(settings: Settings, counts: dict[int, int], unknown: dict[int, int]) -> str:
    """What to type: ignore the labels, or say which class each of them is."""
    classes = settings.classes
    ignore = " ".join(f"--ignore {settings.label_text(label)}" for label in unknown)
    present = [label for label in counts if label not in settings.ignore]
    if max(map(abs, unknown)) > MAX_LABEL:
        return _WIDE
    if len(unknown) > 4 and len(present) != len(classes):
        return "check that this is the right file: many of its labels are no class"
    if settings.prediction == "labels":
        return f"{_extended(settings, unknown)}, if they are classes; {ignore}, if the mask leaves pixels out with it"
    if len(classes) == 1:
        return _mapping_of_one(settings, [label for label in present if label], unknown)
    mostly_known = len(unknown) == 1 and len(present) > 2  # then one class is absent, rather than renamed
    if len(present) == len(classes) and not mostly_known:
        named = _classes(settings, dict(zip((c.name for c in classes), present, strict=True)))
        return f"{named}, if these are the classes in the order of the channels; {ignore}, to leave pixels out"
    if set(counts) <= {0, 255} and len(classes) > 2:
        return (
            f"{ignore}, if 255 marks pixels to leave out; a 0/255 mask holds two classes, "
            f"and the prediction has {len(classes)}"
        )
    channels = f"--class NAME=VALUE for each of the {len(classes)} channels"
    return f"{ignore}, if these pixels are to be left out; {channels}, if they are classes"


def _mapping_of_one(settings: Settings, others: list[int], unknown: dict[int, int]) -> str:
    """The same for the one named class of a one-channel map; other classes are never to be ignored."""
    definition = settings.classes[0]
    if len(others) == 1:
        return f"{_classes(settings, {definition.name: others[0]})}, if that is the class"
    if set(unknown) == {255}:
        return "--ignore 255, if it marks pixels to leave out"
    return _binary(settings, definition.value or others[0])


def _extended(settings: Settings, unknown: dict[int, int]) -> str:
    """The classes of a label map, and those that are missing."""
    labels = {c.name: c.value for c in settings.classes if c.value is not None}
    if len(labels) == 1 and 0 not in labels.values():
        labels = {"background": 0, **labels}
    added = {f"label{settings.label_text(label).replace('#', '')}": label for label in unknown}
    return _classes(settings, labels | added)
