"""The file of ``--classes``: what kind of file it is, and our own form of it, whose keys are checked one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softdice_cli.cli.file_keys import anchored, nearest, shown
from softdice_cli.cli.task.class_tables import classes_in, is_labels
from softdice_cli.cli.task.loading import decoded, parsed
from softdice_cli.cli.task.name_lists import LIST_SUFFIXES, classes_in_lines
from softdice_cli.cli.task.others import said_by_others
from softdice_cli.cli.task.said import Limits, Named, Said
from softdice_cli.errors import ConfigError
from softdice_cli.records import Region
from softdice_cli.records.classes import MOST_CLASSES, foreground_of

_DOCUMENTS = (".json", ".toml", "")

# How like a key has to be to one of ours to be taken for a slip; 'labels' is not 'multilabel'.
_ALIKE = 0.7


def read_task(file: Path) -> Said:
    """What a file says of a task.

    Raises:
        ConfigError: it cannot be read, or holds something else; the file is named.
    """
    suffix = file.suffix.lower()
    if suffix not in (*_DOCUMENTS, *LIST_SUFFIXES):
        listed = ", ".join(LIST_SUFFIXES)
        raise ConfigError(
            f"ends in {file.suffix}",
            path=str(file),
            expected=f".json or .toml; {listed} for a name a line",
            hint="save it as .json",
        )
    with _naming(file):
        text = decoded(file)
        if suffix in LIST_SUFFIXES:
            return _alone(classes_in_lines(text))
        return _said(parsed(text, toml=suffix == ".toml"), file)


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Names the file in every error about what it holds."""
    try:
        yield
    except ConfigError as error:
        error.path = str(file)
        raise


def _said(document: Any, file: Path) -> Said:
    """What a document says: a task with keys, a file of another program, or nothing but classes."""
    if isinstance(document, dict):
        others = said_by_others(document)
        if others is not None:
            return others
        if _is_task(document):
            return _of_keys(document, file)
        _refuse_other_keys(document)
    return _alone(classes_in(document))


def _alone(classes: tuple[Named, ...]) -> Said:
    """Classes of a file that says nothing else.

    Raises:
        ConfigError: one is perhaps not a class, but what is left out.
    """
    for named in classes:
        if named.name.lower() == "ignore" and named.labels:
            raise _doubtful(named.name, "ignore")
    return Said(classes=classes)


def _doubtful(name: str, key: str) -> ConfigError:
    return ConfigError(
        f"{name!r} stands among classes, and can be one of them, or what says {_KEYS[key].says}",
        expected='{"classes": {"background": 0, "road": 1}, "ignore": 255}, in .json or .toml',
        hint=f'put the classes under "classes"; {name!r} stands there if it is a class, and beside it if it is not',
    )


def _refuse_other_keys(document: Mapping[str, Any]) -> None:
    """Raises ConfigError for a table that is not of classes, since it holds lists of names or further tables."""
    for key, value in document.items():
        names = isinstance(value, list) and bool(value) and all(isinstance(entry, str | dict) for entry in value)
        if isinstance(value, dict) or (names and not is_labels(value)):
            raise _unknown(key, value)


def _is_task(document: Mapping[str, Any]) -> bool:
    """Whether a table has our keys, and is not a table of classes by itself.

    Raises:
        ConfigError: a key of ours stands among classes, and may be one of them.
    """
    keys = {_normal(key): key for key in document}
    known = keys.keys() & _KEYS.keys()
    only_labels = all(is_labels(value) for value in document.values())
    if not known or "classes" in known or not only_labels or known == keys.keys():
        # A class may well be called so, and it means the same.
        return bool(known) and not (only_labels and keys.keys() == {"foreground"})
    # 'foreground' beside 'background' is a class; our key would stand beside others of ours.
    if known == {"foreground"}:
        return False
    key = min(known - {"foreground"})
    raise _doubtful(keys[key], key)


def _of_keys(document: Mapping[str, Any], file: Path) -> Said:
    """What our own form says; every key of it is known."""
    said: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for key, value in document.items():
        name = _normal(key)
        if name not in _KEYS:
            raise _unknown(key, value)
        if name in seen:
            raise ConfigError(f"{seen[name]} and {key} are the same", hint=f"keep {name}")
        seen[name] = key
        said |= _KEYS[name].read(key, value)
    if "classes" in seen and "num-classes" in seen:
        raise ConfigError("classes and num-classes both say what the classes are", hint="keep one of the two")
    if said.get("roi"):
        said["roi"] = anchored(said["roi"], os.path.dirname(file), pattern=True)
    return Said(**said)


def _normal(key: str) -> str:
    return key.replace("_", "-")


def _unknown(key: str, value: Any) -> ConfigError:
    hint = f"the keys are {', '.join(_KEYS)}"
    if near := nearest(key, _KEYS, likeness=_ALIKE):
        hint = f"{near} is the nearest"
    return ConfigError(f"there is no key {key!r}", found=shown(key, value), hint=hint)


def _unfitting(key: str, value: Any, expected: str, example: str) -> ConfigError:
    return ConfigError(
        f"{key} has a value that it cannot have",
        expected=expected,
        found=shown(key, value),
        hint=f"a value such as {example}",
    )


def _classes(_: str, value: Any) -> dict[str, Any]:
    return {"classes": classes_in(value)}


def _count(key: str, value: Any) -> dict[str, Any]:
    if type(value) is not int or not 2 <= value <= MOST_CLASSES:
        raise _unfitting(key, value, f"an integer from 2 to {MOST_CLASSES}", "21")
    return {"count": value}


def _regions(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unfitting(
            key, value, "a table of names and lists of classes", '{"WT": ["edema", "core"]} or {"WT": [1, 2]}'
        )
    regions: list[Region] = []
    for name, members in value.items():
        listed = members if isinstance(members, list) else [members]
        if not name or not listed or not all(_is_member(member) for member in listed):
            raise _unfitting(f"{key}: {name}", members, "a list of classes, by name or label", "[1, 2, 3]")
        regions.append(Region(name, tuple(map(str, listed))))
    return {"regions": tuple(regions)}


def _is_member(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _ignore(key: str, value: Any) -> dict[str, Any]:
    if value != [] and not is_labels(value):
        raise _unfitting(key, value, "a label, or a list of labels", "255 or [0, 255]")
    listed = value if isinstance(value, list) else [value]
    return {"ignore": tuple(map(str, listed))}


def _foreground(key: str, value: Any) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _unfitting(key, value, "nonzero, a label, or a cut such as >127", '"nonzero", 255 or ">127"')
    try:
        foreground_of(str(value))
    except ConfigError as error:
        raise _unfitting(key, value, error.expected, '"nonzero", 255 or ">127"') from None
    return {"foreground": str(value)}


def _multilabel(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, bool):
        raise _unfitting(key, value, "true or false", "true")
    return {"multilabel": value}


def _threshold(key: str, value: Any) -> dict[str, Any]:
    expected = "a number, or a table of names and numbers"
    if isinstance(value, dict):
        for name, limit in value.items():
            if not _is_number(limit):
                raise _unfitting(f"{key}: {name}", limit, "a number", "0.4")
        return {"limits": Limits(None, tuple((name, float(limit)) for name, limit in value.items()))}
    if not _is_number(value):
        raise _unfitting(key, value, expected, '0.4 or {"ET": 0.3}')
    return {"limits": Limits(float(value))}


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e9


def _only(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, str) or not value:
        raise _unfitting(key, value, "the name of a class", '"road"')
    return {"only": value}


def _white_is_zero(key: str, value: Any) -> dict[str, Any]:
    if value not in ("stored", "inverted"):
        raise _unfitting(key, value, 'one of "stored", "inverted"', '"stored"')
    return {"white_is_zero": value}


def _roi(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, str) or not value:
        raise _unfitting(
            key, value, "the path of a mask, a folder or a pattern, from the folder of this file", '"rois"'
        )
    return {"roi": value}


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of our own form.

    Attributes:
        read: its value as fields of `Said`; raises ConfigError where it cannot have it.
        says: what the key says, where its value could also be the label of a class.
    """

    read: Callable[[str, Any], dict[str, Any]]
    says: str


_KEYS: Mapping[str, _Key] = {
    "classes": _Key(_classes, "what the classes are"),
    "num-classes": _Key(_count, "how many classes there are"),
    "regions": _Key(_regions, "which classes are taken as one"),
    "ignore": _Key(_ignore, "which label is left out"),
    "foreground": _Key(_foreground, "which labels are the class"),
    "multilabel": _Key(_multilabel, "that channels are independent"),
    "threshold": _Key(_threshold, "where a class begins"),
    "only": _Key(_only, "which class is evaluated"),
    "white-is-zero": _Key(_white_is_zero, "which value is white"),
    "roi": _Key(_roi, "where the region of interest is"),
}
