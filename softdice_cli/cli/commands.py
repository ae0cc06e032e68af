"""The commands by name, each imported when it is called: a run pays for what it does, and ``--help`` for none of it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

_CONTEXT = {"help_option_names": ["--help", "-h"]}

_ABOUT = {
    "eval": "Evaluate saved predictions against their masks: per-class soft-Dice loss and hard Dice.",
    "inspect": "Look into files: format, shape, type, range, sums, labels, and what they suggest for eval.",
    "show": "Show saved results in any format; every score is computed again from the saved sums.",
    "merge": "Merge the results of shards, or of separate runs: the same bytes as a single run, in any order.",
    "compare": "Compare two saved results of the same images: differences, bootstrap intervals, permutation p-values.",
    "config": "Show the options of eval in force here, and where each came from: default, file or environment.",
    "schema": "Print the JSON Schema of the results file.",
    "selfcheck": "Rebuild a known example and compare its numbers on a device; exit 4 if any differs.",
}
"""The first sentence of each job, here once more so that a list of them imports nothing."""

_MODULES = {"show": "saved", "merge": "saved", "schema": "saved"}
_CONFIGURABLE = {"eval", "show", "merge"}


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = dict.fromkeys(_ABOUT)  # type: ignore[assignment]  # the names; get_command has the rest

    def get_params(self, ctx: Any) -> list[Any]:
        """The options, which take plain values as they are."""
        return list(map(plainly, super().get_params(ctx)))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or ``None``."""
        return load(cmd_name) if cmd_name in _ABOUT else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands for ``--help``."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_ABOUT.items()))


def load(name: str) -> TyperCommand:
    """The command of that name, with its options."""
    from softdice_cli.cli.command import as_command

    job = getattr(import_module(f"softdice_cli.cli.{_MODULES.get(name, name)}"), name.capitalize())
    alone = typer.Typer(add_completion=False, rich_markup_mode="rich", context_settings=_CONTEXT)
    alone.command(name, cls=Command)(as_command(job, configurable=name in _CONFIGURABLE))
    return typer.main.get_command(alone)  # type: ignore[return-value]


class Command(TyperCommand):
    """A command whose options take plain values as they are."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options; see `plainly`."""
        return list(map(plainly, super().get_params(ctx)))


def plainly(option: Any) -> Any:
    """An option that takes what is plainly valid without Typer's conversion, which imports pydantic for any value.

    Whatever else is given, Typer converts or refuses as ever.
    """
    convert = option.process_value

    def process(ctx: Any, value: Any) -> Any:
        plain = _plain(option, value)
        if plain is _NOT_PLAIN:
            return convert(ctx, value)
        return plain if option.callback is None else option.callback(ctx, option, plain)

    if "process_value" not in vars(option):
        option.process_value = process
    return option


_NOT_PLAIN = object()


def _plain(option: Any, value: Any) -> Any:
    """The value as Typer would convert it, where that is beyond doubt."""
    kind = getattr(getattr(option, "type_descriptor", None), "annotation", None)
    if option.required or kind is None:
        return _NOT_PLAIN
    if value is None:
        return () if option.multiple else None
    if not isinstance(value, str):  # a flag, a default, or what was repeated
        return value if kind is bool or kind == list[str] or value is option.default else _NOT_PLAIN
    if kind is str or (get_origin(kind) is Literal and value in get_args(kind)):
        return value
    if kind is Path:
        return Path(value)
    if kind is int and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value) if _within(option.type_descriptor.parameter_info, int(value)) else _NOT_PLAIN
    if kind is float and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?(e-?[0-9]{1,2})?", value):
        return float(value) if _within(option.type_descriptor.parameter_info, float(value)) else _NOT_PLAIN
    return _NOT_PLAIN


def _within(bounds: Any, value: float) -> bool:
    return (bounds.min is None or value >= bounds.min) and (bounds.max is None or value <= bounds.max)


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # what Typer needs for boxes is half of the time that --help may take
    context_settings=_CONTEXT,
)
