"""Standard output and error: what they are, and how results and errors get there."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from softdice_cli.cli.streams import reader_is_gone
from softdice_cli.errors import ConfigError, SoftdiceError, as_flag
from softdice_cli.render import Page, neutral


def page(
    output: Path | None, *, worst: int = 0, per_image: bool = False, columns: tuple[str, ...] | None = None
) -> Page:
    """What a table is written on: the terminal, or a pipe or file, where nothing is folded."""
    encoding = "utf-8"
    width = None
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        width = int(wanted)
    color = False
    if output is None:
        encoding = sys.stdout.encoding or "ascii"
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns
            color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    unicode = encoding.lower().replace("-", "").startswith("utf")
    return Page(width=width, color=color, unicode=unicode, worst=worst, per_image=per_image, columns=columns)


class Target:
    """Where a result goes: standard output, or a file that is written whole or not at all.

    A context manager; the file appears when it ends well. What is not a regular file, such as a
    device or a pipe, is written to as it is.

    Args:
        output: the file, or ``None`` for standard output.

    Raises:
        ConfigError: the file cannot be written.
    """

    def __init__(self, output: Path | None) -> None:
        self._output = output
        self._temporary: str | None = None

    def __enter__(self) -> Target:
        if self._output is None:
            self._stream = sys.stdout
            return self
        try:
            self._open(self._output)
        except OSError as error:
            raise self._failed(error) from error
        return self

    def _open(self, output: Path) -> None:
        """Open the file itself where it is a device or a pipe, and otherwise a temporary file beside it."""
        if output.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        if output.exists() and not stat.S_ISREG(output.stat().st_mode):
            self._stream = open(output, "w", encoding="utf-8", newline="\n")
            return
        # Imported here, as most results go to standard output.
        import tempfile

        # A link stays, and what it points to is replaced.
        self._output = Path(os.path.realpath(output))
        handle, self._temporary = tempfile.mkstemp(dir=self._output.parent, prefix=f".{self._output.name}.")
        self._stream = open(handle, "w", encoding="utf-8", newline="\n")

    def write(self, text: str) -> None:
        """Write a piece."""
        try:
            self._stream.write(text)
        except OSError as error:
            raise self._failed(error) from error

    def flush(self) -> None:
        """Let a reader of the output see what was written."""
        self._stream.flush()

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches the output scroll by."""
        return self._stream.isatty()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if self._output is None:
                self._stream.flush()
            elif kind is None:
                self._commit(self._output)
        except OSError as failure:
            raise self._failed(failure) from failure
        finally:
            if self._temporary:
                self._discard(self._temporary)

    def _commit(self, output: Path) -> None:
        self._stream.flush()
        if self._temporary is None:
            self._stream.close()
            return
        os.fsync(self._stream.fileno())
        # Windows does not replace a file by one that is open.
        self._stream.close()
        mode = 0o666 & ~_umask()
        if output.exists():
            mode = stat.S_IMODE(output.stat().st_mode)
        os.chmod(self._temporary, mode)
        os.replace(self._temporary, output)
        self._temporary = None

    def _discard(self, temporary: str) -> None:
        """Remove the temporary file; what went wrong before is what has to be said."""
        # Windows does not remove a file that is open or that may not be written.
        with suppress(OSError):
            self._stream.close()
        with suppress(OSError):
            os.chmod(temporary, stat.S_IRUSR | stat.S_IWUSR)
            os.unlink(temporary)

    def _failed(self, error: OSError) -> OSError | ConfigError:
        """What is raised for an error of the system: one of its own where the reader of the output went away."""
        if isinstance(error, BrokenPipeError) or (self._output is None and reader_is_gone(error)):
            return BrokenPipeError(errno.EPIPE, error.strerror)
        name = "standard output"
        if self._output is not None:
            name = str(self._output)
        return ConfigError(f"cannot be written: {error.strerror}", path=name, hint="check the path and the disk")


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def say(text: str, kind: str = "") -> None:
    """Write a line for a person, on standard error."""
    start = "softdice: "
    if kind:
        start += f"{kind}: "
    print(f"{start}{neutral(text)}", file=sys.stderr)


def say_error(error: SoftdiceError) -> None:
    """An error: its headline, and below it what was expected, what was found and what to try."""
    say_failure(error.headline(as_flag), error.details(as_flag))


def say_failure(headline: str, details: Iterable[tuple[str, str]]) -> None:
    """What went wrong in a line, and below it (label, text) pairs; see `errors.advice`."""
    say(headline, "error")
    for label, text in details:
        print(f"  {label:<8}  {neutral(text)}", file=sys.stderr)


def read_stdin(limit: int) -> bytes:
    """What was piped into standard input.

    Raises:
        ConfigError: nothing is piped, or it is longer than the limit.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("nothing is piped into standard input", hint="softdice eval --pred - --gt mask.png < p.npy")
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        raise ConfigError(
            "standard input is longer than the limit",
            expected=f"at most {limit} bytes",
            hint="--max-bytes, or save it to a file",
        )
    return data
