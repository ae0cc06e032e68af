"""A row of a results file or of a journal → the record, checked: types, lengths, and counts that can be."""

from __future__ import annotations

import re
from typing import Any

from softdice_cli.records.members import is_of, list_of, member, refuse_unknown
from softdice_cli.records.rows import ClassSums, Confusion, ImageRow
from softdice_cli.records.to_json import SUMS

# A stored probability may be above 1 by the rounding of its type, which is at most 1 + 2**-7.
_SLACK = 1.01

_DIGEST = re.compile("[0-9a-f]{16}")

_ROW = ("id", "pred", "gt", "pixels", "ignored", "sums", "region_sums", "confusion", "truth", "classes", "regions")


def row_from_json(value: Any, classes: int | None, regions: int | None) -> ImageRow:
    """A row, checked: types, lengths, and counts that can be.

    Args:
        value: as parsed.
        classes: how many there are, or ``None`` where that is not known.
        regions: likewise.

    Raises:
        UnknownMember: a member that this program does not know.
        ValueError: with what is wrong.
    """
    name, pixels = member(value, "id", str), member(value, "pixels", int)
    refuse_unknown(value, _ROW, f"images[{name}].")
    sums = _sums(value, "sums", classes, pixels)
    regions_of_row: tuple[ClassSums, ...] = ()
    if regions != 0 and "region_sums" in value:
        regions_of_row = _sums(value, "region_sums", regions, pixels)
    elif regions or "region_sums" in value:
        raise ValueError(f"the region_sums of image {name!r} are not of {regions} regions")
    row = ImageRow(
        id=name,
        pred=member(value, "pred", str),
        gt=member(value, "gt", str),
        pixels=pixels,
        ignored=member(value, "ignored", int),
        sums=sums,
        regions=regions_of_row,
        confusion=_confusion(value, len(sums)),
        truth=_truth(value),
    )
    _check_row(row)
    return row


def _sums(value: dict[str, Any], name: str, count: int | None, pixels: int) -> tuple[ClassSums, ...]:
    """The sums of the classes, or of the regions, of an image."""
    sums = member(value, name, dict)
    refuse_unknown(sums, SUMS, f"images[{value['id']}].{name}.")
    columns = [list_of(sums, column, kind) for column, kind in SUMS.items()]
    if len({len(column) for column in columns}) != 1 or count not in (None, len(columns[0])):
        raise ValueError(f"the {name} of image {value['id']!r} are not of {count} classes")
    return tuple(ClassSums(*entry) for entry in zip(*columns, [pixels] * len(columns[0]), strict=True))


def _confusion(value: dict[str, Any], classes: int) -> Confusion | None:
    """The confusion of an image; ``None`` where it has none."""
    if "confusion" not in value:
        return None
    entries: list[tuple[int, int, int]] = []
    for entry in list_of(value, "confusion", list):
        if len(entry) != 3 or not all(is_of(number, int) for number in entry):
            raise ValueError(f"{entry!r} is not a predicted class, a true class and a number of pixels")
        predicted, true, pixels = entry
        if predicted == true or not 0 <= predicted < classes or not 0 <= true < classes or pixels < 1:
            raise ValueError(f"{entry!r} is not the confusion of two of {classes} classes")
        entries.append((predicted, true, pixels))
    return tuple(entries)


def _truth(value: dict[str, Any]) -> str:
    """The digest of the labels of an image; empty where it has none."""
    if "truth" not in value:
        return ""
    digest: str = member(value, "truth", str)
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"the truth of image {value['id']!r} is not a digest")
    return digest


def _check_row(row: ImageRow) -> None:
    """Raises ValueError for counts and sums that no image can have."""
    if row.ignored < 0:
        raise ValueError(f"image {row.id!r} has fewer than 0 ignored pixels")
    if row.confusion is not None:
        _check_confusion(row)
    for sums in (*row.sums, *row.regions):
        most = max(sums.truth, sums.predicted)
        if most > row.pixels or not 0 <= sums.true_positives <= min(sums.truth, sums.predicted):
            raise ValueError(f"the counts of image {row.id!r} contradict each other")
        if not 0 <= sums.intersection <= sums.probability <= row.pixels * _SLACK:
            raise ValueError(f"the sums of image {row.id!r} contradict each other")


def _check_confusion(row: ImageRow) -> None:
    """Raises ValueError where the confusion of an image does not add up to the counts of its classes."""
    predicted = [sums.true_positives for sums in row.sums]
    true = list(predicted)
    for chosen, label, pixels in row.confusion or ():
        predicted[chosen] += pixels
        true[label] += pixels
    if predicted != [sums.predicted for sums in row.sums] or true != [sums.truth for sums in row.sums]:
        raise ValueError(f"the confusion of image {row.id!r} contradicts the counts of its classes")
