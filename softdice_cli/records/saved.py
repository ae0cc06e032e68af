"""Rows and settings to JSON values and back. What is read is checked, member by member, before it is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from softdice_cli.errors import ConfigError, UnreadableError
from softdice_cli.records.intervals import ScoreInterval
from softdice_cli.records.results import (
    FORMAT,
    FORMAT_VERSION,
    SCORES,
    ClassScores,
    ClassSums,
    Failure,
    ImageRow,
    Shard,
    Summary,
    Verdict,
)
from softdice_cli.records.settings import ClassDef, Settings

T = TypeVar("T")

COUNTS = ("truth_pixels", "predicted_pixels", "true_positives")
_DEFINED = ("defined", "precision_defined", "recall_defined")
_HUGE = 1e300
_SLACK = 1.01
"""A stored probability may be above 1 by the rounding of its type."""
_SUMS = ("probability", "intersection", "truth", "predicted", "true_positives")


@dataclass(frozen=True, slots=True)
class Saved:
    """What a results file holds, without the scores, which are computed again."""

    settings: Settings
    images: tuple[ImageRow, ...]
    failures: tuple[Failure, ...]
    left_out: tuple[str, ...]
    shard: Shard | None


def row_to_json(row: ImageRow) -> dict[str, Any]:
    """A row as it stands in a results file and in a journal."""
    return {
        "id": row.id,
        "pred": row.pred,
        "gt": row.gt,
        "pixels": row.pixels,
        "ignored": row.ignored,
        "sums": {name: [getattr(sums, name) for sums in row.sums] for name in _SUMS},
    }


def row_from_json(value: Any, classes: int | None) -> ImageRow:
    """A row, checked: types, lengths, and counts that can be.

    Raises:
        ValueError: with what is wrong.
    """
    columns = [_list(_member(value, "sums", dict), name, float if i < 2 else int) for i, name in enumerate(_SUMS)]
    if len({len(column) for column in columns}) != 1 or classes not in (None, len(columns[0])):
        raise ValueError(f"the sums of image {value.get('id')!r} are not of {classes} classes")
    row = ImageRow(
        id=_member(value, "id", str),
        pred=_member(value, "pred", str),
        gt=_member(value, "gt", str),
        pixels=_member(value, "pixels", int),
        ignored=_member(value, "ignored", int),
        sums=tuple(ClassSums(*entry) for entry in zip(*columns, strict=True)),
    )
    if row.ignored < 0:
        raise ValueError(f"image {row.id!r} has fewer than 0 ignored pixels")
    for sums in row.sums:
        if (
            not 0 <= sums.true_positives <= min(sums.truth, sums.predicted)
            or max(sums.truth, sums.predicted) > row.pixels
        ):
            raise ValueError(f"the counts of image {row.id!r} contradict each other")
        if not 0 <= sums.intersection <= sums.probability <= row.pixels * _SLACK:
            raise ValueError(f"the sums of image {row.id!r} contradict each other")
    return row


def settings_to_json(settings: Settings) -> dict[str, Any]:
    """The settings as they stand in a results file; classes are written beside them."""
    return {
        "prediction": settings.prediction,
        "scale": settings.scale,
        "activation": settings.activation,
        "normalized": settings.normalized,
        "eps": settings.eps,
        "threshold": settings.threshold,
        "empty": settings.empty,
        "background": settings.background,
        "ignore": [_label(settings, value) for value in settings.ignore],
        "colors": settings.colors,
    }


def classes_to_json(settings: Settings) -> list[dict[str, Any]]:
    """The classes as they stand in a results file: name and label, in the order of the channels."""
    return [{"name": c.name, "value": None if c.value is None else _label(settings, c.value)} for c in settings.classes]


def _label(settings: Settings, value: int) -> int | str:
    return settings.label_text(value) if settings.colors else value


def read_saved(document: Any, path: str) -> Saved:
    """The rows and settings of a results file.

    Args:
        document: the parsed JSON.
        path: the file, for messages.

    Raises:
        UnreadableError: it is no results file, or of a newer version, or broken.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UnreadableError(
            "is no results file", path=path, expected=f'"format": "{FORMAT}"', hint="softdice eval --format json"
        )
    version = document.get("version")
    if version != FORMAT_VERSION:
        raise UnreadableError(
            f"has version {version!r} of the results format",
            path=path,
            expected=f"version {FORMAT_VERSION}",
            hint="update softdice: pip install -U softdice-cli",
        )
    try:
        settings = _settings(_member(document, "settings", dict), _objects(document, "classes"))
        classes = len(settings.classes)
        shard = document.get("shard")
        return Saved(
            settings=settings,
            images=tuple(row_from_json(image, classes) for image in _objects(document, "images")),
            failures=tuple(_build(Failure, entry) for entry in _objects(document, "failures")),
            left_out=tuple(_list(document, "left_out", str)),
            shard=None if shard is None else _shard(shard),
        )
    except (ValueError, ConfigError) as error:
        raise UnreadableError(f"is broken: {error}", path=path, hint="run softdice eval again") from error


def _settings(value: dict[str, Any], classes: list[dict[str, Any]]) -> Settings:
    colors = _member(value, "colors", bool)

    def label(text: Any) -> int:
        if colors and isinstance(text, str) and text.startswith("#"):
            return int(text[1:], 16)
        if colors or not _is(text, int):
            raise ValueError(f"{text!r} is no label")
        return int(text)

    known = set(settings_to_json(Settings()))
    if set(value) != known:
        raise ValueError(f"settings are {', '.join(sorted(known))}")
    plain = {name: value[name] for name in known - {"ignore", "colors"}}
    for name, kind in (("eps", float), ("threshold", float), ("normalized", bool), ("background", bool)):
        _member(value, name, kind)
    if plain["scale"] is not None:
        _member(value, "scale", int)
    return Settings(
        classes=tuple(
            ClassDef(_member(entry, "name", str), None if entry.get("value") is None else label(entry["value"]))
            for entry in classes
        ),
        ignore=tuple(label(entry) for entry in _member(value, "ignore", list)),
        colors=colors,
        **plain,
    )


def _build(kind: Callable[..., T], value: Any) -> T:
    """A flat record from an object with exactly its members."""
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: _member(value, name, int if fields[name].type == "int" else str) for name in fields})


def _shard(value: Any) -> Shard:
    shard = _build(Shard, value)
    if not 1 <= shard.index <= min(shard.count, shard.pairs):
        raise ValueError(f"there is no shard {shard.index} of {shard.count} of {shard.pairs} pairs")
    return shard


def _is(value: Any, kind: type) -> bool:
    """Whether a JSON value is of a type; an integer is a float, a bool is no integer, and NaN is nothing."""
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float) and -_HUGE < value < _HUGE
    if kind is int:
        return isinstance(value, int) and -_HUGE < value < _HUGE
    return isinstance(value, kind)


def _member(value: Any, name: str, kind: type) -> Any:
    if not isinstance(value, dict) or name not in value or not _is(value[name], kind):
        raise ValueError(f"{name!r} is missing, or no {kind.__name__}")
    return float(value[name]) if kind is float else value[name]


def _list(value: dict[str, Any], name: str, kind: type) -> list[Any]:
    entries = _member(value, name, list)
    if not all(_is(entry, kind) for entry in entries):
        raise ValueError(f"{name!r} holds something that is no {kind.__name__}")
    return [float(entry) for entry in entries] if kind is float else entries


def _objects(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return _list(value, name, dict)


def flat_to_json(record: Failure | Shard) -> dict[str, Any]:
    """A failure or a shard as it stands in a results file."""
    return asdict(record)


def scores_to_json(scores: ClassScores) -> dict[str, Any]:
    """The scores of a class as they stand in a results file."""
    names = ("name", *SCORES, *COUNTS, *(_DEFINED if scores.defined is not None else ()))
    return {name: getattr(scores, name) for name in names}


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """One of the two averages as it stands in a results file."""
    return {
        **asdict(summary.means),
        "loss_present": summary.loss_present,
        "foreground": None if summary.foreground is None else asdict(summary.foreground),
        "classes": [scores_to_json(scores) for scores in summary.classes],
    }


def interval_to_json(entry: ScoreInterval) -> dict[str, Any]:
    """A score with its interval as it stands in a results file."""
    return {
        "metric": entry.metric.name,
        "average": entry.metric.average,
        "scope": entry.scope,
        "name": entry.name,
        "value": entry.value,
        "interval": None if entry.interval is None else asdict(entry.interval),
    }


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it stands in a results file."""
    return {**asdict(verdict), "margin": verdict.margin}


def parse(data: bytes, path: str) -> Any:
    """The JSON value in a file.

    Raises:
        UnreadableError: it is not valid JSON, which knows no NaN.
    """

    def no_constant(text: str) -> None:
        raise ValueError(f"{text} is no JSON")

    try:
        return json.loads(data, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            f"is not valid JSON: {error}", path=path, expected="a file that softdice eval --format json wrote"
        ) from error
