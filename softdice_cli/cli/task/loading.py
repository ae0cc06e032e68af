"""The text of a file that a user wrote, and JSON or TOML in it, in which no name may stand twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from softdice_cli.errors import ConfigError

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def decoded(file: Path) -> str:
    """The text of a file; UTF-8, or UTF-16 with a mark in front, as some editors and shells of Windows write it.

    Raises:
        ConfigError: it cannot be read, or is not text.
    """
    # A device may have no end.
    if file.is_char_device():
        raise ConfigError("is a device, and a file was expected", hint="check --classes")
    try:
        data = file.read_bytes()
        return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", hint="check --classes") from error
    except ValueError as error:
        raise ConfigError("is not text", expected="UTF-8", found=str(error), hint="save it as UTF-8") from error


def parsed(text: str, *, toml: bool) -> Any:
    """What JSON or TOML holds.

    Raises:
        ConfigError: it is not valid, or a name stands twice in one table.
    """
    import json
    import tomllib

    kind = "TOML" if toml else "JSON"
    try:
        if toml:
            return tomllib.loads(text)
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
