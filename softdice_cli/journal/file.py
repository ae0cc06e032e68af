"""The file of a journal: each pair is one line of JSON, which is written whole, and the first line says what they mean.

Failures are not written, so they are tried again. A journal of another run or of other settings is refused. A line that
is damaged, or whose files changed since, is not used, and its pair is evaluated again.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from softdice_cli.errors import InputError
from softdice_cli.journal.header import AGAIN, check_header, header_of
from softdice_cli.journal.seals import opened, seal_of, sealed
from softdice_cli.journal.stamps import Stamp, is_unchanged
from softdice_cli.records import ImageRow, Run
from softdice_cli.records.from_json import newer
from softdice_cli.records.members import UnknownMember
from softdice_cli.records.row_from_json import row_from_json
from softdice_cli.records.rows import image_ids
from softdice_cli.records.to_json import row_to_json

# How often the file is forced to the disk. A power failure costs the pairs of that time.
_SYNC_SECONDS = 1.0

# On Windows, a file is otherwise opened as text, in which line breaks are changed.
_BINARY = getattr(os, "O_BINARY", 0)

# How many damaged lines are named.
_NAMED = 5


class Journal:
    """The journal of one run: a context manager that keeps other runs out of the file.

    Args:
        path: the file; it is made if it is not there.
        run: what the rows will mean, before the first prediction says how many classes there are.
        reading: how files are read, in plain values.
        pairs: the files of each pair of the run by id: the prediction, the truth, and perhaps a region of interest.

    Raises:
        InputError: it was made with other settings, by another version, or of other pairs; it is in use, or is not a
            journal.
    """

    def __init__(self, path: Path, run: Run, reading: Mapping[str, Any], pairs: Mapping[str, tuple[str, ...]]) -> None:
        self._path = path
        self._pairs = pairs
        self._header = header_of(run, reading)
        self._done: dict[str, list[ImageRow]] = {}
        self._found: dict[str, dict[str, Any]] = {}
        # Pairs of which a line holds other files than there are now, with the first of these files.
        self._changed: dict[str, str] = {}
        self._damaged: list[int] = []
        self._seal = b""
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
            try:
                os.fsync(self._file)
            finally:
                os.close(self._file)
        except OSError as error:
            # A full disk behind a network may be noticed no earlier.
            raise self._unwritten(error) from error

    @property
    def warnings(self) -> list[str]:
        """What of the journal is not used, a sentence each."""
        found = []
        if self._damaged:
            lines = _lines(self._damaged)
            found.append(f"{self._path}: {lines}; what stands in no other line is evaluated again")
        changed = [path for name, path in self._changed.items() if name not in self._done]
        if len(changed) == 1:
            found.append(f"{self._path}: 1 pair is evaluated again, as a file of it changed: {changed[0]}")
        elif changed:
            found.append(
                f"{self._path}: {len(changed)} pairs are evaluated again, as files of them changed, e.g. {changed[0]}"
            )
        return found

    def __contains__(self, id: str) -> bool:
        return id in self._done

    def rows(self, id: str) -> list[ImageRow] | None:
        """The rows of a pair that was finished before, or ``None``."""
        return self._done.get(id)

    def found(self, id: str) -> Mapping[str, Any]:
        """What the files of a finished pair showed of the meaning of the run, in plain values."""
        return self._found.get(id, {})

    def add(
        self, id: str, stamps: Sequence[Stamp], rows: list[ImageRow], found: Mapping[str, Any] | None = None
    ) -> None:
        """Note a finished pair.

        Args:
            id: of the pair.
            stamps: what `stamp` gave for its files before they were read, and what still holds.
            rows: what the pair gave, a row an image.
            found: what its files show of the meaning of the run: ``labels`` as (path, label), and ``palettes`` as
                (path, pairs of label and colour).
        """
        shown = {name: value for name, value in (found or {}).items() if value}
        entry = {"id": id, "files": stamps, "rows": [row_to_json(row) for row in rows], **shown}
        self._write(sealed(entry, self._seal))

    def _write(self, line: bytes) -> None:
        line += b"\n"
        try:
            # One call writes the whole line, unless the disk is full; reading drops half a line.
            while line:
                written = os.write(self._file, line)
                line = line[written:]
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                os.fsync(self._file)
                self._synced = time.monotonic()
        except OSError as error:
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> InputError:
        hint = "make room for it; the same command goes on with what it holds"
        return self._refuse(f"cannot be written: {error.strerror}", hint=hint)

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
        if not lines:
            self._begin(rest)
            return
        first, *entries = lines
        check_header(first, self._header, str(self._path))
        self._seal = seal_of(first)
        for number, line in enumerate(entries, start=2):
            try:
                self._take(opened(line, self._seal))
            except UnknownMember as unknown:
                raise newer(unknown.where, "of an unknown version", str(self._path)) from unknown
            except (ValueError, TypeError, LookupError):
                self._damaged.append(number)
        if rest:
            # Cut off while its last line was written.
            os.ftruncate(self._file, len(content) - len(rest))

    def _begin(self, rest: bytes) -> None:
        """Write the first line to a file that is new, or was cut off in it.

        Raises:
            InputError: the file is of somebody else, or of another run.
        """
        header = sealed(self._header)
        if not header.startswith(rest):
            check_header(rest, self._header, str(self._path))
        os.ftruncate(self._file, 0)
        self._seal = seal_of(header)
        self._write(header)

    def _take(self, entry: Any) -> None:
        """Believe one finished pair, if its files are those that it was made of.

        Raises:
            InputError: it belongs to another run.
            ValueError, TypeError or LookupError: the line is damaged.
        """
        name, stamps = entry["id"], [tuple(then) for then in entry["files"]]
        rows = [row_from_json(row, None, None) for row in entry["rows"]]
        if name not in self._pairs:
            raise self._refuse(f"holds pair {name!r}, which this run does not have")
        files = self._pairs[name]
        if not rows or [row.id for row in rows] != image_ids(name, len(rows)):
            raise ValueError(f"the rows are not those of pair {name!r}")
        for row in rows:
            if (row.pred, row.gt) != files[:2]:
                raise self._refuse(
                    f"holds pair {name!r} of other files",
                    expected=" and ".join(files[:2]),
                    found=f"{row.pred} and {row.gt}",
                )
        found = _found(entry)
        for path, then in zip(files, stamps, strict=True):
            if not is_unchanged(path, then):
                self._changed[name] = path
                return
        self._done[name], self._found[name] = rows, found

    def _refuse(self, problem: str, *, expected: str = "", found: str = "", hint: str = AGAIN) -> InputError:
        return InputError(problem, path=str(self._path), expected=expected, found=found, hint=hint)


def _found(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the files of a pair showed, checked."""
    found = {"labels": entry.get("labels", []), "palettes": entry.get("palettes", [])}
    for path, label in found["labels"]:
        _check_number(path, label)
    for path, colors in found["palettes"]:
        for pair in colors:
            for number in pair:
                _check_number(path, number)
    return found


def _check_number(path: Any, number: Any) -> None:
    if type(path) is not str or type(number) is not int:
        raise ValueError(f"{path!r} and {number!r} are not a path and a number")


def _lines(numbers: Sequence[int]) -> str:
    """Which lines, in words."""
    shown = ", ".join(map(str, numbers[:_NAMED]))
    if len(numbers) > _NAMED:
        shown += f" and {len(numbers) - _NAMED} more"
    return f"line {shown} is damaged" if len(numbers) == 1 else f"lines {shown} are damaged"
