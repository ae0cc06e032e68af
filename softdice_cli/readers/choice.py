"""Which of several arrays in a file is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from softdice_cli.errors import UnreadableError, as_flag

if TYPE_CHECKING:
    from softdice_cli.readers.source import ReadOptions

_LISTED = 12

# Keys that a hint spells out.
_PROPOSED = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One of the arrays of a file, before its values are read.

    Attributes:
        key: what it is chosen by.
        stored: its element type, or why it cannot be read.
        shape: as stored; ``None`` where it cannot be read.
    """

    key: str
    stored: str
    shape: tuple[int, ...] | None


def choose(keys: list[str], options: ReadOptions, path: str) -> str:
    """The key of the one array to read.

    Raises:
        UnreadableError: there is no array, or none of that name, or there are several and no key
            was given.
    """
    if options.key is None and len(keys) == 1:
        return keys[0]
    if options.key in keys:
        return str(options.key)
    if not keys:
        raise UnreadableError(
            "holds no array", path=path, expected="one array, or several and a key", hint="save the array alone"
        )
    problem = "holds several arrays"
    if options.key is not None:
        problem = f"holds no array {options.key!r}"
    raise UnreadableError(
        problem,
        path=path,
        expected="one array, or the name of one",
        found=listed(keys),
        hint=proposed(keys, options, path),
    )


def listed(keys: list[str]) -> str:
    """The first of the keys, for a message."""
    more = ", …" if len(keys) > _LISTED else ""
    return ", ".join(keys[:_LISTED]) + more


def proposed(keys: list[str], options: ReadOptions, path: str) -> str:
    """What to type for each of the keys, where they are few: which of them is meant is not known here."""
    import shlex

    flag = as_flag(options.option)
    if len(keys) > _PROPOSED:
        return f"{flag} and one of these names; softdice inspect {shlex.quote(path)} lists their shapes"
    return " or ".join(f"{flag} {shlex.quote(key)}" for key in keys)
