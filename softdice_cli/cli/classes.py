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
_INTEGER = re.compile(r"[+-]?[0-9]+")
_FORMS = '["a", "b"], {"a": 0, "b": 255} or [{"name": "a", "value": 0}], alone or under "classes"'

# How many classes a hint spells out, and how many characters of a wrong entry an error quotes.
_SPELLED_OUT = 12
_QUOTED = 60


def settings_from(
    classes: list[str] | None, file: Path | None, ignore: list[str] | None, pred_labels: bool, **scores: Any
) -> Settings:
    """The settings that the options ask for.

    Raises:
        ConfigError: an option cannot be read, or two exclude each other.
    """
    if classes and file:
        raise ConfigError("cannot stand beside --classes", option="classes", hint="leave out --class or --classes")
    ignored = ignore or []
    if file:
        with _naming(file):
            definitions, colors = _definitions(read_classes(file), ignored)
            # What is wrong with these classes is wrong in the file, so it has to be found here.
            Settings(classes=definitions, colors=colors)
    else:
        named = [split_class(text) for text in classes or ()]
        definitions, colors = _definitions(named, ignored)
    labels = [_label(text, "ignore", text) for text in ignored]
    prediction: Prediction = "labels" if pred_labels else "probabilities"
    return Settings(classes=definitions, ignore=tuple(labels), colors=colors, prediction=prediction, **scores)


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
    given = [label for _, label in named if label is not None]
    colors = _are_colors(given + ignore)
    if colors and len(given) < len(named):
        raise ConfigError(
            "must give every class its colour", option="classes", hint="write NAME=#rrggbb for every class"
        )
    definitions: list[ClassDef] = []
    for position, (name, text) in enumerate(named):
        value: int | None
        if text is not None:
            value = _label(text, "classes", f"{name}={text}")
        elif len(named) > 1:
            value = position
        else:
            # The label of a single class is decided by the masks.
            value = None
        definitions.append(ClassDef(name, value))
    return tuple(definitions), colors


def _are_colors(labels: list[str]) -> bool:
    """Whether labels are colours; none of them may be of the other kind.

    Raises:
        ConfigError: some are numbers, and some are colours.
    """
    colors = [label for label in labels if label.startswith("#")]
    if colors and len(colors) < len(labels):
        raise ConfigError("labels are either all numbers or all colours", found=", ".join(labels))
    return bool(colors)


def split_class(text: str) -> tuple[str, str | None]:
    """``NAME`` or ``NAME=LABEL`` as (name, label or None); the label follows the last ``=``."""
    name, equals, label = text.rpartition("=")
    if not equals:
        return text, None
    return name, label


def read_classes(file: Path) -> list[tuple[str, str | None]]:
    """Names and labels from a JSON or TOML file.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    classes = _load(file)
    if isinstance(classes, dict):
        classes = classes.get("classes", classes)
    if classes and isinstance(classes, dict) and _first_wrong(classes) is None:
        _refuse_reversed(classes)
        return [(name, str(label)) for name, label in classes.items()]
    if classes and isinstance(classes, list):
        if all(isinstance(entry, str) for entry in classes):
            return [(name, None) for name in classes]
        if all(_is_entry(entry) for entry in classes):
            return [_named(entry) for entry in classes]
    raise ConfigError("holds no classes", path=str(file), expected=_FORMS, found=_what(classes))


def _first_wrong(classes: dict[str, Any] | list[Any]) -> str | None:
    """The first entry that is not a class, in short, or ``None``."""
    if isinstance(classes, dict):
        for name, label in classes.items():
            if not _is_label(label):
                return f"{name!r}: {_brief(label)}"
        return None
    for entry in classes:
        if not isinstance(entry, str) and not _is_entry(entry):
            return _brief(entry)
    return None


def _named(entry: dict[str, Any]) -> tuple[str, str | None]:
    """A table of a name and, perhaps, a label as (name, label or None)."""
    value = entry.get("value")
    if value is None:
        return entry["name"], None
    return entry["name"], str(value)


def _refuse_reversed(classes: dict[str, int | str]) -> None:
    """Raises ConfigError for a table whose names read as labels, and whose labels do not."""
    if not all(_reads_as_label(name) for name in classes):
        return
    if any(_reads_as_label(str(label)) for label in classes.values()):
        return
    turned = [f"{name} → {label}" for label, name in classes.items()]
    raise ConfigError(
        "label → name is the wrong way round: write name → label",
        expected=_FORMS,
        hint=f"turn it round: {', '.join(turned[:_SPELLED_OUT])}",
    )


def _reads_as_label(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None or _COLOR.fullmatch(text) is not None


def _load(file: Path) -> Any:
    """What a JSON or TOML file holds."""
    import json
    import tomllib

    suffix = file.suffix.lower()
    if suffix not in (".json", ".toml", ""):
        raise ConfigError(f"ends in {file.suffix}", path=str(file), expected=".json or .toml", hint="save it as .json")
    # A device may have no end.
    if file.is_char_device():
        raise ConfigError("is a device, and a file was expected", path=str(file), hint="check --classes")
    try:
        text = file.read_text(encoding="utf-8")
        if suffix == ".toml":
            return tomllib.loads(text)
        return json.loads(text, object_pairs_hook=_distinct)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=str(file), hint="check --classes") from error
    except ValueError as error:
        kind = suffix[1:].upper() or "JSON"
        raise ConfigError(f"is not valid {kind}: {error}", path=str(file)) from error
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
    """What was found instead of classes, down to the first entry that is not a class."""
    kind = type(classes).__name__
    if not isinstance(classes, list | dict):
        return kind
    if not classes:
        return "nothing"
    wrong = _first_wrong(classes)
    if wrong is None:
        return kind
    return f"{kind} with {wrong}"


def _brief(entry: object) -> str:
    if isinstance(entry, dict):
        return f"a table of {', '.join(entry) or 'nothing'}"
    if isinstance(entry, list):
        return "a list"
    return repr(entry)[:_QUOTED]


def _is_label(label: object) -> bool:
    return isinstance(label, int | str) and not isinstance(label, bool)


def _is_entry(entry: object) -> bool:
    """Whether this is a table of a name and, perhaps, a label."""
    if not isinstance(entry, dict) or not entry.keys() <= {"name", "value"}:
        return False
    value = entry.get("value")
    return isinstance(entry.get("name"), str) and (value is None or _is_label(value))


def _label(text: str, option: str, written: str) -> int:
    """The number behind a label; `written` is the whole of what the user wrote, for the message."""
    if match := _COLOR.fullmatch(text):
        return int(match[1], 16)
    try:
        return int(text)
    except ValueError:
        problem = f"{written!r} does not end in a label"
        if written == text:
            problem = f"{text!r} is not a label"
        raise ConfigError(problem, option=option, expected="an integer or #rrggbb") from None
