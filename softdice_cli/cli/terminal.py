"""Standard output and error: what they are, and how results and errors get there."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from softdice_cli.errors import ConfigError, SoftdiceError
from softdice_cli.records import Failure
from softdice_cli.render import Page, neutral

INTERNAL = 4
"""Exit code of a bug in softdice."""


def page(output: Path | None) -> Page:
    """What a table is written on: the terminal, or a pipe or file, where nothing is folded."""
    encoding = "utf-8" if output else (sys.stdout.encoding or "ascii")
    unicode = encoding.lower().replace("-", "").startswith("utf")
    if output or not sys.stdout.isatty():
        columns = os.environ.get("COLUMNS", "")
        return Page(width=int(columns) if columns.isdecimal() and int(columns) else None, unicode=unicode)
    color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Page(width=shutil.get_terminal_size().columns, color=color, unicode=unicode)


def emit(text: str, output: Path | None) -> None:
    """Write a result to standard output, or to a file whole or not at all.

    Raises:
        ConfigError: the file cannot be written.
    """
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
        with open(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, output)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise ConfigError(f"cannot be written: {error.strerror}", path=str(output), hint="check --output") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def say(text: str, kind: str = "") -> None:
    """A line for a person, on standard error."""
    print(f"softdice: {kind + ': ' if kind else ''}{neutral(text)}", file=sys.stderr)


def say_error(error: SoftdiceError | Failure) -> None:
    """An error: its headline, and below it what was expected, what was found and what to try."""
    headline = error.error if isinstance(error, Failure) else error.headline
    say(headline, "error")
    for label, text in (("expected", error.expected), ("found", error.found), ("try", error.hint)):
        if text:
            print(f"  {label:<8}  {neutral(text)}", file=sys.stderr)
