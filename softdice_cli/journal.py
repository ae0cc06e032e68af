"""A journal of finished pairs, so that a run that was cut off can go on where it stopped.

Each pair is one line of JSON, which is written whole, and the first line says what the rows mean.
Failures are not written, so they are tried again. A journal of other settings, or of files that
changed since, is refused.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.records import ImageRow, Run
from softdice_cli.records.from_json import newer, settings_from_json
from softdice_cli.records.members import UnknownMember
from softdice_cli.records.row_from_json import row_from_json
from softdice_cli.records.to_json import classes_to_json, row_to_json, settings_to_json

FORMAT = "softdice-journal"

# How every journal begins. What does not is a file of somebody, which is not to be removed.
_BEGIN = b'{"format": "softdice-journal"'

VERSION = 1

# How often the file is forced to the disk. A power failure costs the pairs of that time.
_SYNC_SECONDS = 1.0

# The members of the first line.
_HEADER = ("format", "version", "softdice", "settings", "classes", "reading")

# On Windows, a file is otherwise opened as text, in which line breaks are changed.
_BINARY = getattr(os, "O_BINARY", 0)

Stamp = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds."""


class Journal:
    """The journal of one run: a context manager that keeps other runs out of the file.

    Args:
        path: the file; it is made if it is not there.
        run: what the rows will mean, before the first prediction says how many classes there are.
        reading: how files are read, in plain values.
        pairs: the files of each pair of the run by id: the prediction, the truth, and perhaps a region of interest.

    Raises:
        InputError: it was made with other settings, or of other pairs or files; it is in use, or is
            not a journal.
    """

    def __init__(self, path: Path, run: Run, reading: Mapping[str, Any], pairs: Mapping[str, tuple[str, ...]]) -> None:
        self._path = path
        self._pairs = pairs
        self._header = {
            "format": FORMAT,
            "version": VERSION,
            "softdice": run.software,
            "settings": settings_to_json(run.settings),
            "classes": classes_to_json(run.settings),
            "reading": dict(reading),
        }
        self._done: dict[str, list[ImageRow]] = {}
        self._found: dict[str, dict[str, Any]] = {}
        self._synced = 0.0

    def __enter__(self) -> Journal:
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o666)
        except OSError as error:
            raise self._refuse(f"cannot be opened: {error.strerror}", hint="check --journal") from error
        try:
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                raise self._refuse("is not a regular file", hint="name a file")
            self._lock()
            self._load()
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)

    def __contains__(self, id: str) -> bool:
        return id in self._done

    def rows(self, id: str) -> list[ImageRow] | None:
        """The rows of a pair that was finished before, or ``None``."""
        return self._done.get(id)

    def found(self, id: str) -> Mapping[str, Any]:
        """What the files of a finished pair showed of the meaning of the run, in plain values."""
        return self._found.get(id, {})

    def add(
        self, id: str, stamps: tuple[Stamp, ...], rows: list[ImageRow], found: Mapping[str, Any] | None = None
    ) -> None:
        """Note a finished pair.

        Args:
            id: of the pair.
            stamps: what `stamp` gave for its files before they were read.
            rows: what the pair gave, a row an image.
            found: what its files show of the meaning of the run: ``labels`` as (path, label), and ``palettes`` as
                (path, pairs of label and colour).
        """
        shown = {name: value for name, value in (found or {}).items() if value}
        self._write({"id": id, "files": stamps, "rows": [row_to_json(row) for row in rows], **shown})

    def _write(self, entry: object) -> None:
        line = json.dumps(entry, allow_nan=False).encode() + b"\n"
        try:
            # One call writes the whole line, unless the disk is full; reading drops half a line.
            while line:
                written = os.write(self._file, line)
                line = line[written:]
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                os.fsync(self._file)
                self._synced = time.monotonic()
        except OSError as error:
            raise self._refuse(f"cannot be written: {error.strerror}") from error

    def _lock(self) -> None:
        """Keep other runs out, where the system can."""
        try:
            import fcntl
        except ImportError:
            # Windows has no such locks.
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise self._refuse("is in use by another run", hint="wait for it, or give this run its own") from error

    def _load(self) -> None:
        """Believe what the journal holds, and drop half a line at its end."""
        with open(self._path, "rb") as stream:
            content = stream.read()
        *lines, rest = content.split(b"\n")
        header = json.dumps(self._header, allow_nan=False).encode()
        if not lines and header.startswith(rest):
            # New, or cut off while its first line was written.
            os.ftruncate(self._file, 0)
            self._write(self._header)
            return
        # A file without a line end is not ours, and its only line tells what it is instead.
        first, *entries = lines or [rest]
        if not first.startswith(_BEGIN):
            raise self._refuse("is not a journal of softdice", hint="name another file")
        try:
            self._check_header(json.loads(first))
            for line in entries:
                self._take(json.loads(line))
        except UnknownMember as unknown:
            raise newer(unknown.where, "of an unknown version", str(self._path)) from unknown
        except (ValueError, TypeError, LookupError, RecursionError, ConfigError) as error:
            raise self._refuse(f"is broken, or is not a journal: {error}") from error
        if rest:
            # Cut off while its last line was written.
            os.ftruncate(self._file, len(content) - len(rest))

    def _take(self, entry: Any) -> None:
        """Believe one finished pair, if its files are those that it was made of."""
        name, stamps = entry["id"], entry["files"]
        if name not in self._pairs:
            raise self._refuse(f"holds pair {name!r}, which this run does not have")
        for path, then in zip(self._pairs[name], stamps, strict=True):
            self._check_stamp(name, path, tuple(then))
        rows = [row_from_json(row, None, None) for row in entry["rows"]]
        if not rows:
            raise ValueError(f"pair {name!r} has no rows")
        if (rows[0].pred, rows[0].gt) != self._pairs[name][:2]:
            raise self._refuse(
                f"holds pair {name!r} of other files",
                expected=" and ".join(self._pairs[name][:2]),
                found=f"{rows[0].pred} and {rows[0].gt}",
            )
        self._done[name] = rows
        self._found[name] = {"labels": entry.get("labels", []), "palettes": entry.get("palettes", [])}
        for path, label in self._found[name]["labels"]:
            _check_number(path, label)
        for path, colors in self._found[name]["palettes"]:
            for pair in colors:
                for number in pair:
                    _check_number(path, number)

    def _check_stamp(self, name: str, path: str, then: tuple[Any, ...]) -> None:
        """Raises InputError for a file that changed since a pair was noted."""
        now = stamp(path)
        if then == now:
            return
        place, what = 1, "nanoseconds at its last change"
        if then[0] != now[0]:
            place, what = 0, "bytes"
        raise self._refuse(
            f"holds pair {name!r}, whose file {path} changed since",
            expected=f"{then[place]} {what}",
            found=f"{now[place]} {what}",
        )

    def _check_header(self, header: Any) -> None:
        """Raises InputError for a journal that was made with other settings, or by a newer program."""
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise self._refuse("is not a journal of softdice", hint="name another file")
        software = header.get("softdice", "0.1.0")
        if header.get("version") != VERSION:
            raise newer(f"version {header.get('version')}", software, str(self._path))
        try:
            for member in header:
                if member not in _HEADER:
                    raise UnknownMember(member)
            settings = settings_from_json(header["settings"], header["classes"])
        except UnknownMember as unknown:
            raise newer(unknown.where, software, str(self._path)) from unknown
        theirs = {
            "settings": settings_to_json(settings),
            "classes": classes_to_json(settings),
            "reading": header["reading"],
        }
        for part, value in theirs.items():
            if value != self._header[part]:
                expected, found = _difference(self._header[part], value)
                raise self._refuse(f"was made with other {part}", expected=expected, found=found)

    def _refuse(
        self, problem: str, *, expected: str = "", found: str = "", hint: str = "remove the journal to begin again"
    ) -> InputError:
        return InputError(problem, path=str(self._path), expected=expected, found=found, hint=hint)


def _check_number(path: Any, number: Any) -> None:
    if type(path) is not str or type(number) is not int:
        raise ValueError(f"{path!r} and {number!r} are not a path and a number")


def stamp(path: str) -> Stamp:
    """What tells whether a file changed; zeros where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


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
