"""Labels that are neither classes nor ignored → the error that a person needs at that moment.

The hint is what to type: which labels are classes, which ones to ignore. It is drawn from the whole
file, and never proposes what would give a wrong number.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

import numpy as np

from softdice_cli.errors import LabelError
from softdice_cli.evaluation.full_scale import full_scale
from softdice_cli.readers import Source
from softdice_cli.records import MAX_LABEL, Settings

# Labels that are listed in a message.
_LISTED = 12

# More labels than this that are not classes, and the file is more likely the wrong one.
_MOST_STRAYS = 4

_WIDE = "check that this is the right file: labels have at most 32 bits"


def refuse_labels(source: Source, settings: Settings, counts: dict[int, int]) -> LabelError:
    """The error for labels that are neither classes nor ignored.

    Args:
        source: the mask or label map.
        settings: with the classes resolved.
        counts: how many pixels carry each label.
    """
    unknown = _without(counts, _known(settings))
    if not unknown:
        # Only of a label map, which may not ignore pixels by itself.
        ignored = _without(counts, counts.keys() - set(settings.ignore))
        return LabelError(
            "holds an ignored label where the mask does not",
            path=source.name,
            expected=_expected(settings),
            found=_list(ignored, settings),
            hint="save one of the classes wherever the mask is not ignored",
        )
    if len(unknown) == 1:
        problem = "has 1 label that is not a class"
    else:
        problem = f"has {len(unknown)} labels that are not classes"
    return LabelError(
        problem,
        path=source.name,
        expected=_expected(settings),
        found=_list(unknown, settings),
        hint=_mapping(settings, counts, unknown),
    )


def _without(counts: dict[int, int], labels: Iterable[int]) -> dict[int, int]:
    left_out = set(labels)
    return {label: count for label, count in counts.items() if label not in left_out}


def _known(settings: Settings) -> set[int]:
    known = set(settings.ignore)
    for definition in settings.classes:
        known.update(definition.labels)
    if settings.label is not None:
        known.add(settings.label)
    if len(settings.classes) == 1 or settings.multilabel:
        # Beside a single class, 0 is the background.
        known.add(0)
    return known


def _labels_of(settings: Settings) -> dict[str, tuple[int, ...]]:
    """The labels of each class that has some, by name."""
    return {definition.name: definition.labels for definition in settings.classes if definition.labels}


def refuse_many(source: Source, settings: Settings, counts: dict[int, int]) -> LabelError:
    """The error for a mask of several labels against a prediction of one class.

    Args:
        source: the mask or label map.
        settings: with the classes resolved.
        counts: how many pixels carry each label.
    """
    others = list(_without(counts, (0, *settings.ignore)))
    if settings.prediction == "labels":
        what = "label map"
        hint = _naming(source, settings, counts)
    else:
        what = "one-channel map"
        hint = _binary(settings, others[0])
    return LabelError(
        f"has {len(others)} labels besides 0, and a {what} without named classes is read as one class",
        path=source.name,
        expected="0 and one other label, besides those that are ignored",
        found=_list(counts, settings),
        hint=hint,
    )


def refuse_map_of_independent(truth: Source, settings: Settings) -> LabelError:
    """The error for a label map against independent classes that own no labels."""
    names = [definition.name for definition in settings.classes]
    return LabelError(
        "is a label map, and nobody has said which of its labels each independent class has",
        path=truth.name,
        expected="a channel for each class, as the prediction has, or the labels of each class",
        found=f"{truth.describe()}, classes {', '.join(names[:_LISTED])}",
        hint="--class NAME=1+2+3 with its labels for each class, in the order of the channels",
    )


def _binary(settings: Settings, label: int) -> str:
    """What to do about a mask of several labels where the prediction has one channel."""
    binary = f"a mask of {settings.label_text(label)} alone" if settings.colors else f"mask == {label}"
    return f"save a binary mask for this prediction ({binary}), or a prediction with a channel for each class"


def _naming(source: Source, settings: Settings, counts: dict[int, int]) -> str:
    """What to type so that every label of a label map is a class."""
    labels = list(_without(counts, settings.ignore))
    least = labels[0]
    greatest = labels[-1]
    if max(-least, greatest) > MAX_LABEL:
        return _WIDE
    if len(labels) > _LISTED:
        return _not_labels(source, least, greatest)
    every = range(greatest + 1)
    in_order = least >= 0 and greatest < _LISTED and not settings.colors
    if in_order and not set(every) & set(settings.ignore):
        return "name every class: " + " ".join(f"--class {label}" for label in every)
    numbered = {str(index): (label,) for index, label in enumerate(labels)}
    return f"name every class: {_classes(settings, numbered)}"


def _not_labels(source: Source, least: int, greatest: int) -> str:
    if least < 0:
        return "check that this is the right file: so many labels, some below 0, look like neither"
    top = full_scale(greatest, int(np.iinfo(source.array.dtype).max))
    way = f"--scale {top}"
    # A float has no full scale.
    if source.stored.startswith(("float", "bfloat")):
        way = f"divide by {top} before you save it"
    return f"so many labels look like probabilities: if this is the prediction, {way}, and leave out --pred-labels"


def _classes(settings: Settings, labels: Mapping[str, tuple[int, ...]]) -> str:
    """The options that give each name its labels, to be typed as they are."""
    options = []
    for name, owned in labels.items():
        options.append(f"--class {shlex.quote(name)}={'+'.join(map(settings.label_text, owned))}")
    return " ".join(options)


def _expected(settings: Settings) -> str:
    """The labels that may be there."""
    values: list[str] = []
    for definition in settings.classes[:_LISTED]:
        values += map(settings.label_text, definition.labels)
    if len(settings.classes) == 1 and values != ["0"]:
        values.insert(0, "0")
    if len(settings.classes) > _LISTED:
        values.append("…")
    expected = f"labels {', '.join(values)}"
    if settings.ignore:
        expected += f" ({', '.join(map(settings.label_text, settings.ignore))} ignored)"
    return expected


def _list(counts: dict[int, int], settings: Settings) -> str:
    """The labels with their pixels, of many the first ones."""
    shown = [f"{settings.label_text(label)} ({count} px)" for label, count in list(counts.items())[:_LISTED]]
    listed = ", ".join(shown)
    more = len(counts) - _LISTED
    if more == 1:
        return f"{listed} and 1 more label"
    if more > 1:
        return f"{listed} and {more} more labels"
    return listed


def _mapping(settings: Settings, counts: dict[int, int], unknown: dict[int, int]) -> str:
    """What to type: ignore the labels, or say which class each of them is."""
    present = list(_without(counts, settings.ignore))
    if max(map(abs, unknown)) > MAX_LABEL:
        return _WIDE
    if len(unknown) > _MOST_STRAYS and len(present) != len(settings.classes):
        return "check that this is the right file: many of its labels are not classes"
    ignore = " ".join(f"--ignore {settings.label_text(label)}" for label in unknown)
    if settings.prediction == "labels":
        return f"{_extended(settings, unknown)}, if they are classes; {ignore}, if the mask leaves pixels out with it"
    if len(settings.classes) == 1:
        return _mapping_of_one(settings, [label for label in present if label], unknown)
    return _mapping_of_many(settings, present, counts, unknown, ignore)


def _mapping_of_many(
    settings: Settings, present: list[int], counts: dict[int, int], unknown: dict[int, int], ignore: str
) -> str:
    """The same for a prediction of several channels."""
    classes = settings.classes
    # One stray label among known ones: a class is absent, rather than renamed.
    mostly_known = len(unknown) == 1 and len(present) > 2
    if len(present) == len(classes) and not mostly_known:
        in_order = {definition.name: (label,) for definition, label in zip(classes, present, strict=True)}
        named = _classes(settings, in_order)
        return f"{named}, if these are the classes in the order of the channels; {ignore}, to leave pixels out"
    if counts.keys() <= {0, 255} and len(classes) > 2:
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
        return f"{_classes(settings, {definition.name: (others[0],)})}, if that is the class"
    if unknown.keys() == {255}:
        return "--ignore 255, if it marks pixels to leave out"
    return _binary(settings, [*definition.labels, *others][0])


def _extended(settings: Settings, unknown: dict[int, int]) -> str:
    """The classes of a label map, and those that are missing."""
    labels = _labels_of(settings)
    if len(labels) == 1 and (0,) not in labels.values():
        labels = {"background": (0,), **labels}
    for label in unknown:
        name = settings.label_text(label).replace("#", "")
        labels[f"label{name}"] = (label,)
    return _classes(settings, labels)
