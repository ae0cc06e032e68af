"""Labels that are neither classes nor ignored → the error that a person needs at that moment.

What to type is drawn from the labels of the whole file here, and of the whole run by whoever gathers the failures; see
`label_hints`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from softdice_cli.errors import LabelError
from softdice_cli.evaluation.label_evidence import LabelEvidence
from softdice_cli.evaluation.seen_labels import agreeing_of, agreeing_of_maps, kept, known_labels
from softdice_cli.overlap import Tally
from softdice_cli.overlap.labels import count_labels
from softdice_cli.readers import Source
from softdice_cli.records import Settings

# Labels that are listed in a message.
_LISTED = 12


def labels_seen(
    truth: Source, prediction: Source | None, settings: Settings, tally: Tally | None = None
) -> LabelEvidence:
    """What the files of a pair show of the labels.

    Args:
        truth: the mask.
        prediction: the label map; ``None`` for probabilities.
        settings: with the classes resolved.
        tally: of what could be counted.
    """
    of_truth = count_labels(truth.chunks())
    of_prediction: dict[int, int] = {}
    reach = 0
    agreeing = agreeing_of(tally)
    if prediction is not None:
        of_prediction = count_labels(prediction.chunks())
        agreeing = agreeing_of_maps(truth, prediction)
        if prediction.array.dtype.kind in "iu":
            reach = int(np.iinfo(prediction.array.dtype).max)
    return LabelEvidence(
        settings=settings,
        truth=kept(of_truth),
        predicted=kept(of_prediction),
        mixed=any(len(set(counts) - {0, *settings.ignore}) > 1 for counts in (of_truth, of_prediction)),
        agreeing=agreeing,
        reach=reach,
    )


def refuse_labels(source: Source, seen: LabelEvidence, counts: Mapping[int, int]) -> LabelError:
    """The error for labels that are neither classes nor ignored.

    Args:
        source: the mask or label map.
        seen: what the files of the pair show; the settings have the classes resolved.
        counts: how many pixels of the file carry each label.
    """
    settings = seen.settings
    unknown = _without(counts, known_labels(settings))
    if not unknown and settings.multilabel:
        return LabelError(
            "holds an ignored label in some channels of a pixel, and not in all of them",
            path=source.name,
            expected="a pixel that is left out of all classes, or of none",
            found=_list(_without(counts, counts.keys() - set(settings.ignore)), settings),
            hint="save the ignored label in every channel of such a pixel, or leave the pixels out with --roi PATH",
        )
    if not unknown:
        # Of a label map, which may not ignore pixels by itself.
        ignored = _without(counts, counts.keys() - set(settings.ignore))
        return LabelError(
            "holds an ignored label where the mask does not",
            path=source.name,
            expected=_expected(settings),
            found=_list(ignored, settings),
            hint="save one of the classes wherever the mask is not ignored",
        )
    return LabelError(
        "has labels that are not classes",
        path=source.name,
        expected=_expected(settings),
        found=_list(unknown, settings),
        hint=seen.hint(),
        evidence=seen,
    )


def refuse_not_finite(truth: Source, pixels: int) -> LabelError:
    """The error for a truth that is cut, and holds NaN or infinity in so many pixels."""
    return LabelError(
        "holds NaN or infinity, which are neither inside a cut nor outside",
        path=truth.name,
        expected="finite numbers",
        found=f"{truth.describe()}: {pixels} px that are not finite",
        hint="save a number of your choice there, and leave it out with --ignore or --roi PATH",
    )


def _without(counts: Mapping[int, int], labels: Collection[int]) -> dict[int, int]:
    return {label: count for label, count in counts.items() if label not in labels}


def refuse_many(source: Source, seen: LabelEvidence, counts: Mapping[int, int]) -> LabelError:
    """The error for a mask of several labels against a prediction of one class.

    Args:
        source: the mask or label map.
        seen: what the files of the pair show; the settings have the classes resolved.
        counts: how many pixels of the file carry each label.
    """
    settings = seen.settings
    what = "one-channel map"
    if settings.prediction == "labels":
        what = "label map"
    problem = f"has several labels besides 0, and a {what} without named classes is read as one class"
    if settings.multilabel:
        problem = "has several labels besides 0, and each channel of it is one class"
    return LabelError(
        problem,
        path=source.name,
        expected="0 and one other label, besides those that are ignored",
        found=_list(counts, settings),
        hint=seen.hint(),
        evidence=seen,
    )


def refuse_map_of_independent(truth: Source, settings: Settings) -> LabelError:
    """The error for a label map against independent classes that own no labels."""
    names = [definition.name for definition in settings.classes]
    return LabelError(
        "is a label map, and nobody has said which of its labels each independent class has",
        path=truth.name,
        expected="a channel for each class, as the prediction has, or the labels of each class",
        found=f"{truth.describe()}, classes {', '.join(names[:_LISTED])}",
        hint="--class NAME=LABEL for each class, in the order of the channels, or NAME=1+2+3 where it has several",
    )


def _expected(settings: Settings) -> str:
    """The labels that may be there."""
    if settings.foreground:
        return f"the foreground {settings.foreground} and background{_ignored(settings)}"
    values: list[str] = []
    for definition in settings.classes[:_LISTED]:
        values += map(settings.label_text, definition.labels)
    if len(settings.classes) == 1 and values != ["0"]:
        values.insert(0, "0")
    if len(settings.classes) > _LISTED:
        values.append("…")
    return f"labels {', '.join(values)}{_ignored(settings)}"


def _ignored(settings: Settings) -> str:
    if not settings.ignore:
        return ""
    return f" ({', '.join(map(settings.label_text, settings.ignore))} ignored)"


def _list(counts: Mapping[int, int], settings: Settings) -> str:
    """The labels with their pixels, of many the first ones."""
    shown = [f"{settings.label_text(label)} ({count} px)" for label, count in list(counts.items())[:_LISTED]]
    listed = ", ".join(shown)
    more = len(counts) - _LISTED
    if more == 1:
        return f"{listed} and 1 more label"
    if more > 1:
        return f"{listed} and {more} more labels"
    return listed
