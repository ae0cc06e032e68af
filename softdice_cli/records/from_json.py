"""JSON values → records. What is read is checked, member by member, before it is believed.

A file may be older or newer than this program. What an older file does not say has the meaning that
it had then; what a newer file says and this program does not know is an error that tells which side
is newer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from softdice_cli.errors import ConfigError, UnreadableError
from softdice_cli.records.classes import ClassDef, Region
from softdice_cli.records.members import UnknownMember, is_of, list_of, member, objects, refuse_unknown
from softdice_cli.records.results import FORMAT, FORMAT_VERSION
from softdice_cli.records.row_from_json import row_from_json
from softdice_cli.records.rows import Failure
from softdice_cli.records.run import Run, Shard, members
from softdice_cli.records.settings import Settings
from softdice_cli.records.version1 import SOFTWARE, upgraded
from softdice_cli.version import __version__

T = TypeVar("T")

# What a results file may hold.
_TEXTS = tuple(member.name for member in members().values())
_RUN = (*_TEXTS, "signature", "settings", "classes", "complete", "shard", "left_out")
_SCORES = ("pooled", "image_mean", "confusion", "intervals")
_MEMBERS = ("format", "version", *_RUN, *_SCORES, "images", "failures", "requirements")

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
        UnreadableError: it is not valid JSON, which knows no NaN, or a name stands twice in one object.
    """

    def no_constant(text: str) -> None:
        raise ValueError(f"{text} is not JSON")

    try:
        return json.loads(data, parse_constant=no_constant, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            f"is not valid JSON: {error}", path=path, expected="a file that softdice eval --format json wrote"
        ) from error


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which no name may stand twice: one of the two would be lost."""
    table = dict(members)
    if len(table) < len(members):
        names: set[str] = set()
        for name, _ in members:
            if name in names:
                raise ValueError(f"{name!r} stands twice in one object")
            names.add(name)
    return table


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
        refuse_unknown(document, _MEMBERS, "")
        settings = settings_from_json(member(document, "settings", dict), objects(document, "classes"))
        classes = len(settings.classes)
        regions = len(settings.regions)
        return Run(
            settings=settings,
            rows=tuple(row_from_json(image, classes, regions) for image in objects(document, "images")),
            failures=_failures(document),
            left_out=tuple(list_of(document, "left_out", str)),
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
    refuse_unknown(value, _BEFORE, "settings.")
    options = {**_BEFORE, **value}
    for name, kind in _TYPES.items():
        member(options, name, kind)
    if options["scale"] is not None:
        member(options, "scale", int)
    colors = member(options, "colors", bool)
    options["ignore"] = tuple(_label(entry, colors) for entry in member(options, "ignore", list))
    options["regions"] = tuple(map(_region, objects(options, "regions")))
    options["thresholds"] = tuple(member(options, "thresholds", dict).items())
    definitions = []
    for place, entry in enumerate(classes):
        refuse_unknown(entry, ("name", "value"), f"classes[{place}].")
        definitions.append(_class(entry, colors))
    return Settings(classes=tuple(definitions), **options)


def _class(entry: dict[str, Any], colors: bool) -> ClassDef:
    name, value = member(entry, "name", str), entry.get("value")
    if value is None:
        return ClassDef(name, None)
    if isinstance(value, list) and len(value) > 1:
        return ClassDef(name, tuple(_label(label, colors) for label in value))
    return ClassDef(name, _label(value, colors))


def _region(entry: dict[str, Any]) -> Region:
    refuse_unknown(entry, ("name", "members"), "settings.regions[].")
    return Region(member(entry, "name", str), tuple(list_of(entry, "members", str)))


def _label(value: Any, colors: bool) -> int:
    """A label, or a colour as ``0xRRGGBB``."""
    if colors and isinstance(value, str) and value.startswith("#"):
        return int(value[1:], 16)
    if colors or not is_of(value, int):
        raise ValueError(f"{value!r} is not a label")
    return int(value)


def _texts(document: dict[str, Any]) -> dict[str, str]:
    """What the file says about the run, by field of `Run`."""
    found = {}
    for name, text in members().items():
        found[name] = text.missing
        if text.name in document:
            found[name] = member(document, text.name, str)
    return found


def _failures(document: dict[str, Any]) -> tuple[Failure, ...]:
    failures = []
    for place, entry in enumerate(objects(document, "failures")):
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
        members[name] = member(value, name, types[field.type])
    refuse_unknown(value, members, where)
    return kind(**members)
