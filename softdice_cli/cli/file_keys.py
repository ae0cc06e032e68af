"""What every file of keys that a user writes needs: the nearest known key, a value in an error, a path from there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

# A key of so many parts with dots between them: a.a.a.a
_DEEP = re.compile(r"""(?<![\w"'-])(?:(?:"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|[\w-]++)[ \t]*+\.[ \t]*+){64}""")

# How many characters of a wrong value an error quotes.
_QUOTED = 60


def toml_table(text: str) -> dict[str, Any]:
    """The keys of a TOML file.

    Raises:
        ValueError: it is not valid TOML.
        RecursionError: its tables or lists lie too deep in each other.
    """
    # The time that tomllib takes grows with the square of the depth.
    if _DEEP.search(text):
        raise RecursionError
    import tomllib

    return tomllib.loads(text)


def to_toml(value: object) -> str:
    """A value as it would stand in the file, near enough to be recognised."""
    import json

    return json.dumps(value, default=str, ensure_ascii=False)


def shown(key: str, value: object) -> str:
    """A key and its value for an error, cut where it is long."""
    return f"{key} = {to_toml(value)[:_QUOTED]}"


def nearest(key: str, known: Iterable[str], *, likeness: float = 0.5) -> str:
    """The known key that is at least so like an unknown one, from 0 to 1, or an empty text."""
    import difflib

    near = difflib.get_close_matches(key.replace("_", "-").lower(), list(known), 1, cutoff=likeness)
    return near[0] if near else ""


def anchored(text: str, folder: str, *, pattern: bool) -> str:
    """A relative path that starts from the folder of the file that it stands in.

    Args:
        text: the path.
        folder: of the file; empty where that is the working directory.
        pattern: it may be a pattern.
    """
    if not folder or text in ("", "-"):
        return text
    joined = os.path.join(folder, text)
    if not pattern or os.path.lexists(joined):
        return joined
    import glob

    # The value is a pattern. What looks like a pattern in the name of the folder is not one.
    if glob.has_magic(text):
        return os.path.join(glob.escape(folder), text)
    return joined
