"""Standard output and error: what they are, and how results and errors get there."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path
from types import TracebackType

from softdice_cli.errors import ConfigError, SoftdiceError, as_flag
from softdice_cli.records import Failure
from softdice_cli.render import Page, neutral


def page(
    output: Path | None, *, worst: int = 0, per_image: bool = False, columns: tuple[str, ...] | None = None
) -> Page:
    """What a table is written on: the terminal, or a pipe or file, where nothing is folded."""
    encoding = "utf-8" if output else (sys.stdout.encoding or "ascii")
    unicode = encoding.lower().replace("-", "").startswith("utf")
    wanted = os.environ.get("COLUMNS", "")
    width = int(wanted) if wanted.isdecimal() and int(wanted) else None
    color = False
    if not output and sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Page(width=width, color=color, unicode=unicode, worst=worst, per_image=per_image, columns=columns)


class Target:
    """Where a result goes: standard output, or a file that is written whole or not at all.

    A context manager; the file appears when it ends well. What is no regular file, such as a device or a pipe, is
    written to as it is.

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
            if self._output.exists() and not stat.S_ISREG(self._output.stat().st_mode):
                if self._output.is_dir():
                    raise IsADirectoryError(21, "is a folder")
                self._stream = open(self._output, "w", encoding="utf-8", newline="\n")
                return self
            import tempfile  # here, as most results go to standard output

            self._output = Path(os.path.realpath(self._output))  # a link stays, and what it points to is replaced
            handle, self._temporary = tempfile.mkstemp(dir=self._output.parent, prefix=f".{self._output.name}.")
            self._stream = open(handle, "w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise self._refuse(error) from error
        return self

    def write(self, text: str) -> None:
        """Write a piece."""
        try:
            self._stream.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._refuse(error) from error

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
        except BrokenPipeError:
            raise
        except OSError as failure:
            raise self._refuse(failure) from failure
        finally:
            if self._temporary:
                Path(self._temporary).unlink(missing_ok=True)

    def _commit(self, output: Path) -> None:
        self._stream.flush()
        if self._temporary:
            os.fsync(self._stream.fileno())
            mode = stat.S_IMODE(output.stat().st_mode) if output.exists() else 0o666 & ~_umask()
            os.chmod(self._temporary, mode)
        self._stream.close()
        if self._temporary:
            os.replace(self._temporary, output)
            self._temporary = None

    def _refuse(self, error: OSError) -> ConfigError:
        name = str(self._output) if self._output else "standard output"
        return ConfigError(f"cannot be written: {error.strerror}", path=name, hint="check the path and the disk")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def say(text: str, kind: str = "") -> None:
    """A line for a person, on standard error."""
    print(f"softdice: {kind + ': ' if kind else ''}{neutral(text)}", file=sys.stderr)


def say_error(error: SoftdiceError | Failure) -> None:
    """An error: its headline, and below it what was expected, what was found and what to try."""
    if isinstance(error, Failure):
        headline, details = error.error, error.details
    else:
        headline, details = error.headline(as_flag), error.details(as_flag)
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
