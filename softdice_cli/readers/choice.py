"""Which of several arrays in a file is meant."""

from __future__ import annotations

import shlex

from softdice_cli.errors import UnreadableError

_LISTED = 12


def choose(keys: list[str], key: str | None, path: str) -> str:
    """The key of the one array to read.

    Raises:
        UnreadableError: there is no array, or none of that name, or there are several and no key
            was given.
    """
    if key is None and len(keys) == 1:
        return keys[0]
    if key in keys:
        return key
    if not keys:
        raise UnreadableError("holds no array", path=path, expected="one array, or several and a key")
    problem = "holds several arrays"
    if key is not None:
        problem = f"holds no array {key!r}"
    name = shlex.quote(keys[0])
    raise UnreadableError(
        problem,
        path=path,
        expected="one array, or the name of one",
        found=listed(keys),
        hint=f"--key {name}; for the truth of eval, --gt-key {name}",
    )


def listed(keys: list[str]) -> str:
    """The first of the keys, for a message."""
    more = ", …" if len(keys) > _LISTED else ""
    return ", ".join(keys[:_LISTED]) + more
