"""JSON values → records. What is read is checked, member by member, before it is believed.

A file may be older or newer than this program. What an older file does not say has the meaning that
it had then; what a newer file says and this program does not know is an error that tells which side
is newer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from softdice_cli.errors import ConfigError, UnreadableError
from softdice_cli.records.classes import ClassDef, Region
from softdice_cli.records.results import FORMAT, FORMAT_VERSION
from softdice_cli.records.rows import ClassSums, Confusion, Failure, ImageRow
from softdice_cli.records.run import Run, Shard, members
from softdice_cli.records.settings import Settings
from softdice_cli.records.to_json import SUMS
from softdice_cli.records.version1 import SOFTWARE, upgraded
from softdice_cli.version import __version__

T = TypeVar("T")

# Greater numbers are refused, because sums of them would overflow.
_HUGE = 1e300

# A stored probability may be above 1 by the rounding of its type, which is at most 1 + 2**-7.
_SLACK = 1.01

# What a results file may hold.
_TEXTS = tuple(member.name for member in members().values())
_RUN = (*_TEXTS, "signature", "settings", "classes", "complete", "shard", "left_out")
_SCORES = ("pooled", "image_mean", "confusion", "intervals")
_MEMBERS = ("format", "version", *_RUN, *_SCORES, "images", "failures", "requirements")

_ROW = ("id", "pred", "gt", "pixels", "ignored", "sums", "region_sums", "confusion", "classes", "regions")

_TYPES = {
    "eps": float,
    "threshold": float,
    "normalized": bool,
    "background": bool,
    "foreground": str,
    "multilabel": bool,
    "only": str,
    "white_is_zero": str,
    "roi": bool,
}

# What each option meant before there was a way to say it. An entry never changes, whatever becomes
# the default.
_BEFORE: dict[str, Any] = {
    "prediction": "probabilities",
    "scale": None,
    "activation": "none",
    "normalized": True,
    "eps": 1e-5,
    "threshold": 0.5,
    "empty": "skip",
    "background": True,
    "ignore": [],
    "colors": False,
    "regions": [],
    "foreground": "",
    "multilabel": False,
    "only": "",
    "white_is_zero": "",
    "roi": False,
    "thresholds": {},
}


class UnknownMember(Exception):  # noqa: N818 - said in the terms of the caller
    """A member that this program does not know, so that the file must be newer.

    Args:
        where: the path of the member, such as ``settings.roi``.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


def newer(where: str, software: object, path: str) -> UnreadableError:
    """The error for a file that holds a member which this program does not know."""
    if software == SOFTWARE:
        # Version 1 is complete: nothing was added to it, so the file is not newer.
        return UnreadableError(
            f"holds {where!r}, which softdice {SOFTWARE} never wrote",
            path=path,
            hint="run softdice eval again",
        )
    return UnreadableError(
        f"is newer than this softdice: it holds {where!r}, which softdice {__version__} does not know",
        path=path,
        expected="members that this softdice knows",
        found=f"{where!r}, written by softdice {software}",
        hint="pip install -U softdice-cli",
    )


def parse(data: bytes, path: str) -> Any:
    """The JSON value in a file.

    Raises:
        UnreadableError: it is not valid JSON, which knows no NaN.
    """

    def no_constant(text: str) -> None:
        raise ValueError(f"{text} is not JSON")

    try:
        return json.loads(data, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            f"is not valid JSON: {error}", path=path, expected="a file that softdice eval --format json wrote"
        ) from error


def document_of(value: Any, path: str) -> dict[str, Any]:
    """A results file in the words of the present version.

    Args:
        value: the parsed JSON.
        path: the file, for messages.

    Raises:
        UnreadableError: it is not a results file, or of a newer version of the format.
    """
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise UnreadableError(
            "is not a results file", path=path, expected=f'"format": "{FORMAT}"', hint="softdice eval --format json"
        )
    version = value.get("version")
    if version == 1:
        return upgraded(value)
    if version == FORMAT_VERSION:
        return value
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise UnreadableError(
            f"is newer than this softdice: it has version {version} of the results format",
            path=path,
            expected=f"version 1 to {FORMAT_VERSION}, which softdice {__version__} reads",
            found=f"a file of softdice {value.get('softdice', 'of an unknown version')}",
            hint="pip install -U softdice-cli",
        )
    raise UnreadableError(
        f"has version {version!r} of the results format",
        path=path,
        expected=f"version 1 to {FORMAT_VERSION}",
        hint="run softdice eval again",
    )


def run_from_json(document: dict[str, Any], path: str) -> Run:
    """The run in a results file; its scores are not looked at.

    Args:
        document: of `document_of`.
        path: the file, for messages.

    Raises:
        UnreadableError: it is broken, or holds something that this program does not know.
    """
    try:
        _refuse_unknown(document, _MEMBERS, "")
        settings = settings_from_json(_member(document, "settings", dict), _objects(document, "classes"))
        classes = len(settings.classes)
        regions = len(settings.regions)
        return Run(
            settings=settings,
            rows=tuple(row_from_json(image, classes, regions) for image in _objects(document, "images")),
            failures=_failures(document),
            left_out=tuple(_list(document, "left_out", str)),
            shard=_shard(document),
            **_texts(document),
        )
    except UnknownMember as unknown:
        raise newer(unknown.where, document.get("softdice"), path) from unknown
    except (ValueError, ConfigError) as error:
        raise UnreadableError(f"is broken: {error}", path=path, hint="run softdice eval again") from error


def settings_from_json(value: dict[str, Any], classes: list[dict[str, Any]]) -> Settings:
    """The settings; an option that is missing has the meaning that it had before there was one.

    Raises:
        UnknownMember: an option that this program does not know.
        ValueError: a value of the wrong type.
        ConfigError: a value out of range.
    """
    _refuse_unknown(value, _BEFORE, "settings.")
    options = {**_BEFORE, **value}
    for name, kind in _TYPES.items():
        _member(options, name, kind)
    if options["scale"] is not None:
        _member(options, "scale", int)
    colors = _member(options, "colors", bool)
    options["ignore"] = tuple(_label(entry, colors) for entry in _member(options, "ignore", list))
    options["regions"] = tuple(map(_region, _objects(options, "regions")))
    options["thresholds"] = tuple(_member(options, "thresholds", dict).items())
    definitions = []
    for place, entry in enumerate(classes):
        _refuse_unknown(entry, ("name", "value"), f"classes[{place}].")
        definitions.append(_class(entry, colors))
    return Settings(classes=tuple(definitions), **options)


def _class(entry: dict[str, Any], colors: bool) -> ClassDef:
    name, value = _member(entry, "name", str), entry.get("value")
    if value is None:
        return ClassDef(name, None)
    if isinstance(value, list) and len(value) > 1:
        return ClassDef(name, tuple(_label(label, colors) for label in value))
    return ClassDef(name, _label(value, colors))


def _region(entry: dict[str, Any]) -> Region:
    _refuse_unknown(entry, ("name", "members"), "settings.regions[].")
    return Region(_member(entry, "name", str), tuple(_list(entry, "members", str)))


def _label(value: Any, colors: bool) -> int:
    """A label, or a colour as ``0xRRGGBB``."""
    if colors and isinstance(value, str) and value.startswith("#"):
        return int(value[1:], 16)
    if colors or not _is(value, int):
        raise ValueError(f"{value!r} is not a label")
    return int(value)


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
    name, pixels = _member(value, "id", str), _member(value, "pixels", int)
    _refuse_unknown(value, _ROW, f"images[{name}].")
    sums = _sums(value, "sums", classes, pixels)
    regions_of_row: tuple[ClassSums, ...] = ()
    if regions != 0 and "region_sums" in value:
        regions_of_row = _sums(value, "region_sums", regions, pixels)
    elif regions or "region_sums" in value:
        raise ValueError(f"the region_sums of image {name!r} are not of {regions} regions")
    row = ImageRow(
        id=name,
        pred=_member(value, "pred", str),
        gt=_member(value, "gt", str),
        pixels=pixels,
        ignored=_member(value, "ignored", int),
        sums=sums,
        regions=regions_of_row,
        confusion=_confusion(value, len(sums)),
    )
    _check_row(row)
    return row


def _sums(value: dict[str, Any], member: str, count: int | None, pixels: int) -> tuple[ClassSums, ...]:
    """The sums of the classes, or of the regions, of an image."""
    sums = _member(value, member, dict)
    _refuse_unknown(sums, SUMS, f"images[{value['id']}].{member}.")
    columns = [_list(sums, column, kind) for column, kind in SUMS.items()]
    if len({len(column) for column in columns}) != 1 or count not in (None, len(columns[0])):
        raise ValueError(f"the {member} of image {value['id']!r} are not of {count} classes")
    return tuple(ClassSums(*entry) for entry in zip(*columns, [pixels] * len(columns[0]), strict=True))


def _confusion(value: dict[str, Any], classes: int) -> Confusion | None:
    """The confusion of an image; ``None`` where it has none."""
    if "confusion" not in value:
        return None
    entries: list[tuple[int, int, int]] = []
    for entry in _list(value, "confusion", list):
        if len(entry) != 3 or not all(_is(number, int) for number in entry):
            raise ValueError(f"{entry!r} is not a predicted class, a true class and a number of pixels")
        predicted, true, pixels = entry
        if predicted == true or not 0 <= predicted < classes or not 0 <= true < classes or pixels < 1:
            raise ValueError(f"{entry!r} is not the confusion of two of {classes} classes")
        entries.append((predicted, true, pixels))
    return tuple(entries)


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


def _texts(document: dict[str, Any]) -> dict[str, str]:
    """What the file says about the run, by field of `Run`."""
    found = {}
    for name, member in members().items():
        found[name] = member.missing
        if member.name in document:
            found[name] = _member(document, member.name, str)
    return found


def _failures(document: dict[str, Any]) -> tuple[Failure, ...]:
    failures = []
    for place, entry in enumerate(_objects(document, "failures")):
        failures.append(_build(Failure, entry, f"failures[{place}]."))
    return tuple(failures)


def _shard(document: dict[str, Any]) -> Shard | None:
    value = document.get("shard")
    if value is None:
        return None
    shard = _build(Shard, value, "shard.")
    if not 1 <= shard.index <= min(shard.count, shard.pairs):
        raise ValueError(f"there is no shard {shard.index} of {shard.count} of {shard.pairs} pairs")
    return shard


def _build(kind: Callable[..., T], value: Any, where: str) -> T:
    """A flat record of numbers and texts, from an object with exactly its members."""
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
    types = {"int": int, "str": str}
    members = {}
    for name, field in fields.items():
        members[name] = _member(value, name, types[field.type])
    _refuse_unknown(value, members, where)
    return kind(**members)


def _refuse_unknown(value: dict[str, Any], known: Collection[str], where: str) -> None:
    for name in value:
        if name not in known:
            raise UnknownMember(f"{where}{name}")


def _is(value: Any, kind: type) -> bool:
    """Whether a JSON value is of a type; an integer is also a float, a bool is not an integer, and NaN is nothing."""
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float) and -_HUGE < value < _HUGE
    if kind is int:
        return isinstance(value, int) and -_HUGE < value < _HUGE
    return isinstance(value, kind)


def _member(value: Any, name: str, kind: type) -> Any:
    if not isinstance(value, dict) or name not in value or not _is(value[name], kind):
        raise ValueError(f"{name!r} is missing, or is not of type {kind.__name__}")
    # Another program may have written 1.0 as 1.
    return kind(value[name])


def _list(value: dict[str, Any], name: str, kind: type) -> list[Any]:
    entries = _member(value, name, list)
    if not all(_is(entry, kind) for entry in entries):
        raise ValueError(f"{name!r} holds something that is not of type {kind.__name__}")
    if kind is float:
        # Another program may have written 1.0 as 1.
        return list(map(float, entries))
    return list(entries)


def _objects(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return _list(value, name, dict)
