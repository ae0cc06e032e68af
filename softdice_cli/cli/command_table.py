"""The commands by name, each imported when it is called: a run pays for what it does, and ``--help`` for none of it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

from softdice_cli.records.allowance import ALL

_CONTEXT = {"help_option_names": ["--help", "-h"]}

# The first sentence of each job stands here once more, so that a list of them imports nothing.
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

_CONFIGURABLE = {"eval", "show", "merge"}

# The option whose value may be left out.
_OPTIONAL = "--allow-missing"

_NOT_PLAIN = object()
_PLAIN_INTEGER = re.compile(r"[0-9]{1,18}")
_PLAIN_FLOAT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?(e-?[0-9]{1,2})?")


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Only the names; `get_command` has the rest.
        self.commands = dict.fromkeys(_ABOUT)  # type: ignore[assignment]

    def get_params(self, ctx: Any) -> list[Any]:
        """The options, which take plain values as they are."""
        return [plainly(option) for option in super().get_params(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or ``None``."""
        if cmd_name not in _ABOUT:
            return None
        return load(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands for ``--help``."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_ABOUT.items()))


def load(name: str) -> TyperCommand:
    """The command of that name, with its options."""
    from softdice_cli.cli.typer_command import as_command

    module = import_module(f"softdice_cli.cli.{name}")
    job = getattr(module, name.capitalize())
    alone = typer.Typer(add_completion=False, rich_markup_mode="rich", context_settings=_CONTEXT)
    alone.command(name, cls=Command)(as_command(job, configurable=name in _CONFIGURABLE))
    return typer.main.get_command(alone)  # type: ignore[return-value]


class Command(TyperCommand):
    """A command whose options take plain values as they are, and one of which may stand without its value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; see `with_value`."""
        return super().parse_args(ctx, with_value(args))

    def get_params(self, ctx: Any) -> list[Any]:
        """The options; see `plainly`."""
        return [plainly(option) for option in super().get_params(ctx)]


def with_value(arguments: list[str]) -> list[str]:
    """The arguments of a command, in which ``--allow-missing`` without a bound says ``all``.

    Typer has options with a value and flags without one, but none that may be both.
    """
    if _OPTIONAL not in arguments:
        return arguments
    completed = []
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        completed.append(argument)
        if argument == _OPTIONAL and not following[:1].isdecimal() and following != ALL:
            completed.append(ALL)
    return completed


def plainly(option: Any) -> Any:
    """An option that takes what is plainly valid without Typer's conversion, which imports pydantic for any value.

    Whatever else is given, Typer converts or refuses as ever.
    """
    convert = option.process_value

    def process(ctx: Any, value: Any) -> Any:
        plain = _plain(option, value)
        if plain is _NOT_PLAIN:
            return convert(ctx, value)
        if option.callback is None:
            return plain
        return option.callback(ctx, option, plain)

    if "process_value" not in vars(option):
        option.process_value = process
    return option


def _plain(option: Any, value: Any) -> Any:
    """The value as Typer would convert it, where that is beyond doubt."""
    kind = getattr(getattr(option, "type_descriptor", None), "annotation", None)
    if option.required or kind is None:
        return _NOT_PLAIN
    if isinstance(value, str):
        return _plain_text(kind, value, option.type_descriptor.parameter_info)
    if value is None and option.multiple:
        return ()
    # What is left is a flag, a default, or what was repeated.
    if value is None or kind is bool or kind == list[str] or value is option.default:
        return value
    return _NOT_PLAIN


def _plain_text(kind: Any, text: str, bounds: Any) -> Any:
    """A text as a value of that type, where the conversion is beyond doubt."""
    if kind is str or (get_origin(kind) is Literal and text in get_args(kind)):
        return text
    if kind is Path:
        return Path(text)
    number: float
    if kind is int and _PLAIN_INTEGER.fullmatch(text):
        number = int(text)
    elif kind is float and _PLAIN_FLOAT.fullmatch(text):
        number = float(text)
    else:
        return _NOT_PLAIN
    # Typer has the message for a number that is out of bounds.
    if not _within(bounds, number):
        return _NOT_PLAIN
    return number


def _within(bounds: Any, value: float) -> bool:
    return (bounds.min is None or value >= bounds.min) and (bounds.max is None or value <= bounds.max)


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # The boxes that Typer draws need half of the time that --help may take.
    rich_markup_mode=None,
    context_settings=_CONTEXT,
)
