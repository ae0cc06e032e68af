"""Files in which other programs say what labels mean, read as they stand: nnU-Net, Hugging Face and COCO.

Such a file holds much that is not about labels, so each is known by what only it has, and its other keys are let be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from softdice_cli.cli.task.class_tables import by_label, is_category, labels_of, of_categories, refused
from softdice_cli.cli.task.labels import reads_as_label
from softdice_cli.cli.task.said import Named, Said
from softdice_cli.errors import ConfigError

_NNUNET_MARKS = frozenset({"file_ending", "channel_names", "numTraining", "modality", "regions_class_order"})
_COCO_MARKS = frozenset({"images", "annotations", "info", "licenses"})
_IGNORE = "ignore"


def said_by_others(document: Mapping[str, Any]) -> Said | None:
    """What the file of another program says, or ``None`` where it is not known as one.

    Raises:
        ConfigError: it is known, and what it says cannot be.
    """
    labels = document.get("labels")
    if isinstance(labels, dict) and (document.keys() & _NNUNET_MARKS or document.keys() == {"labels"}):
        return _nnunet(labels, document.get("regions_class_order"))
    if isinstance(document.get("id2label"), dict):
        return Said(classes=by_label(document["id2label"]))
    categories = document.get("categories")
    alone = document.keys() == {"categories"}
    if isinstance(categories, list) and categories and (document.keys() & _COCO_MARKS or alone):
        if not all(map(is_category, categories)):
            raise refused(categories, "a category without an integer id and a name")
        return Said(classes=of_categories(categories))
    return None


def _nnunet(labels: Mapping[str, Any], order: Any) -> Said:
    """The labels of a ``dataset.json`` of nnU-Net; see its documentation of regions and of the ignore label."""
    named = _labelled(labels)
    left_out = [label for entry in named if entry.name == _IGNORE for label in entry.labels]
    classes = tuple(entry for entry in named if entry.name != _IGNORE)
    ignore = tuple(left_out) or None
    if not classes:
        raise refused(labels)
    if any(len(entry.labels) > 1 for entry in classes):
        return Said(classes=_regions(classes, order), ignore=ignore, multilabel=True)
    # Channels are in the order of the labels, wherever they stand in the file.
    return Said(classes=tuple(sorted(classes, key=lambda entry: int(entry.labels[0]))), ignore=ignore)


def _labelled(labels: Mapping[str, Any]) -> tuple[Named, ...]:
    """What stands there, in that order; the first version of nnU-Net wrote label → name."""
    if labels and all(map(reads_as_label, labels)):
        return by_label(labels)
    for name, value in labels.items():
        listed = value if isinstance(value, list) else [value]
        if not listed or any(type(label) is not int for label in listed):
            raise refused(labels, f"{name!r}: {value!r}"[:60])
    return tuple(Named(name, labels_of(value)) for name, value in labels.items())


def _regions(classes: Sequence[Named], order: Any) -> tuple[Named, ...]:
    """The regions, which have a channel each, in the order in which they stand; the background has none."""
    regions = tuple(named for named in classes if set(named.labels) != {"0"})
    if order is None or _goes_with(regions, order):
        return regions
    listed = ", ".join(f"{named.name} = {'+'.join(named.labels)}" for named in regions)
    raise ConfigError(
        "regions_class_order does not go with the regions, so the order of the channels is not known",
        expected="for each region, in the order of the channels, one of its labels",
        found=f"{order} for {listed}",
        hint="bring labels into the order that the network was trained with; a program may have sorted them",
    )


def _goes_with(regions: Sequence[Named], order: Any) -> bool:
    """Whether the label that is drawn for each region is one of its own, as it is unless the table was sorted since."""
    if not isinstance(order, list) or len(order) != len(regions):
        return False
    return all(str(label) in named.labels for label, named in zip(order, regions, strict=True))
