"""Classes in JSON or TOML, in each form in which people keep them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from softdice_cli.cli.task.labels import reads_as_label
from softdice_cli.cli.task.said import Named
from softdice_cli.errors import ConfigError

FORMS = '["a", "b"], {"a": 0, "b": [2, 5]} or [{"name": "a", "value": 0}], alone or under "classes"'

# How many characters of a wrong entry an error quotes.
_QUOTED = 60

_OURS = frozenset({"name", "value"})
# What COCO says of a category.
_CATEGORY = frozenset({"id", "name", "supercategory", "isthing", "color", "keypoints", "skeleton"})


def classes_in(value: Any) -> tuple[Named, ...]:
    """The classes of a list or a table.

    Raises:
        ConfigError: it is of another form, or holds none.
    """
    if value and isinstance(value, dict):
        return _of_table(value)
    if value and isinstance(value, list):
        return _of_list(value)
    raise refused(value)


def refused(value: Any, wrong: str = "") -> ConfigError:
    """The error for what holds no classes, down to the entry that is not one."""
    found = type(value).__name__
    if isinstance(value, list | dict) and not value:
        found = "nothing"
    if wrong:
        found = f"{found} with {wrong}"
    return ConfigError(
        "holds no classes", expected=FORMS, found=found, hint='a list of names is enough: ["background", "road"]'
    )


def _of_table(table: Mapping[str, Any]) -> tuple[Named, ...]:
    if all(map(reads_as_label, table)) and all(_is_name(value) for value in table.values()):
        return by_label(table)
    for name, value in table.items():
        if not is_labels(value, strict=False):
            raise refused(table, f"{name!r}: {_brief(value)}")
    return tuple(Named(name, labels_of(value)) for name, value in table.items())


def by_label(table: Mapping[str, str]) -> tuple[Named, ...]:
    """The classes of a table label → name, in the order of their labels; of colours, as they stand.

    Raises:
        ConfigError: a key is not a label, or a name is not one.
    """
    for label, name in table.items():
        if not reads_as_label(label) or not isinstance(name, str):
            raise refused(table, f"{label!r}: {_brief(name)}")
    if any(label.startswith("#") for label in table):
        return tuple(Named(name, (label,)) for label, name in table.items())
    # Written as text, 10 is often sorted before 2.
    return tuple(Named(table[label], (label,)) for label in sorted(table, key=int))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and not reads_as_label(value)


def _of_list(entries: list[Any]) -> tuple[Named, ...]:
    if all(isinstance(entry, str) for entry in entries):
        return tuple(map(Named, entries))
    if all(_is_entry(entry) for entry in entries):
        return tuple(Named(entry["name"], _value_of(entry)) for entry in entries)
    if all(is_category(entry) for entry in entries):
        return of_categories(entries)
    # Of names and tables mixed, each is right by itself.
    wrong = [entry for entry in entries if not isinstance(entry, str) and not _is_entry(entry)]
    raise refused(entries, _brief(wrong[0]) if wrong else "names and tables")


def of_categories(entries: list[dict[str, Any]]) -> tuple[Named, ...]:
    """The classes of a list of COCO's categories, in the order of their ids."""
    ordered = sorted(entries, key=lambda entry: entry["id"])
    return tuple(Named(entry["name"], (str(entry["id"]),)) for entry in ordered)


def is_category(entry: Any) -> bool:
    """Whether this is a category as COCO describes it."""
    if not isinstance(entry, dict) or not entry.keys() <= _CATEGORY:
        return False
    return isinstance(entry.get("name"), str) and type(entry.get("id")) is int


def _is_entry(entry: Any) -> bool:
    """Whether this is a table of a name and, perhaps, labels."""
    if not isinstance(entry, dict) or not entry.keys() <= _OURS:
        return False
    value = entry.get("value")
    return isinstance(entry.get("name"), str) and (value is None or is_labels(value, strict=False))


def _value_of(entry: dict[str, Any]) -> tuple[str, ...]:
    value = entry.get("value")
    return () if value is None else labels_of(value)


def is_labels(value: Any, *, strict: bool = True) -> bool:
    """Whether this is a label, or a list of labels.

    Args:
        value: as it was parsed.
        strict: a text must read as a label; otherwise what is wrong with it is found later, and said by its name.
    """
    if isinstance(value, list):
        return bool(value) and all(not isinstance(entry, list) and is_labels(entry, strict=strict) for entry in value)
    if isinstance(value, str):
        return not strict or reads_as_label(value)
    return isinstance(value, int) and not isinstance(value, bool)


def labels_of(value: Any) -> tuple[str, ...]:
    """A label, or a list of labels, as texts."""
    if isinstance(value, list):
        return tuple(map(str, value))
    return (str(value),)


def _brief(entry: Any) -> str:
    if isinstance(entry, dict):
        return f"a table of {', '.join(entry) or 'nothing'}"[:_QUOTED]
    if isinstance(entry, list):
        return f"a list of {', '.join(map(repr, entry)) or 'nothing'}"[:_QUOTED]
    return repr(entry)[:_QUOTED]
