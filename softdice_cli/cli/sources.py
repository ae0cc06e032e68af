"""Options from a file and the environment, below the flags.

What may stand in the file follows from the fields of `Eval`: a key is the long name of an option,
and its value has the TOML type of the field. Nothing here is a second list of the options.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from softdice_cli.cli.file_keys import anchored, nearest, shown, toml_table
from softdice_cli.cli.input_files import MOST_OF_OPTIONS, read_file
from softdice_cli.cli.options import Trait
from softdice_cli.errors import ConfigError, UnreadableError, as_flag

# Most runs have no file, and need no keys.
if TYPE_CHECKING:
    from softdice_cli.cli.keys import Option

_OWN, _PROJECT = "softdice.toml", "pyproject.toml"

# The table of a project file that is ours.
_TABLE = "softdice"
_VARIABLES = {"device": "SOFTDICE_DEVICE", "workers": "SOFTDICE_WORKERS"}

# Options that exclude each other: a flag of the first set also takes the place of keys of the
# second.
_INSTEAD = (
    ({"class_"}, {"classes", "num_classes"}),
    ({"num_classes"}, {"classes", "class_"}),
    ({"classes"}, {"class_", "num_classes", "region"}),
    ({"pairs"}, {"pred", "gt"}),
    ({"pred", "gt"}, {"pairs"}),
)

_PANEL = "Configuration"
File = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Options from this file, not from the nearest softdice.toml or pyproject.toml; flags win.",
        rich_help_panel=_PANEL,
    ),
]
NoFile = Annotated[bool, typer.Option("--no-config", help="No options from any file.", rich_help_panel=_PANEL)]


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and where it came from: ``default``, the path of a file, or the name of a variable."""

    value: Any
    origin: str


def parameters() -> list[inspect.Parameter]:
    """What `settled` needs beside the options of a command, as parameters for Typer."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter("config", kind, default=None, annotation=File),
        inspect.Parameter("no_config", kind, default=False, annotation=NoFile),
        inspect.Parameter("ctx", kind, annotation=typer.Context),
    ]


@contextmanager
def settled(
    job: Callable[..., object], *, ctx: typer.Context, config: Path | None, no_config: bool, **given: Any
) -> Iterator[dict[str, Any]]:
    """The values of a command's options: flags, then the environment, then the file, then the defaults.

    What is wrong with a value is said of the file or variable that it stands in.

    Raises:
        ConfigError: the file or a variable cannot be read, or holds what is not an option, or not a
            value of one.
    """
    flags = {field for field in given if _is_flag(ctx, field)}
    used = collect(config, no_config, job, flags | _displaced(flags))
    values = {field: setting.value for field, setting in used.items()}
    try:
        yield given | values
    except Exception as error:
        if isinstance(error, ConfigError) and not error.path:
            error.path = _blamed(error, used)
        # The flag itself is looked for among the arguments.
        if values.get("debug"):
            import traceback

            traceback.print_exc()
        raise


def _is_flag(ctx: typer.Context, field: str) -> bool:
    """Whether the value of a field was given on the command line."""
    source = ctx.get_parameter_source(field)
    return source is not None and source.name == "COMMANDLINE"


def _displaced(flags: Set[str]) -> Set[str]:
    """The fields whose place is taken by flags that exclude them."""
    displaced: set[str] = set()
    for one, other in _INSTEAD:
        if flags & one:
            displaced |= other
    return displaced


def _blamed(error: ConfigError, used: Mapping[str, Setting]) -> str:
    """The file or variable that holds the option that the error is about, or an empty text."""
    from softdice_cli.cli.keys import known

    wanted = as_flag(error.option).removeprefix("--")
    for field, setting in used.items():
        if known()[field].key == wanted:
            return setting.origin
    return ""


def collect(
    config: Path | None, no_config: bool, job: Callable[..., object], without: Set[str] = frozenset()
) -> dict[str, Setting]:
    """What the file and the environment say of the fields of a command; the file is checked as a whole.

    Args:
        config: the file that was asked for, or ``None`` for the nearest one.
        no_config: read no file.
        job: the command.
        without: fields that are decided elsewhere.

    Raises:
        ConfigError: see `settled`.
    """
    path, table = _chosen(config, no_config)
    if not table and not any(os.environ.get(variable) for variable in _VARIABLES.values()):
        return {}
    from softdice_cli.cli.keys import from_text, known, options_of

    wanted = options_of(job).keys() - without
    found: dict[str, Setting] = {}
    for option, value in _read(path, table):
        if option.field in wanted:
            found[option.field] = Setting(value, path)
    for field, variable in _VARIABLES.items():
        text = os.environ.get(variable)
        if field in wanted and text:
            found[field] = Setting(from_text(known()[field], text, variable), variable)
    return found


def _chosen(config: Path | None, no_config: bool) -> tuple[str, dict[str, Any]]:
    """The path of the file of options, and its keys; both are empty where there is none."""
    if config is None:
        if no_config:
            return "", {}
        return _nearest()
    if no_config:
        raise ConfigError("cannot stand beside --no-config", option="config", against="no_config")
    path = str(config)
    table = _table(path)
    if table is None:
        raise ConfigError("holds no [tool.softdice]", path=path, hint="write the options under [tool.softdice]")
    return path, table


def _nearest() -> tuple[str, dict[str, Any]]:
    """The nearest file above the working directory with options, as a path from there; an empty path for none."""
    try:
        here = os.getcwd()
    except OSError:
        # The working directory was removed.
        return "", {}
    folder = ""
    while True:
        found = _tables_in(folder)
        if len(found) > 1:
            (one, _), (other, _) = found
            raise ConfigError(f"{one} and {other} both hold options", hint=f"keep one, or choose: --config {one}")
        if found:
            return found[0]
        above = os.path.dirname(here)
        if above == here:
            return "", {}
        here = above
        folder = os.path.join(os.pardir, folder)


def _tables_in(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """The files of a folder that hold options, with their keys."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name in (_OWN, _PROJECT):
        path = os.path.join(folder, name)
        # A link to nothing is an error, as the gate in it would be gone.
        if not os.path.lexists(path) or os.path.isdir(path):
            continue
        table = _table(path)
        if table is not None:
            found.append((path, table))
    return found


def _table(path: str) -> dict[str, Any] | None:
    """The keys in a file; ``None`` for a pyproject.toml without a table of ours."""
    project = os.path.basename(path) == _PROJECT
    try:
        data = read_file(path, MOST_OF_OPTIONS)
        # Parsing takes longer than a look at the bytes.
        if project and b"softdice" not in data.lower():
            return None
        document = toml_table(data.decode())
    except UnreadableError as error:
        raise ConfigError(error.problem, path=path, expected=error.expected, hint="check it, or --no-config") from error
    except ValueError as error:
        raise ConfigError(f"is not valid TOML: {error}", path=path, hint="fix it, or --no-config") from error
    except RecursionError:
        raise ConfigError("is nested too deeply", path=path, hint="--no-config") from None
    if not project:
        return document
    tools = document.get("tool")
    if not isinstance(tools, dict):
        return None
    for name in tools:
        if name != _TABLE and name.lower().replace("_", "-") in (_TABLE, "softdice-cli"):
            raise ConfigError(f"[tool.{name}] is not read", path=path, expected=f"[tool.{_TABLE}]", hint="rename it")
    table = tools.get(_TABLE)
    if table is not None and not isinstance(table, dict):
        raise ConfigError(
            "tool.softdice is not a table", path=path, expected="[tool.softdice], and one key on each line below it"
        )
    return table


def _read(path: str, table: Mapping[str, Any]) -> Iterator[tuple[Option, Any]]:
    """The options that the keys name, and their values as the command line would have them."""
    from softdice_cli.cli.keys import checked, known

    options = {option.key: option for option in known().values()}
    seen: dict[str, str] = {}
    for key, value in table.items():
        name = key.replace("_", "-")
        if name not in options:
            raise _unknown(path, key, value, options)
        if name in seen:
            raise ConfigError(f"{seen[name]} and {key} are the same option", path=path, hint=f"keep {name}")
        seen[name] = key
        option = options[name]
        yield option, _anchored(option, checked(option, value, path, key), path)


def _unknown(path: str, key: str, value: Any, options: Mapping[str, Option]) -> ConfigError:
    if key == "tool" and isinstance(value, dict):
        return ConfigError(
            f"[tool.…] is for {_PROJECT}", path=path, hint="write the keys at the top of the file, under no [table]"
        )
    hint = "softdice config lists the options"
    if near := nearest(key, options):
        hint = f"{near} is the nearest"
    # What the file of --classes calls so.
    if key == "regions":
        hint = "region = {…} for the table of the regions"
    return ConfigError(f"there is no option {key!r}", path=path, found=shown(key, value), hint=hint)


def _anchored(option: Option, value: Any, path: str) -> Any:
    """A value in which a relative path starts from the folder of the file that it stands in."""
    folder = os.path.dirname(path)
    if Trait.NAMED_FILE in option.traits:
        return [_anchored_entry(entry, folder) for entry in value]
    if not option.is_path:
        return value
    return option.kind(anchored(str(value), folder, pattern=Trait.PATTERN in option.traits))


def _anchored_entry(entry: str, folder: str) -> str:
    """``NAME=FILE`` with its file anchored."""
    name, equals, file = entry.partition("=")
    if file:
        file = os.path.join(folder, file)
    return name + equals + file
