"""Options from a file and the environment, below the flags.

What may stand in the file follows from the fields of `Eval`: a key is the long name of an option, and its value has the
TOML type of the field. Nothing here is a second list of the options.
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

from softdice_cli.errors import ConfigError, as_flag

if TYPE_CHECKING:  # most runs have no file, and need no keys
    from softdice_cli.cli.keys import Option

_OWN, _PROJECT = "softdice.toml", "pyproject.toml"
_VARIABLES = {"device": "SOFTDICE_DEVICE", "workers": "SOFTDICE_WORKERS"}
_INSTEAD = (
    ({"class_"}, {"classes"}),
    ({"classes"}, {"class_"}),
    ({"pairs"}, {"pred", "gt"}),
    ({"pred", "gt"}, {"pairs"}),
)
"""Options that exclude each other: a flag of the first takes the place of keys of the second, too."""

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
        ConfigError: the file or a variable cannot be read, or holds what is no option or no value of one.
    """
    sources = {field: ctx.get_parameter_source(field) for field in given}
    flags = {field for field, source in sources.items() if source is not None and source.name == "COMMANDLINE"}
    displaced = {field for one, other in _INSTEAD if flags & one for field in other}
    used = collect(config, no_config, job, flags | displaced)
    try:
        yield given | {field: setting.value for field, setting in used.items()}
    except Exception as error:
        if isinstance(error, ConfigError) and not error.path:
            error.path = _blamed(error, used)
        if "debug" in used and used["debug"].value:  # the flag is looked for among the arguments
            import traceback

            traceback.print_exc()
        raise


def _blamed(error: ConfigError, used: Mapping[str, Setting]) -> str:
    """The file or variable that holds the option that the error is about."""
    from softdice_cli.cli.keys import known

    wanted = as_flag(error.option).removeprefix("--")
    return next((setting.origin for field, setting in used.items() if known()[field].key == wanted), "")


def collect(
    config: Path | None, no_config: bool, job: Callable[..., object], without: Set[str] = frozenset()
) -> dict[str, Setting]:
    """What the file and the environment say of the fields of a command, but for some; a file is checked whole.

    Raises:
        ConfigError: see `settled`.
    """
    if config is not None and no_config:
        raise ConfigError("--config and --no-config exclude each other", hint="use one of the two")
    if config is not None:
        path, table = str(config), _table(str(config))
        if table is None:
            raise ConfigError("holds no [tool.softdice]", path=path, hint="write the options under [tool.softdice]")
    else:
        path, table = ("", {}) if no_config else _nearest()
    if not table and not any(map(os.environ.get, _VARIABLES.values())):
        return {}
    from softdice_cli.cli.keys import from_text, known, options_of

    wanted = options_of(job).keys() - without
    read = list(_read(path, table))
    found = {option.field: Setting(value, path) for option, value in read if option.field in wanted}
    for field, variable in _VARIABLES.items():
        if field in wanted and (text := os.environ.get(variable)):
            found[field] = Setting(from_text(known()[field], text, variable), variable)
    return found


def _nearest() -> tuple[str, dict[str, Any]]:
    """The nearest file above the working directory with options, as a path from there; an empty path for none."""
    try:
        here = os.getcwd()
    except OSError:  # it was removed
        return "", {}
    folder = ""
    while True:
        paths = filter(os.path.isfile, (os.path.join(folder, name) for name in (_OWN, _PROJECT)))
        found = [(path, table) for path in paths if (table := _table(path)) is not None]
        if len(found) > 1:
            both = " and ".join(path for path, _ in found)
            raise ConfigError(f"{both} both hold options", hint=f"keep one, or choose: --config {found[0][0]}")
        if found or os.path.dirname(here) == here:
            return found[0] if found else ("", {})
        here, folder = os.path.dirname(here), os.path.join(os.pardir, folder)


def _table(path: str) -> dict[str, Any] | None:
    """The keys in a file; ``None`` for a pyproject.toml without a table of ours, which is mostly seen unparsed."""
    project = os.path.basename(path) == _PROJECT
    try:
        data = Path(path).read_bytes()
        if project and b"softdice" not in data:
            return None
        import tomllib

        document = tomllib.loads(data.decode())
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=path, hint="check it, or --no-config") from error
    except ValueError as error:
        raise ConfigError(f"is not valid TOML: {error}", path=path, hint="mend it, or --no-config") from error
    except RecursionError:
        raise ConfigError("is nested too deeply", path=path, hint="--no-config") from None
    if not project:
        return document
    tools = document.get("tool")
    table = tools.get("softdice") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError("tool.softdice is no table", path=path, expected="[tool.softdice], and a key a line below it")
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
        yield options[name], _anchored(options[name], checked(options[name], value, path, key), path)


def _unknown(path: str, key: str, value: Any, options: Mapping[str, Option]) -> ConfigError:
    import difflib

    from softdice_cli.cli.keys import to_toml

    if key == "tool" and isinstance(value, dict):
        return ConfigError(
            f"[tool.…] is for {_PROJECT}", path=path, hint="write the keys at the top of the file, under no [table]"
        )
    near = difflib.get_close_matches(key.replace("_", "-").lower(), options, 1, cutoff=0.5)
    hint = f"{near[0]} is the nearest" if near else "softdice config lists the options"
    return ConfigError(f"there is no option {key!r}", path=path, found=f"{key} = {to_toml(value)[:60]}", hint=hint)


def _anchored(option: Option, value: Any, path: str) -> Any:
    """A value in which a relative path starts from the folder of the file that it stands in."""
    folder, metavar = os.path.dirname(path), option.info.metavar or ""
    if option.kind is list and metavar.endswith("=FILE"):
        parts = [entry.partition("=") for entry in value]
        return [name + equals + (os.path.join(folder, file) if file else "") for name, equals, file in parts]
    text = str(value)
    if not option.is_path or not folder or text in ("", "-"):
        return value
    joined = os.path.join(folder, text)
    if metavar == "PATH" and not os.path.lexists(joined):
        import glob

        if glob.has_magic(text):  # a pattern; what looks like one in the name of the folder is none
            joined = os.path.join(glob.escape(folder), text)
    return option.kind(joined)
