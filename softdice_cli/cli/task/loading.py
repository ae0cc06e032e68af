"""The text of a file that a user wrote, and JSON or TOML in it, in which no name may stand twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from softdice_cli.cli.file_keys import toml_table
from softdice_cli.cli.input_files import MOST_OF_LIST, read_file
from softdice_cli.errors import ConfigError, UnreadableError

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def decoded(file: Path) -> str:
    """The text of a file; UTF-8, or UTF-16 with a mark in front, as some editors and shells of Windows write it.

    Raises:
        ConfigError: it cannot be read, or is not text.
    """
    try:
        data = read_file(str(file), MOST_OF_LIST, hint="a file of classes has a line or two for each")
        return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnreadableError as error:
        # What the file means is part of the command, and not of the data.
        raise ConfigError(
            error.problem, expected=error.expected, found=error.found, hint=error.hint or "check --classes"
        ) from error
    except ValueError as error:
        raise ConfigError("is not text", expected="UTF-8", found=str(error), hint="save it as UTF-8") from error


def parsed(text: str, *, toml: bool) -> Any:
    """What JSON or TOML holds.

    Raises:
        ConfigError: it is not valid, or a name stands twice in one table.
    """
    import json

    kind = "TOML" if toml else "JSON"
    try:
        if toml:
            return toml_table(text)
        return json.loads(text, object_pairs_hook=_distinct)
    except ValueError as error:
        raise ConfigError(f"is not valid {kind}: {error}", hint="check it where the error says") from error
    except RecursionError:
        raise ConfigError("is nested too deeply", expected="classes, regions and labels") from None


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which no name may stand twice: one of the two would be lost."""
    table: dict[str, Any] = {}
    for name, value in members:
        if name in table:
            raise ConfigError(
                f"{name!r} is given twice in one table",
                hint="give every name once; several labels of one class are a list",
            )
        table[name] = value
    return table
