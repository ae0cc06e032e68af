"""The options of `Eval` as keys of a file: their names and types, and whether a value is one of theirs.

Everything follows from the fields of the dataclass, so there is no second list of the options.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from softdice_cli.cli.eval import Eval
from softdice_cli.cli.file_keys import shown, to_toml
from softdice_cli.cli.options import Trait
from softdice_cli.errors import ConfigError
from softdice_cli.records.allowance import ALL

# What is greater, infinite or NaN is not a finite number.
_LARGEST_FLOAT = sys.float_info.max

_KINDS = {bool: "true or false", int: "an integer", float: "a finite number", str: "a string", Path: "a path"}

_LIST = "a list of strings or numbers"
_TABLES = {
    Trait.LABELS: f"{_LIST}, or a table of names and their labels",
    Trait.MEMBERS: "a list of strings, or a table of names and lists of classes",
    Trait.NUMBERS: "a finite number, or a table of names and numbers",
}
_BOUND = 'true for any number, a number of pairs, or a share such as "2%"'


@dataclass(frozen=True, slots=True)
class Option:
    """An option as a key of the file.

    Attributes:
        key: its long name.
        field: the field that it fills.
        kind: bool, int, float, str, Path or list.
        info: what Typer was told about it.
        traits: what it is beyond its type.
        choices: the values that it has, if they are few.
    """

    key: str
    field: str
    kind: type
    info: Any
    traits: frozenset[Trait] = frozenset()
    choices: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            return "one of " + ", ".join(to_toml(choice) for choice in self.choices)
        if Trait.BOUND in self.traits:
            return _BOUND
        if self.kind is list:
            return _LIST if self.table is None else _TABLES[self.table]
        text = _KINDS[self.kind]
        if self.info.min is not None:
            text += f" of at least {self.info.min}"
        if self.info.max is not None:
            text += f" of at most {self.info.max}"
        return text

    @property
    def table(self) -> Trait | None:
        """What a table of names says in the place of a list, or ``None`` where there is none."""
        return next((trait for trait in _TABLES if trait in self.traits), None)

    @property
    def is_path(self) -> bool:
        """Whether a value is the path of a file or folder."""
        return self.kind is Path or not self.traits.isdisjoint((Trait.FILE, Trait.PATTERN))


@functools.cache
def known() -> Mapping[str, Option]:
    """The options of `Eval`, by field."""
    hints = get_type_hints(Eval, include_extras=True)
    return {field.name: _option(field.name, hints[field.name]) for field in dataclasses.fields(Eval)}


def _option(field: str, hint: Any) -> Option:
    kind, info, *traits = get_args(hint)
    if get_origin(kind) in (Union, types.UnionType):
        kind = _without_none(kind)
    key = _long_name(info) or field.replace("_", "-")
    if get_origin(kind) is Literal:
        return Option(key, field, str, info, frozenset(traits), get_args(kind))
    return Option(key, field, get_origin(kind) or kind, info, frozenset(traits))


def _without_none(union: Any) -> Any:
    """The type of an option that may also be left out."""
    return next(part for part in get_args(union) if part is not type(None))


def _long_name(info: Any) -> str:
    """The first long flag that was declared, without its dashes; an empty text where Typer makes it from the field."""
    # Typer calls the first name the default.
    for declared in (info.default, *(info.param_decls or ())):
        if isinstance(declared, str) and declared.startswith("--"):
            return declared.split("/")[0].removeprefix("--")
    return ""


def options_of(job: Callable[..., object]) -> Mapping[str, Option]:
    """The options that a command takes from the file, by field.

    `Eval` takes all of them. Another command takes those that it shares with `Eval`, except for how
    and where its result is written: the file's ``output`` is the output of eval, and what shows it
    must not replace it.
    """
    if job is Eval:
        return known()
    fields = inspect.signature(job).parameters
    shared: dict[str, Option] = {}
    for field, option in known().items():
        if field in fields and Trait.OF_EVAL not in option.traits:
            shared[field] = option
    return shared


def checked(option: Option, value: Any, path: str, key: str) -> Any:
    """A value as the command line would give it.

    Raises:
        ConfigError: its type or its size does not fit.
    """
    if not _fits(option, value):
        raise _unfitting(option, value, path, key)
    if Trait.BOUND in option.traits and isinstance(value, bool):
        return ALL if value else None
    if option.kind is not list:
        return option.kind(value)
    if isinstance(value, dict):
        return [f"{name}={_joined(entry)}" for name, entry in value.items()]
    if not isinstance(value, list):
        return [str(value)]
    return [str(entry) for entry in value]


def _joined(entry: Any) -> str:
    """The value of a name in a table, as the command line has it."""
    if isinstance(entry, list):
        return "+".join(map(str, entry))
    return str(entry)


def _unfitting(option: Option, value: Any, path: str, key: str) -> ConfigError:
    """The error of a value that the option cannot have; where there is no file, the path is the key itself."""
    written = to_toml(value)
    hint = "softdice eval --help"
    if _is_entry(value) and option.kind is list:
        hint = f"{key} = [{written}]"
    elif _is_entry(value) and option.kind in (str, Path) and not option.choices and Trait.BOUND not in option.traits:
        hint = f'{key} = "{written}"'
    elif isinstance(value, dict) and option.field == "classes":
        hint = "class = {…} for the table of the classes; classes names a file of them"
    problem = "has a value that it cannot have"
    if key != path:
        problem = f"{key} {problem}"
    return ConfigError(problem, path=path, expected=option.expected, found=shown(key, value), hint=hint)


def _fits(option: Option, value: Any) -> bool:
    if option.kind is list:
        return _fits_list(option, value)
    if Trait.BOUND in option.traits:
        return isinstance(value, str | int) and (isinstance(value, str) or value >= 0)
    # In Python, true and false are also integers.
    if option.kind is bool or isinstance(value, bool):
        return option.kind is bool and isinstance(value, bool)
    if option.kind is int:
        return isinstance(value, int) and _is_within(value, option.info)
    if option.kind is float:
        return isinstance(value, int | float) and _is_within(value, option.info)
    return isinstance(value, str) and (not option.choices or value in option.choices)


def _fits_list(option: Option, value: Any) -> bool:
    if isinstance(value, dict):
        return option.table is not None and all(_IN_TABLE[option.table](entry) for entry in value.values())
    if option.table is Trait.NUMBERS and not isinstance(value, list):
        return _is_number(value)
    return isinstance(value, list) and all(_is_entry(entry) for entry in value)


def _is_within(value: float, bounds: Any) -> bool:
    if not abs(value) <= _LARGEST_FLOAT:
        return False
    return (bounds.min is None or value >= bounds.min) and (bounds.max is None or value <= bounds.max)


def _is_label(value: object) -> bool:
    return _is_entry(value) and not isinstance(value, float)


def _are_labels(value: object) -> bool:
    """Whether this is a label, or a list of labels."""
    if isinstance(value, list):
        return bool(value) and all(_is_label(label) for label in value)
    return _is_label(value)


def _are_members(value: object) -> bool:
    """Whether these are classes by name or label, whose texts can be joined and parted again."""
    return _are_labels(value) and "+" not in "".join(map(str, value if isinstance(value, list) else ()))


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST_FLOAT


def _is_entry(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


_IN_TABLE = {Trait.LABELS: _are_labels, Trait.MEMBERS: _are_members, Trait.NUMBERS: _is_number}


def from_text(option: Option, text: str, variable: str) -> Any:
    """The value of a variable.

    Raises:
        ConfigError: the option cannot have it.
    """
    value: int | str = text
    if option.kind is int and re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        value = int(text)
    return checked(option, value, variable, variable)
