"""Classes and their labels as a user writes them, on the command line or in a file → settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from softdice_cli.errors import ConfigError
from softdice_cli.records import ClassDef, Prediction, Settings

_COLOR = re.compile(r"#([0-9a-fA-F]{6})")
_FORMS = '["a", "b"], {"a": 0, "b": 255} or [{"name": "a", "value": 0}], alone or under "classes"'


def settings_from(
    classes: list[str] | None, file: Path | None, ignore: list[str] | None, pred_labels: bool, **scores: Any
) -> Settings:
    """The settings that the options ask for.

    Raises:
        ConfigError: an option cannot be read, or two exclude each other.
    """
    if classes and file:
        raise ConfigError("--class and --classes exclude each other", hint="use one of the two")
    prediction: Prediction = "labels" if pred_labels else "probabilities"
    if file:
        with _naming(file):
            definitions, colors = _definitions(read_classes(file), ignore or [])
            Settings(classes=definitions, colors=colors)  # what is wrong with the classes is wrong in the file
    else:
        definitions, colors = _definitions([split_class(text) for text in classes or ()], ignore or [])
    ignored = tuple(_label(text, "ignore", text) for text in ignore or ())
    return Settings(classes=definitions, ignore=ignored, colors=colors, prediction=prediction, **scores)


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Names the file, instead of the option --class, in every error about the classes that it holds."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(
            error.problem, path=str(file), expected=error.expected, found=error.found, hint=error.hint
        ) from error


def _definitions(named: list[tuple[str, str | None]], ignore: list[str]) -> tuple[tuple[ClassDef, ...], bool]:
    """The classes, and whether labels are colours."""
    labels = [label for _, label in named if label is not None] + ignore
    colors = any(label.startswith("#") for label in labels)
    if colors and not all(label.startswith("#") for label in labels):
        raise ConfigError("labels are either all numbers or all colours", found=", ".join(labels))
    if colors and any(label is None for _, label in named):
        raise ConfigError(
            "must give every class its colour", option="classes", hint="write NAME=#rrggbb for every class"
        )
    return tuple(_definition(index, name, label, len(named)) for index, (name, label) in enumerate(named)), colors


def split_class(text: str) -> tuple[str, str | None]:
    """``NAME`` or ``NAME=LABEL`` as (name, label or None); the label follows the last ``=``."""
    name, equals, label = text.rpartition("=")
    return (name, label) if equals else (text, None)


def read_classes(file: Path) -> list[tuple[str, str | None]]:
    """Names and labels from a JSON or TOML file.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    loaded = _load(file)
    classes = loaded.get("classes", loaded) if isinstance(loaded, dict) else loaded
    if isinstance(classes, list) and all(isinstance(entry, str) for entry in classes) and classes:
        return [(entry, None) for entry in classes]
    if isinstance(classes, list) and all(_is_entry(entry) for entry in classes) and classes:
        return [(entry["name"], None if entry.get("value") is None else str(entry["value"])) for entry in classes]
    if isinstance(classes, dict) and all(_is_label(label) for label in classes.values()) and classes:
        _refuse_reversed(classes)
        return [(name, str(label)) for name, label in classes.items()]
    raise ConfigError("holds no classes", path=str(file), expected=_FORMS, found=_what(classes))


def _refuse_reversed(classes: dict[str, int | str]) -> None:
    if all(map(_reads_as_label, classes)) and not any(_reads_as_label(str(label)) for label in classes.values()):
        turned = ", ".join(f"{name} → {label}" for label, name in list(classes.items())[:12])
        raise ConfigError(
            "label → name is the wrong way round: write name → label", expected=_FORMS, hint=f"turn it round: {turned}"
        )


def _reads_as_label(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+", text) is not None or _COLOR.fullmatch(text) is not None


def _load(file: Path) -> Any:
    """What a JSON or TOML file holds."""
    import json
    import tomllib

    suffix = file.suffix.lower()
    if suffix not in (".json", ".toml", ""):
        raise ConfigError(f"ends in {file.suffix}", path=str(file), expected=".json or .toml", hint="save it as .json")
    if file.is_char_device():  # which may have no end
        raise ConfigError("is a device, and a file was expected", path=str(file), hint="check --classes")
    try:
        text = file.read_text(encoding="utf-8")
        return tomllib.loads(text) if suffix == ".toml" else json.loads(text, object_pairs_hook=_distinct)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=str(file), hint="check --classes") from error
    except ValueError as error:
        raise ConfigError(f"is not valid {suffix[1:].upper() or 'JSON'}: {error}", path=str(file)) from error
    except RecursionError:
        raise ConfigError("is nested too deeply", path=str(file), expected=_FORMS) from None


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which no name may stand twice: one of the two would be lost."""
    table: dict[str, Any] = {}
    for name, value in members:
        if name in table:
            raise ConfigError(f"{name!r} is given twice in one table", hint="every class needs its own name and label")
        table[name] = value
    return table


def _what(classes: object) -> str:
    """What was found instead of classes, down to the first entry that is none."""
    wrong: list[str] = []
    if isinstance(classes, dict):
        wrong = [f"{name!r}: {_brief(label)}" for name, label in classes.items() if not _is_label(label)]
    if isinstance(classes, list):
        wrong = [_brief(entry) for entry in classes if not (isinstance(entry, str) or _is_entry(entry))]
    kind = type(classes).__name__ if classes or not isinstance(classes, list | dict) else "nothing"
    return f"{kind} with {wrong[0]}" if wrong else kind


def _brief(entry: object) -> str:
    if isinstance(entry, dict):
        return f"a table of {', '.join(entry) or 'nothing'}"
    return "a list" if isinstance(entry, list) else repr(entry)[:60]


def _is_label(label: object) -> bool:
    return isinstance(label, int | str) and not isinstance(label, bool)


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() <= {"name", "value"}
        and isinstance(entry.get("name"), str)
        and (entry.get("value") is None or _is_label(entry["value"]))
    )


def _definition(index: int, name: str, label: str | None, count: int) -> ClassDef:
    if label is None:
        return ClassDef(name, index if count > 1 else None)
    return ClassDef(name, _label(label, "classes", f"{name}={label}"))


def _label(text: str, option: str, written: str) -> int:
    """The number behind a label; `written` is the whole of what the user wrote, for the message."""
    if match := _COLOR.fullmatch(text):
        return int(match[1], 16)
    try:
        return int(text)
    except ValueError:
        raise ConfigError(
            f"{written!r} does not end in a label" if written != text else f"{text!r} is not a label",
            option=option,
            expected="an integer or #rrggbb",
        ) from None
