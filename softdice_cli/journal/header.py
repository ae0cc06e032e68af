"""The first line of a journal: what its rows mean, and how the files of the run are read.

A journal that says anything else than the run is refused, because none of its rows could be used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.journal.seals import opened
from softdice_cli.records import Run
from softdice_cli.records.from_json import newer, settings_from_json
from softdice_cli.records.members import UnknownMember
from softdice_cli.records.to_json import classes_to_json, settings_to_json
from softdice_cli.records.version1 import SOFTWARE

FORMAT = "softdice-journal"

# How every journal begins. What does not is a file of somebody, which is not to be removed.
_BEGIN = b'{"format": "softdice-journal"'

VERSION = 2

_MEMBERS = ("format", "version", "softdice", "settings", "classes", "reading")

AGAIN = "remove the journal to begin again"
"""The hint for a journal of which nothing can be used."""


def header_of(run: Run, reading: Mapping[str, Any]) -> dict[str, Any]:
    """The first line of the journal of a run, as plain values.

    Args:
        run: what the rows will mean.
        reading: how files are read, in plain values.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "softdice": run.software,
        "settings": settings_to_json(run.settings),
        "classes": classes_to_json(run.settings),
        "reading": dict(reading),
    }


def check_header(line: bytes, mine: Mapping[str, Any], path: str) -> None:
    """Hold the first line of a journal against that of this run.

    Args:
        line: without its line end.
        mine: what `header_of` gave for this run.
        path: of the journal, for messages.

    Raises:
        InputError: the journal is of another version, damaged, or was made with other settings; or the file is not a
            journal.
    """
    if not line.startswith(_BEGIN):
        raise InputError("is not a journal of softdice", path=path, hint="name another file")
    _check_version(line, path)
    header = opened(line)
    if header is None:
        raise InputError("is damaged in its first line, which says what the others mean", path=path, hint=AGAIN)
    try:
        _check_members(header, mine, path)
    except (ValueError, TypeError, LookupError, ConfigError) as error:
        raise InputError(f"is broken, or is not a journal: {error}", path=path, hint=AGAIN) from error


def _check_version(line: bytes, path: str) -> None:
    """Raises InputError for a first line of another version, which may have another checksum or none."""
    try:
        header = json.loads(line)
        version, software = header["version"], header.get("softdice", SOFTWARE)
    except (ValueError, LookupError, RecursionError):
        return
    if version == 1:
        raise InputError(
            "was made by an older softdice, which noted too little to tell whether a file has changed",
            path=path,
            expected=f"version {VERSION}",
            found=f"version {version}",
            hint=AGAIN,
        )
    if version != VERSION:
        raise newer(f"version {version}", software, path)


def _check_members(header: Any, mine: Mapping[str, Any], path: str) -> None:
    """Raises InputError for a journal that was made with other settings, or by a newer program."""
    try:
        for member in header:
            if member not in _MEMBERS:
                raise UnknownMember(member)
        settings = settings_from_json(header["settings"], header["classes"])
    except UnknownMember as unknown:
        raise newer(unknown.where, header["softdice"], path) from unknown
    theirs = {
        "settings": settings_to_json(settings),
        "classes": classes_to_json(settings),
        "reading": header["reading"],
    }
    for part, value in theirs.items():
        if value != mine[part]:
            expected, found = _difference(mine[part], value)
            raise InputError(f"was made with other {part}", path=path, expected=expected, found=found, hint=AGAIN)


def _difference(mine: Any, theirs: Any) -> tuple[str, str]:
    """The members in which this run and a journal differ, as this run and as the journal has them."""
    if not isinstance(mine, dict) or not isinstance(theirs, dict):
        return _classes(mine), _classes(theirs)
    names = []
    for name in dict.fromkeys([*mine, *theirs]):
        if mine.get(name) != theirs.get(name):
            names.append(name)
    return _members(mine, names), _members(theirs, names)


def _members(values: dict[str, Any], names: list[str]) -> str:
    return ", ".join(f"{name} {values.get(name)}" for name in names)


def _classes(classes: Any) -> str:
    return ", ".join(f"{entry['name']}={entry['value']}" for entry in classes) or "no classes named"
