"""The options of `Eval` as keys of a file: their names and types, and whether a value is one of theirs.

Everything follows from the fields of the dataclass, so there is no second list of the options.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from softdice_cli.cli.eval import Eval
from softdice_cli.errors import ConfigError

_KINDS = {bool: "true or false", int: "an integer", float: "a finite number", str: "a string", Path: "a path"}


@dataclass(frozen=True, slots=True)
class Option:
    """An option as a key of the file.

    Attributes:
        key: its long name.
        field: the field that it fills.
        kind: bool, int, float, str, Path or list.
        info: what Typer was told about it.
        choices: the values that it has, if they are few.
    """

    key: str
    field: str
    kind: type
    info: Any
    choices: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            return "one of " + ", ".join(map(to_toml, self.choices))
        if self.kind is list:
            table = ", or a table of names and their labels" if self.field == "class_" else ""
            return f"a list of strings or numbers{table}"
        bounds = (("at least", self.info.min), ("at most", self.info.max))
        return " ".join([_KINDS[self.kind], *(f"of {text} {bound}" for text, bound in bounds if bound is not None)])

    @property
    def is_path(self) -> bool:
        """Whether a value is the path of a file or folder."""
        return self.kind is Path or self.info.metavar in ("PATH", "FILE")


@functools.cache
def known() -> Mapping[str, Option]:
    """The options of `Eval`, by field."""
    hints = get_type_hints(Eval, include_extras=True)
    return {field.name: _option(field.name, hints[field.name]) for field in dataclasses.fields(Eval)}


def _option(field: str, hint: Any) -> Option:
    kind, info = get_args(hint)[:2]
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    declared = [text for text in (info.default, *(info.param_decls or ())) if isinstance(text, str)]
    flags = [text.split("/")[0] for text in declared if text.startswith("--")]  # Typer calls the first the default
    key = flags[0][2:] if flags else field.replace("_", "-")
    if get_origin(kind) is Literal:
        return Option(key, field, str, info, get_args(kind))
    return Option(key, field, get_origin(kind) or kind, info)


def options_of(job: Callable[..., object]) -> Mapping[str, Option]:
    """The options that a command takes from the file, by field.

    `Eval` takes all; another command those that it shares with `Eval`, but for how and where its result is written:
    the file's ``output`` is the output of eval, and is not to be overwritten by what shows it.
    """
    fields = inspect.signature(job).parameters
    return {
        field: option
        for field, option in known().items()
        if job is Eval or (field in fields and option.info.rich_help_panel != "Output")
    }


def checked(option: Option, value: Any, path: str, key: str) -> Any:
    """A value as the command line would give it.

    Raises:
        ConfigError: its type, or its size, is another.
    """
    if _fits(option, value):
        if option.kind is list:
            pairs = [f"{name}={label}" for name, label in value.items()] if isinstance(value, dict) else value
            return [str(entry) for entry in pairs]
        return option.kind(value)
    hint = "softdice eval --help"
    if option.kind is list and _is_entry(value):
        hint = f"{key} = [{to_toml(value)}]"
    if option.kind in (str, Path) and not option.choices and _is_entry(value):
        hint = f'{key} = "{to_toml(value)}"'
    found = f"{key} = {to_toml(value)[:60]}"
    problem = "has a value that it cannot have"
    if key != path:
        problem = f"{key} {problem}"
    raise ConfigError(problem, path=path, expected=option.expected, found=found, hint=hint)


def _fits(option: Option, value: Any) -> bool:
    if option.kind is list:
        if isinstance(value, dict) and option.field == "class_":
            return all(_is_entry(label) and not isinstance(label, float) for label in value.values())
        return isinstance(value, list) and all(map(_is_entry, value))
    if option.kind is bool or isinstance(value, bool):
        return option.kind is bool and isinstance(value, bool)
    if option.kind in (int, float):
        low, high = option.info.min, option.info.max
        return (
            isinstance(value, (int, float) if option.kind is float else int)
            and abs(value) <= _LARGEST
            and (low is None or value >= low)
            and (high is None or value <= high)
        )
    return isinstance(value, str) and (not option.choices or value in option.choices)


_LARGEST = 1.7976931348623157e308
"""The largest float: what is greater, infinite or NaN is no finite number."""


def _is_entry(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def from_text(option: Option, text: str, variable: str) -> Any:
    """The value of a variable.

    Raises:
        ConfigError: it is none of the option.
    """
    number = option.kind is int and re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip())
    return checked(option, int(text) if number else text, variable, variable)


def to_toml(value: object) -> str:
    """A value as it would stand in the file, near enough to be recognised."""
    return json.dumps(value, default=str, ensure_ascii=False)
